// Where objects lie in the store: `deployments.apps/NAMESPACE/NAME`, `nodes/NAME`. The version is not part of it.
import { groupResourceOf, type Resource } from "../api/resource.ts";

export function storeKey(resource: Resource, namespace: string | undefined, name: string): string {
  return resource.namespaced
    ? `${groupResourceOf(resource)}/${namespace}/${name}`
    : `${groupResourceOf(resource)}/${name}`;
}

/** The prefix of a collection: of one namespace, or of all. */
export function storePrefix(resource: Resource, namespace?: string): string {
  return resource.namespaced && namespace
    ? `${groupResourceOf(resource)}/${namespace}/`
    : `${groupResourceOf(resource)}/`;
}
