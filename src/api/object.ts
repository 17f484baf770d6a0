// What every API object has, and the small questions that all parts ask of one.
import type { LabelSelector, ObjectMeta, OwnerReference } from "./generated/types.ts";

export type { LabelSelector, ObjectMeta, OwnerReference };

/** Any API object. `spec` and `status` are known to a kind's own type only. */
export interface KubeObject {
  apiVersion?: string;
  kind?: string;
  metadata: ObjectMeta;
}

/** What a client sends: the fields that only the server fills in may be missing, at every depth. */
export type Draft<T> = T extends (infer Item)[]
  ? Draft<Item>[]
  : T extends object
    ? { [Field in keyof T]?: Draft<T[Field]> }
    : T;

/** The annotation of the bookmark that says: what there was has been sent, now come the changes. */
export const INITIAL_EVENTS_END = "k8s.io/initial-events-end";

/** The work key of an object: `namespace/name`, or `name` where it has no namespace. */
export function keyOf(object: { metadata: Pick<ObjectMeta, "name" | "namespace"> }): string {
  const { namespace, name } = object.metadata;
  return namespace ? `${namespace}/${name}` : name;
}

/** The reverse of keyOf. */
export function parseKey(key: string): { namespace: string | undefined; name: string } {
  const slash = key.indexOf("/");
  return slash < 0
    ? { namespace: undefined, name: key }
    : { namespace: key.slice(0, slash), name: key.slice(slash + 1) };
}

/** The one owner reference that says `controller: true`, if there is one. */
export function controllerOf(object: { metadata: ObjectMeta }): OwnerReference | undefined {
  return object.metadata.ownerReferences?.find((owner) => owner.controller);
}

/** An owner reference that makes `owner` the controller of what carries it, as Kubernetes' controllers write it. */
export function controllerReference(owner: KubeObject, apiVersion: string, kind: string): OwnerReference {
  const { name, uid } = owner.metadata;
  return { apiVersion, kind, name, uid, controller: true, blockOwnerDeletion: true };
}
