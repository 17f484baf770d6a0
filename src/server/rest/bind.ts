// pods/binding: how a scheduler gives a pod its node.
import type { Binding, Pod } from "../../api/generated/types.ts";
import type { KubeObject } from "../../api/object.ts";
import { badRequest, conflict } from "../../api/status-error.ts";
import { timestamp } from "../../base/clock.ts";
import { atOnce } from "../../base/parts.ts";
import { type BodyType, readObject } from "../body.ts";
import type { ServerContext } from "../context.ts";
import { type ApiRequest, type DocumentAnswer, documentOf } from "../request.ts";
import { writeOf } from "./target.ts";
import { type NamedTarget, updateObject } from "./update.ts";

const BINDING: BodyType = { schema: "io.k8s.api.core.v1.Binding", apiVersion: "v1", kind: "Binding" };
const BINDINGS = { group: "", plural: "pods/binding" };

/** What acting on an object without an answer of its own is answered with. */
export const created = (): DocumentAnswer =>
  documentOf(
    { kind: "Status", apiVersion: "v1", metadata: {}, status: "Success", code: 201 },
    { status: 201 },
  );

/** POST pods/NAME/binding: gives the pod its node, once. */
export async function bindPod(
  context: ServerContext,
  target: NamedTarget,
  request: ApiRequest,
): Promise<DocumentAnswer> {
  const binding = (await readObject(request, context.registry, BINDING)).object as Binding;
  if (binding.metadata?.name && binding.metadata.name !== target.name)
    throw badRequest("name in URL does not match name in Binding object");
  const node = binding.target?.name;
  if (!node) throw badRequest("binding.target.name: Required value");
  if (binding.target.kind && binding.target.kind !== "Node" && binding.target.kind !== "Minion")
    throw badRequest(`binding.target.kind: Unsupported value: ${JSON.stringify(binding.target.kind)}`);
  const write = { ...writeOf(target, request, "UPDATE"), subresource: "binding" };
  const next = (current: KubeObject) => atOnce(() => boundPod(context, current as Pod, binding, target));
  await updateObject(context, write, { next, ownsFields: true });
  return created();
}

function boundPod({ clock }: ServerContext, pod: Pod, { metadata, target }: Binding, at: NamedTarget): Pod {
  const { name } = pod.metadata;
  const refuse = (why: string) => conflict(BINDINGS, at.name, why);
  if (metadata?.uid && metadata.uid !== pod.metadata.uid)
    throw refuse(
      `Precondition failed: UID in precondition: ${metadata.uid}, UID in object meta: ${pod.metadata.uid}`,
    );
  if (pod.metadata.deletionTimestamp)
    throw refuse(`pod ${name} is being deleted, cannot be assigned to a host`);
  if (pod.spec.nodeName) throw refuse(`pod ${name} is already assigned to node "${pod.spec.nodeName}"`);
  if (pod.spec.schedulingGates?.length) throw refuse(`pod ${name} has non-empty .spec.schedulingGates`);
  const bound = structuredClone(pod);
  bound.spec.nodeName = target.name;
  if (metadata?.annotations)
    bound.metadata.annotations = { ...bound.metadata.annotations, ...metadata.annotations };
  const conditions = (bound.status?.conditions ?? []).filter(({ type }) => type !== "PodScheduled");
  const lastTransitionTime = timestamp(clock.now());
  // A nomination has served its purpose once the pod has a node.
  const { nominatedNodeName: _, ...status } = bound.status ?? {};
  bound.status = {
    ...status,
    conditions: [...conditions, { type: "PodScheduled", status: "True", lastTransitionTime }],
  };
  return bound;
}
