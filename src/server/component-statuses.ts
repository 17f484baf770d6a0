// componentstatuses, of which nothing is stored: `kubectl get cs` as tutorials print it.
// Unlike Kubernetes: the scheduler, the controllers and the store are parts of the process that answers, and it ends when one
// of them does. So each is healthy whenever there is an answer.
import type { ComponentStatus } from "../api/generated/types.ts";
import { type KindDefinition, nameColumn, textColumn } from "../api/kind.ts";
import { notFound, statusError } from "../api/status-error.ts";
import type { ServerContext } from "./context.ts";
import type { ResourcePath } from "./path.ts";
import type { Answer, ApiRequest } from "./request.ts";
import { encode, presentList, presentObject } from "./rest/present.ts";
import { formatOf } from "./rest/read.ts";
import { selectionOf } from "./rest/selection.ts";

const condition = ({ conditions }: ComponentStatus) => conditions?.[0];
const health = (status: ComponentStatus) => (condition(status)?.status === "True" ? "Healthy" : "Unhealthy");

export const componentStatusKind: KindDefinition<ComponentStatus> = {
  resource: {
    group: "",
    version: "v1",
    kind: "ComponentStatus",
    plural: "componentstatuses",
    namespaced: false,
  },
  schema: "io.k8s.api.core.v1.ComponentStatus",
  singular: "componentstatus",
  shortNames: ["cs"],
  nameRule: "path-segment",
  deprecation: "v1 ComponentStatus is deprecated in v1.19+",
  columns: [
    nameColumn(),
    textColumn("Status", "Whether it is healthy.", health),
    textColumn("Message", "What it says of itself.", (status) => condition(status)?.message ?? ""),
    textColumn("Error", "Why it is not healthy.", (status) => condition(status)?.error ?? ""),
  ],
};

const entries = ["scheduler", "controller-manager", "etcd-0"].map((name) => {
  const object = {
    kind: "ComponentStatus",
    apiVersion: "v1",
    metadata: { name },
    conditions: [{ type: "Healthy", status: "True", message: "ok" }],
  } as unknown as ComponentStatus;
  return { object, json: JSON.stringify(object) };
});

/** GET of one or of all. Throws 404 and 405. */
export async function componentStatuses(
  context: ServerContext,
  { name, subresource, watch }: ResourcePath,
  request: ApiRequest,
): Promise<Answer> {
  if (request.method !== "GET" || subresource || watch)
    throw statusError(
      "MethodNotAllowed",
      "the server does not allow this method on the requested resource",
      {},
    );
  const format = formatOf(request);
  const target = { kind: componentStatusKind, served: componentStatusKind };
  if (name === undefined) {
    const { matches } = selectionOf(componentStatusKind, request.query);
    const meta = { resourceVersion: "" };
    const shown = entries.filter(({ object }) => matches(object));
    const list = presentList(context, target, shown, { format, meta });
    return encode(list, format);
  }
  const entry = entries.find(({ object }) => object.metadata.name === name);
  if (!entry) throw notFound(componentStatusKind.resource, name);
  const answer = presentObject(context, target, entry, { format });
  return encode(answer, format);
}
