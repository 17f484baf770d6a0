// NamespaceLifecycle: nothing is made in a namespace that is not there or on its way out, and the namespaces that the cluster itself needs
// cannot be deleted. It is the first step, as in Kubernetes: in a namespace that is not there, that is what a create hears, and not that
// something else is missing in it. What happens to the namespace after that is seen within the write (rest/create.ts).
import type { AnyKind } from "../../api/kind.ts";
import { namespaces } from "../../api/kinds/namespace.ts";
import type { KubeObject } from "../../api/object.ts";
import { groupResourceOf } from "../../api/resource.ts";
import { forbidden, statusError } from "../../api/status-error.ts";
import { storeKey } from "../keys.ts";
import type { AdmissionStep, ReadObject } from "./chain.ts";

const IMMORTAL: ReadonlySet<string> = new Set(["default", "kube-system", "kube-public"]);

export const namespaceLifecycle: AdmissionStep = {
  name: "NamespaceLifecycle",
  mutateCreate(object, { kind }, { store }) {
    if (kind.resource.namespaced && object.metadata.namespace)
      checkNamespace(kind, object, (key) => store.get(key)?.object);
  },
  checkDelete({ metadata: { name } }, { kind }) {
    if (kind.resource.group === "" && kind.resource.plural === namespaces.plural && IMMORTAL.has(name))
      throw forbidden(namespaces, name, "this namespace may not be deleted");
  },
};

/** Throws a StatusError, NotFound or Forbidden, where `object` may not be made in its namespace. */
export function checkNamespace(
  { resource }: AnyKind,
  { metadata: { name, generateName = "", namespace = "" } }: KubeObject,
  read: ReadObject,
): void {
  const found = read(storeKey(namespaces, undefined, namespace));
  if (!found)
    throw statusError("NotFound", `namespaces "${namespace}" not found`, {
      name: namespace,
      kind: "namespaces",
    });
  if (!found.metadata.deletionTimestamp) return;
  const shown = name || generateName;
  throw statusError(
    "Forbidden",
    `${groupResourceOf(resource)} "${shown}" is forbidden: unable to create new content in namespace ${namespace} because it is being terminated`,
    {
      name: shown,
      ...(resource.group ? { group: resource.group } : {}),
      kind: resource.plural,
      causes: [
        {
          reason: "NamespaceTerminating",
          message: `namespace ${namespace} is being terminated`,
          field: "metadata.namespace",
        },
      ],
    },
  );
}
