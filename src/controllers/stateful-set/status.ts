// What a StatefulSet says of itself.
import type { Pod, StatefulSetStatus } from "../../api/generated/types.ts";
import { equalJson } from "../../api/own.ts";
import { replicasOf, revisionOf } from "./identity.ts";
import { isAvailable, isRunningAndReady, type StatefulInput } from "./plan.ts";

/** Counts of zero are left out where Kubernetes leaves them out. */
export function statefulStatus(input: StatefulInput, collisionCount: number): StatefulSetStatus {
  const { set, pods, currentRevision, updateRevision, nowMs } = input;
  const count = (holds: (pod: Readonly<Pod>) => boolean): number => pods.filter(holds).length;
  const living = (pod: Readonly<Pod>, revision: string) =>
    !pod.metadata.deletionTimestamp && revisionOf(pod) === revision;
  const replicas = pods.length;
  const readyReplicas = count(isRunningAndReady);
  const updatedReplicas = count((pod) => living(pod, updateRevision.metadata.name));
  const complete = isComplete(input, { replicas, readyReplicas, updatedReplicas });
  const current = complete ? updateRevision : currentRevision;
  const currentReplicas = count((pod) => living(pod, current.metadata.name));
  return {
    availableReplicas: count((pod) => isAvailable(pod, set, nowMs)),
    collisionCount,
    ...(set.status?.conditions ? { conditions: set.status.conditions } : {}),
    ...(currentReplicas > 0 ? { currentReplicas } : {}),
    currentRevision: current.metadata.name,
    observedGeneration: set.metadata.generation ?? 0,
    ...(readyReplicas > 0 ? { readyReplicas } : {}),
    replicas,
    updateRevision: updateRevision.metadata.name,
    ...(updatedReplicas > 0 ? { updatedReplicas } : {}),
  };
}

/** The update is over, and its revision the current one, when every wanted pod is of it and ready. */
function isComplete(
  { set }: StatefulInput,
  counts: { replicas: number; readyReplicas: number; updatedReplicas: number },
): boolean {
  const wanted = replicasOf(set);
  return (
    set.spec.updateStrategy?.type !== "OnDelete" &&
    counts.replicas === wanted &&
    counts.readyReplicas === wanted &&
    counts.updatedReplicas === wanted
  );
}

export function sameStatus(before: StatefulSetStatus | undefined, next: StatefulSetStatus): boolean {
  return before !== undefined && equalJson(before, next);
}
