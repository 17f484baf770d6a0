// pods/resize: a container's new requests and limits are taken over where the node has room for them; until then the pod keeps what
// it was admitted with and says why. Pure. Unlike Kubernetes: limits are not enforced, so a container need never be restarted for
// new ones, whatever its resizePolicy.
import { isDeepStrictEqual } from "node:util";
import type { Pod, ResourceRequirements } from "../../../src/api/generated/types.ts";
import { milliValue, quantityToNumber } from "../../../src/base/quantity.ts";
import { admitPod, podRequest } from "./admission.ts";

/** Container name → the resources that the node has given it. */
export type Allocation = ReadonlyMap<string, ResourceRequirements>;

export interface ResizePlan {
  readonly allocated: Allocation;
  /** Why the spec's resources are not given yet. */
  readonly pending?: { readonly reason: "Deferred" | "Infeasible"; readonly message: string };
}

export interface NodeRoom {
  /** The node's other live pods. */
  readonly others: readonly Readonly<Pod>[];
  readonly allocatable: Readonly<Record<string, string>>;
}

/** `before` undefined: the pod has just been admitted, with what it asks for. */
export function planResize(pod: Readonly<Pod>, before: Allocation | undefined, room: NodeRoom): ResizePlan {
  const containers = [...(pod.spec?.containers ?? []), ...(pod.spec?.initContainers ?? [])];
  const wanted: Allocation = new Map(containers.map(({ name, resources }) => [name, resources ?? {}]));
  if (!before || isDeepStrictEqual(wanted, before)) return { allocated: wanted };
  for (const resource of ["cpu", "memory"]) {
    const measure = resource === "cpu" ? milliValue : quantityToNumber;
    const requested = podRequest(pod, resource, measure);
    const capacity = measure(room.allocatable[resource] ?? "0");
    if (requested > capacity) {
      const message = `Node didn't have enough capacity: ${resource}, requested: ${requested}, capacity: ${capacity}`;
      return { allocated: before, pending: { reason: "Infeasible", message } };
    }
  }
  const refusal = admitPod(pod, room.others, room.allocatable);
  if (refusal) return { allocated: before, pending: { reason: "Deferred", message: refusal.message } };
  return { allocated: wanted };
}
