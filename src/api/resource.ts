// Where a kind is served. Each kind's file in kinds/ exports one of these; clients need nothing else of it.
import type { KubeObject } from "./object.ts";

export interface Resource<T extends KubeObject = KubeObject> {
  /** API group, "" for the core group. */
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  /** The name in URLs: `pods`. */
  readonly plural: string;
  readonly namespaced: boolean;
  /** Never set: carries the object's type. */
  readonly object?: T;
}

/** `v1`, `apps/v1`. */
export function apiVersionOf(resource: Pick<Resource, "group" | "version">): string {
  return resource.group ? `${resource.group}/${resource.version}` : resource.version;
}

/** `pods`, `deployments.apps`: how Kubernetes' messages name a resource. */
export function groupResourceOf(resource: Pick<Resource, "group" | "plural">): string {
  return resource.group ? `${resource.plural}.${resource.group}` : resource.plural;
}

/** The URL path of a collection, or of one object where `name` is given, or of its subresource. */
export function pathOf(
  resource: Resource,
  at: { namespace?: string | undefined; name?: string | undefined; subresource?: string | undefined } = {},
): string {
  let path = resource.group ? `/apis/${resource.group}/${resource.version}` : `/api/${resource.version}`;
  if (resource.namespaced && at.namespace) path += `/namespaces/${encodeURIComponent(at.namespace)}`;
  path += `/${resource.plural}`;
  if (at.name) path += `/${encodeURIComponent(at.name)}`;
  if (at.subresource) path += `/${at.subresource}`;
  return path;
}
