import type { OwnerReference } from "../../api/object.ts";
import type { EventText } from "../shared/pod-events.ts";

/** `namespace`: that of the dependent, where an owner with a namespace would have to be; empty for what has none. */
export function ownerElsewhere(
  { apiVersion, kind, name, uid }: OwnerReference,
  namespace: string,
): EventText {
  const reference = `[${apiVersion}/${kind}, namespace: ${namespace}, name: ${name}, uid: ${uid}]`;
  return {
    type: "Warning",
    reason: "OwnerRefInvalidNamespace",
    message: `ownerRef ${reference} does not exist in namespace "${namespace}"`,
  };
}
