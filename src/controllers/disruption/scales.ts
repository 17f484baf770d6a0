// How many pods the controllers of some pods want together. The built-in ones are read from the caches, a ReplicaSet of a Deployment counting
// as the Deployment; any other kind through its scale subresource.
import type { OwnerReference, Pod, Scale } from "../../api/generated/types.ts";
import { deployments } from "../../api/kinds/deployment.ts";
import { replicaSets } from "../../api/kinds/replica-set.ts";
import { replicationControllers } from "../../api/kinds/replication-controller.ts";
import { statefulSets } from "../../api/kinds/stateful-set.ts";
import { controllerOf, type KubeObject, keyOf } from "../../api/object.ts";
import { groupResourceOf, pathOf, type Resource } from "../../api/resource.ts";
import type { ControllerContext } from "../runtime/context.ts";

type Scaled = KubeObject & { readonly spec: { readonly replicas?: number } };

const CACHED: readonly Resource<Scaled>[] = [
  replicationControllers,
  replicaSets,
  deployments,
  statefulSets,
] as readonly Resource[] as readonly Resource<Scaled>[];

export interface Scales {
  /** Throws where a pod's controller cannot be counted. */
  of(pods: readonly Readonly<Pod>[]): Promise<{ total: number; unmanaged: readonly Readonly<Pod>[] }>;
}

export interface ScalesOptions {
  /** The resource that an owner reference means. */
  storedAs: (reference: Pick<OwnerReference, "apiVersion" | "kind">) => Resource | undefined;
}

/** Touches the informers that it reads. */
export function createScales({ client, informers }: ControllerContext, { storedAs }: ScalesOptions): Scales {
  const caches = new Map(CACHED.map((resource) => [groupResourceOf(resource), informers.of(resource)]));

  async function scaleOf(
    reference: OwnerReference,
    namespace: string | undefined,
  ): Promise<{ uid: string; replicas: number } | undefined> {
    const resource = storedAs(reference);
    if (!resource) return undefined;
    const { name, uid } = reference;
    const at = { namespace, name };
    const cache = caches.get(groupResourceOf(resource));
    if (!cache) return readScale(resource, at, uid);
    const owner = cache.get(keyOf({ metadata: { name, ...(namespace ? { namespace } : {}) } }));
    if (owner?.metadata.uid !== uid) return undefined;
    const above = controllerOf(owner);
    if (resource.kind === replicaSets.kind && above?.kind === deployments.kind)
      return scaleOf(above, namespace);
    return { uid, replicas: owner.spec.replicas ?? 1 };
  }

  async function readScale(
    resource: Resource,
    at: { namespace: string | undefined; name: string },
    uid: string,
  ): Promise<{ uid: string; replicas: number } | undefined> {
    const path = pathOf(resource, { ...at, subresource: "scale" });
    const { status, body } = await client.transport.request({ method: "GET", path });
    if (status === 200) {
      const { metadata, spec } = body as Scale;
      return metadata?.uid === uid ? { uid, replicas: spec?.replicas ?? 0 } : undefined;
    }
    const owner = await client.find(resource, at);
    if (owner?.metadata.uid === uid)
      throw new Error(`${groupResourceOf(resource)} does not implement the scale subresource`);
    return undefined;
  }

  return {
    async of(pods) {
      const replicas = new Map<string, number>();
      const seen = new Set<string>();
      const unmanaged: Readonly<Pod>[] = [];
      for (const pod of pods) {
        const controller = controllerOf(pod);
        if (!controller) unmanaged.push(pod);
        else if (!seen.has(controller.uid)) {
          seen.add(controller.uid);
          const scale = await scaleOf(controller, pod.metadata.namespace);
          if (!scale) throw new Error(`found no controllers for pod "${pod.metadata.name}"`);
          replicas.set(scale.uid, scale.replicas);
        }
      }
      return { total: [...replicas.values()].reduce((sum, count) => sum + count, 0), unmanaged };
    },
  };
}
