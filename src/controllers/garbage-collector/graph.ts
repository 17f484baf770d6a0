// Who owns whom, over every resource: an index of each informer by the uids of owners. It is as current as the informers are.
import type { KubeObject, OwnerReference } from "../../api/object.ts";
import { keyOf } from "../../api/object.ts";
import { apiVersionOf, type Resource } from "../../api/resource.ts";
import type { InformerFactory, LiveInformer } from "../../client/informer.ts";

const BY_OWNER = "garbage-collector/owner";

export interface Vertex {
  readonly resource: Resource;
  readonly object: Readonly<KubeObject>;
}

export interface Graph {
  /** Starts looking at a resource; false when it already does. */
  add(
    resource: Resource,
    onChange: (
      resource: Resource,
      after: Readonly<KubeObject> | undefined,
      before: Readonly<KubeObject> | undefined,
    ) => void,
  ): boolean;
  get(id: string): Vertex | undefined;
  dependents(uid: string): readonly Vertex[];
  /** The resource that a reference names, if it is one of those looked at. */
  resourceOf(reference: OwnerReference): Resource | undefined;
  /** The owner where the caches have it. */
  owner(reference: OwnerReference, namespace: string | undefined): Vertex | undefined;
  /** True for an owner that the caches have in another namespace than this one, where the reference means it to be. */
  isElsewhere(reference: OwnerReference, namespace: string | undefined): boolean;
  stop(): void;
}

/** The work key of an object of any resource: `apps/v1/deployments|default/web`. */
export const idOf = (resource: Resource, object: Readonly<KubeObject>): string =>
  `${apiVersionOf(resource)}/${resource.plural}|${keyOf(object)}`;

export function createGraph(
  informers: InformerFactory,
  storedAs: (reference: OwnerReference) => Resource | undefined = () => undefined,
): Graph {
  const known = new Map<
    string,
    { resource: Resource; informer: LiveInformer<KubeObject>; end: () => void }
  >();
  const byKind = new Map<string, Resource>();

  const graph: Graph = {
    add(resource, onChange) {
      const name = `${apiVersionOf(resource)}/${resource.plural}`;
      if (known.has(name)) return false;
      const informer = informers.of(resource);
      informer.addIndex(BY_OWNER, (object) => (object.metadata.ownerReferences ?? []).map(({ uid }) => uid));
      byKind.set(`${apiVersionOf(resource)}/${resource.kind}`, resource);
      known.set(name, {
        resource,
        informer,
        end: informer.onChange((after, before) => onChange(resource, after, before)),
      });
      return true;
    },
    get(id) {
      const bar = id.indexOf("|");
      const found = known.get(id.slice(0, bar));
      const object = found?.informer.get(id.slice(bar + 1));
      return found && object ? { resource: found.resource, object } : undefined;
    },
    dependents: (uid) =>
      [...known.values()].flatMap(({ resource, informer }) =>
        informer.byIndex(BY_OWNER, uid).map((object) => ({ resource, object })),
      ),
    resourceOf: (reference) => byKind.get(`${reference.apiVersion}/${reference.kind}`) ?? storedAs(reference),
    owner(reference, namespace) {
      const resource = graph.resourceOf(reference);
      if (!resource) return undefined;
      const key = resource.namespaced ? `${namespace}/${reference.name}` : reference.name;
      const object = known.get(`${apiVersionOf(resource)}/${resource.plural}`)?.informer.get(key);
      return object ? { resource, object } : undefined;
    },
    isElsewhere(reference, namespace) {
      const resource = graph.resourceOf(reference);
      if (!resource?.namespaced || graph.owner(reference, namespace)?.object.metadata.uid === reference.uid)
        return false;
      const informer = known.get(`${apiVersionOf(resource)}/${resource.plural}`)?.informer;
      return informer?.list().some(({ metadata }) => metadata.uid === reference.uid) ?? false;
    },
    stop() {
      for (const { end } of known.values()) end();
    },
  };
  return graph;
}
