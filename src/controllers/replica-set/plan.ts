// Pure: what must change so that exactly `spec.replicas` active pods exist, and what the status then says.
import type { Pod, PodTemplateSpec, ReplicaSetCondition } from "../../api/generated/types.ts";
import { controllerReference, type Draft } from "../../api/object.ts";
import { isPodOver, podCondition } from "../../api/pod-status.ts";
import { apiVersionOf } from "../../api/resource.ts";
import { timestamp } from "../../base/clock.ts";
import type { Flavour, ReplicaOwner, ReplicaStatus } from "./flavour.ts";
import { leastUsefulFirst, type RankingContext } from "./ranking.ts";

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

/** Counts towards the replicas: neither finished nor on its way out. */
export function isActive(pod: Readonly<Pod>): boolean {
  return !isPodOver(pod) && pod.metadata.deletionTimestamp === undefined;
}

/** The pod that a template describes, owned by `owner`; the server completes its name. */
export function podFromTemplate(
  owner: ReplicaOwner,
  { resource }: Pick<Flavour, "resource">,
  template: PodTemplateSpec,
): Draft<Pod> {
  const { labels, annotations, finalizers } = template.metadata ?? {};
  return {
    metadata: {
      // generateName's limit: the server cuts at 58 and adds five characters.
      generateName: `${owner.metadata.name}-`,
      ...(owner.metadata.namespace ? { namespace: owner.metadata.namespace } : {}),
      ...(labels ? { labels: { ...labels } } : {}),
      ...(annotations ? { annotations: { ...annotations } } : {}),
      ...(finalizers ? { finalizers: [...finalizers] } : {}),
      ownerReferences: [controllerReference(owner, apiVersionOf(resource), resource.kind)],
    },
    ...(template.spec ? { spec: template.spec } : {}),
  };
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

/** When the pod became ready, in ms since the epoch, or undefined while it is not. */
function readySince(pod: Readonly<Pod>): number | undefined {
  const ready = podCondition(pod, "Ready");
  return ready?.status === "True" ? Date.parse(ready.lastTransitionTime ?? "") || 0 : undefined;
}

/** 0: available now; else how many ms until it is, and Infinity while it is not ready. */
export function availableIn(pod: Readonly<Pod>, minReadyMs: number, nowMs: number): number {
  const since = readySince(pod);
  if (since === undefined) return Number.POSITIVE_INFINITY;
  return minReadyMs === 0 ? 0 : Math.max(0, since + minReadyMs - nowMs);
}

/** How long until the next ready pod becomes available, or undefined where none is waiting. */
export function nextAvailability(
  owner: ReplicaOwner,
  active: readonly Readonly<Pod>[],
  nowMs: number,
): number | undefined {
  const minReadyMs = (owner.spec.minReadySeconds ?? 0) * 1000;
  const waits = active
    .map((pod) => availableIn(pod, minReadyMs, nowMs))
    .filter((ms) => ms > 0 && Number.isFinite(ms));
  return waits.length > 0 ? Math.min(...waits) : undefined;
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

/**
 * Calls `start(count)` with 1, 2, 4 … until `total` were started; stops after a round with failures, so that a hopeless template
 * (quota, a broken webhook) costs one refused request and not five hundred. Resolves to the errors.
 */
export async function slowStart(total: number, start: () => Promise<void>): Promise<unknown[]> {
  let left = total;
  for (let size = 1; left > 0; size *= 2) {
    const round = Math.min(size, left);
    const results = await Promise.allSettled(Array.from({ length: round }, start));
    const errors = results.flatMap((result) => (result.status === "rejected" ? [result.reason] : []));
    if (errors.length > 0) return errors;
    left -= round;
  }
  return [];
}
