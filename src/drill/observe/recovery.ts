// How long it takes after a fault until its victims get no more connections, until they are replaced, and until every replica is there again.
import { type PodSeen, podsOf, type WorkloadSeen, type World, workloadsOf } from "./world.ts";

/** Milliseconds after the fault; absent while it has not come about. */
export interface Recovery {
  endpointGone?: number;
  replacementReady?: number;
  fullReplicas?: number;
  /** The rollout that the step began is finished. */
  rolledOut?: number;
  /** What was killed and has no pods (a control plane, a proxy, a node that was started) runs again. */
  back?: number;
}

/** A fault, as it was when it happened. */
export interface Fault {
  readonly at: number;
  readonly victims: readonly PodSeen[];
  /** The workloads that lost something. */
  readonly workloads: readonly WorkloadSeen[];
  /** UIDs of all pods there were. */
  readonly known: ReadonlySet<string>;
  /** Of the victims, those that Services sent connections to. */
  readonly served: ReadonlySet<string>;
}

export function faultAt(at: number, world: World, victims: readonly PodSeen[]): Fault {
  const workloads = new Set(victims.flatMap((pod) => workloadsOf(world, pod)));
  return {
    at,
    victims,
    workloads: [...workloads],
    known: new Set(world.pods.map(({ uid }) => uid)),
    served: new Set(victims.map(({ uid }) => uid).filter((uid) => world.endpoints.has(uid))),
  };
}

/**
 * Pure: what holds now. A victim counts again once it has been restarted in place, or, where the fault has been taken back
 * (`isOver`: a node resumed, a link healed), once it is Ready.
 */
export function recoveredSoFar(
  fault: Fault,
  world: World,
  isOver: boolean,
): { endpointGone: boolean; replacementReady: boolean; fullReplicas: boolean } {
  const now = new Map(world.pods.map((pod) => [pod.uid, pod]));
  const lost = fault.victims.filter((victim) => {
    const pod = now.get(victim.uid);
    return !(pod?.isReady && (isOver || pod.restarts > victim.restarts));
  });
  const isLost = new Set(lost.map(({ uid }) => uid));
  const counts = (pod: PodSeen) => pod.isReady && !isLost.has(pod.uid);
  const sameWorkload = (pod: PodSeen) =>
    fault.workloads.some(({ namespace, matches }) => namespace === pod.namespace && matches(pod.labels));
  const fresh = world.pods.filter((pod) => counts(pod) && !fault.known.has(pod.uid) && sameWorkload(pod));
  return {
    endpointGone: ![...fault.served].some((uid) => world.endpoints.has(uid)),
    replacementReady: fresh.length >= lost.length,
    fullReplicas: fault.workloads.every((workload) => {
      const wanted =
        world.workloads.find(
          ({ name, namespace }) => name === workload.name && namespace === workload.namespace,
        )?.wanted ?? 0;
      return podsOf(world, workload).filter(counts).length >= wanted;
    }),
  };
}
