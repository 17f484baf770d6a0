// Pure: what must change so that exactly `spec.replicas` active pods exist, and what the status then says.
import type { Pod, ReplicaSetCondition } from "../../api/generated/types.ts";
import { timestamp } from "../../base/clock.ts";
import { availableIn, readySince } from "../shared/pod-availability.ts";
import { leastUsefulFirst, type RankingContext } from "../shared/ranking.ts";
import type { ReplicaOwner, ReplicaStatus } from "./flavour.ts";

/** The next pass creates or deletes the rest (Kubernetes' BurstReplicas). */
export const BURST = 500;

export interface ReplicaPlan {
  readonly create: number;
  readonly remove: readonly Readonly<Pod>[];
}

/** How many pods to create, or which to delete. `active` are the owner's own pods that count. */
export function planReplicas(
  owner: ReplicaOwner,
  active: readonly Readonly<Pod>[],
  ranking: RankingContext,
): ReplicaPlan {
  if (owner.metadata.deletionTimestamp) return { create: 0, remove: [] };
  const missing = (owner.spec.replicas ?? 1) - active.length;
  if (missing >= 0) return { create: Math.min(missing, BURST), remove: [] };
  return { create: 0, remove: leastUsefulFirst(active, ranking).slice(0, Math.min(-missing, BURST)) };
}

/** What went wrong while pods were created or deleted, if anything did. */
export interface ReplicaFailure {
  readonly reason: "FailedCreate" | "FailedDelete";
  readonly message: string;
}

/** The status of `owner` with these active pods; counts of zero are left out, as Kubernetes writes them. */
export function replicaStatus(
  owner: ReplicaOwner,
  active: readonly Readonly<Pod>[],
  { failure, nowMs }: { failure?: ReplicaFailure | undefined; nowMs: number },
): ReplicaStatus {
  const wanted = Object.entries(owner.spec.template?.metadata?.labels ?? {});
  const minReadyMs = (owner.spec.minReadySeconds ?? 0) * 1000;
  const labeled = active.filter((pod) =>
    wanted.every(([key, value]) => pod.metadata.labels?.[key] === value),
  ).length;
  const ready = active.filter((pod) => readySince(pod) !== undefined).length;
  const available = active.filter((pod) => availableIn(pod, minReadyMs, nowMs) === 0).length;
  const conditions = failureCondition(owner.status?.conditions ?? [], failure, nowMs);
  return {
    ...(available > 0 ? { availableReplicas: available } : {}),
    ...(conditions.length > 0 ? { conditions } : {}),
    ...(labeled > 0 ? { fullyLabeledReplicas: labeled } : {}),
    observedGeneration: owner.metadata.generation ?? 0,
    ...(ready > 0 ? { readyReplicas: ready } : {}),
    replicas: active.length,
  };
}

function failureCondition(
  conditions: readonly ReplicaSetCondition[],
  failure: ReplicaFailure | undefined,
  nowMs: number,
): ReplicaSetCondition[] {
  const others = conditions.filter(({ type }) => type !== "ReplicaFailure");
  if (!failure) return others;
  const before = conditions.find(({ type }) => type === "ReplicaFailure");
  if (before) return [...others, before];
  const { reason, message } = failure;
  return [
    ...others,
    { type: "ReplicaFailure", status: "True", lastTransitionTime: timestamp(nowMs), reason, message },
  ];
}

/** True where writing `next` would change nothing. */
export function sameStatus(before: ReplicaStatus | undefined, next: ReplicaStatus): boolean {
  const conditions = (status: ReplicaStatus | undefined) => JSON.stringify(status?.conditions ?? []);
  return (
    before !== undefined &&
    (before.replicas ?? 0) === next.replicas &&
    (before.fullyLabeledReplicas ?? 0) === (next.fullyLabeledReplicas ?? 0) &&
    (before.readyReplicas ?? 0) === (next.readyReplicas ?? 0) &&
    (before.availableReplicas ?? 0) === (next.availableReplicas ?? 0) &&
    (before.observedGeneration ?? 0) === next.observedGeneration &&
    conditions(before) === conditions(next)
  );
}
