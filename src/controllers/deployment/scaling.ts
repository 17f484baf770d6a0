// Pure: how many replicas each ReplicaSet of a Deployment gets next. Worked example of a rolling update: 4 replicas, surge 1,
// unavailable 1. The new set starts with 1 (5 in all); then one old goes (4, at least 3 available), the new grows to 2, and so on:
// never more than replicas + maxSurge wanted, never fewer than replicas − maxUnavailable available by our doing.
import type { Deployment, ReplicaSet } from "../../api/generated/types.ts";
import { fenceposts, isRollingUpdate } from "./fenceposts.ts";
import { desiredReplicasOf, maxReplicasOf } from "./revision.ts";
import { compareAge, oldestFirst } from "./template.ts";

type Set = Readonly<ReplicaSet>;

export interface Scale {
  readonly replicaSet: Set;
  readonly replicas: number;
}

export interface Rollout {
  readonly deployment: Readonly<Deployment>;
  readonly current: Set | undefined;
  readonly old: readonly Set[];
}

export const sizeOf = (set: Set): number => set.spec.replicas ?? 1;
const availableOf = (set: Set): number => set.status?.availableReplicas ?? 0;
const sum = (sets: readonly Set[], count: (set: Set) => number): number =>
  sets.reduce((total, set) => total + count(set), 0);
const wantedOf = (deployment: Readonly<Deployment>): number => deployment.spec.replicas ?? 1;
const allOf = ({ current, old }: Rollout): Set[] => (current ? [...old, current] : [...old]);

/** Kubernetes' NewRSNewReplicas: how large the current set may be now, never less than `size`, what it has already. */
export function roomForCurrent(deployment: Readonly<Deployment>, all: readonly Set[], size: number): number {
  const wanted = wantedOf(deployment);
  if (!isRollingUpdate(deployment)) return wanted;
  const most = wanted + fenceposts(deployment).maxSurge;
  const total = sum(all, sizeOf);
  return total >= most ? size : size + Math.min(most - total, wanted - size);
}

/** The next step of a rolling update; nothing where the step before must take effect first, or where it is done. */
export function planRollingUpdate(rollout: Rollout & { current: Set }): readonly Scale[] {
  const { deployment, current } = rollout;
  const size = sizeOf(current);
  const wanted = wantedOf(deployment);
  const next =
    size > wanted ? wanted : size === wanted ? size : roomForCurrent(deployment, allOf(rollout), size);
  if (next !== size) return [{ replicaSet: current, replicas: next }];
  return planOldReplicaSets(rollout);
}

function planOldReplicaSets(rollout: Rollout & { current: Set }): readonly Scale[] {
  const { deployment, current } = rollout;
  const old = oldestFirst(rollout.old.filter((set) => sizeOf(set) > 0));
  if (old.length === 0) return [];
  const fewest = wantedOf(deployment) - fenceposts(deployment).maxUnavailable;
  const notYetAvailable = sizeOf(current) - availableOf(current);
  const removable = sum(old, sizeOf) + sizeOf(current) - fewest - notYetAvailable;
  if (removable <= 0) return [];
  const sizes = new Map(old.map((set) => [set, sizeOf(set)]));
  // Pods that serve nobody go first: they would otherwise hold up a rollout that is there to replace them.
  take(sizes, removable, (set, size) => Math.max(0, size - availableOf(set)));
  take(sizes, sum([...old, current], availableOf) - fewest, (_set, size) => size);
  return [...sizes]
    .filter(([set, size]) => size !== sizeOf(set))
    .map(([replicaSet, replicas]) => ({ replicaSet, replicas }));
}

/** Takes up to `most` in all from the sizes, in their order, and from each up to `from`. */
function take(sizes: Map<Set, number>, most: number, from: (set: Set, size: number) => number): void {
  let left = most;
  for (const [set, size] of sizes) {
    const count = Math.min(left, from(set, size));
    if (count <= 0) continue;
    sizes.set(set, size - count);
    left -= count;
  }
}

/** Recreate: first everything old goes. */
export function planScaleDownAll(old: readonly Set[]): readonly Scale[] {
  return old.filter((set) => sizeOf(set) > 0).map((replicaSet) => ({ replicaSet, replicas: 0 }));
}

/** True when spec.replicas has changed since the sets were last sized. */
export function isScalingEvent({ deployment, current, old }: Rollout): boolean {
  return allOf({ deployment, current, old })
    .filter((set) => sizeOf(set) > 0)
    .some((set) => {
      const desired = desiredReplicasOf(set);
      return desired !== undefined && desired !== wantedOf(deployment);
    });
}

/** What a change of spec.replicas means for the sets, also while paused or in the middle of a rollout. */
export function planScale(rollout: Rollout): readonly Scale[] {
  const { deployment, current, old } = rollout;
  const wanted = wantedOf(deployment);
  const active = allOf(rollout).filter((set) => sizeOf(set) > 0);
  if (active.length <= 1) {
    const only = active[0] ?? current ?? oldestFirst(old).at(-1);
    return only && sizeOf(only) !== wanted ? [{ replicaSet: only, replicas: wanted }] : [];
  }
  if (current && isSaturated(current, wanted)) return planScaleDownAll(old);
  return isRollingUpdate(deployment) ? proportional(deployment, active) : [];
}

function isSaturated(current: Set, wanted: number): boolean {
  return (
    desiredReplicasOf(current) === wanted && sizeOf(current) === wanted && availableOf(current) === wanted
  );
}

/** Spreads the change over the active sets in proportion to their sizes; the largest gets what rounding left over. */
function proportional(deployment: Readonly<Deployment>, active: readonly Set[]): readonly Scale[] {
  const wanted = wantedOf(deployment);
  const allowed = wanted > 0 ? wanted + fenceposts(deployment).maxSurge : 0;
  const toAdd = allowed - sum(active, sizeOf);
  const growing = toAdd > 0;
  const bySize = [...active].sort(
    (a, b) => sizeOf(b) - sizeOf(a) || (growing ? compareAge(b, a) : compareAge(a, b)),
  );
  let added = 0;
  const sizes = bySize.map((set) => {
    const share = toAdd === added ? 0 : clamp(fractionOf(set, deployment), toAdd - added);
    added += share;
    return sizeOf(set) + share;
  });
  return bySize.map((replicaSet, index) => {
    const leftover = index === 0 ? toAdd - added : 0;
    return { replicaSet, replicas: Math.max(0, (sizes[index] ?? 0) + leftover) };
  });
}

const clamp = (share: number, left: number): number =>
  left > 0 ? Math.min(share, left) : Math.max(share, left);

function fractionOf(set: Set, deployment: Readonly<Deployment>): number {
  const wanted = wantedOf(deployment);
  if (wanted === 0) return -sizeOf(set);
  const mostBefore = maxReplicasOf(set) || (deployment.status?.replicas ?? 0);
  if (mostBefore === 0) return 0;
  const most = wanted + fenceposts(deployment).maxSurge;
  return Math.round((sizeOf(set) * most) / mostBefore) - sizeOf(set);
}

/** Old sets beyond revisionHistoryLimit, by revision; those that still have or want pods are kept. */
export function planHistory(
  { deployment, old }: Pick<Rollout, "deployment" | "old">,
  revisionOf: (set: Set) => number,
): readonly Set[] {
  const limit = deployment.spec.revisionHistoryLimit ?? 10;
  const alive = old.filter(({ metadata }) => metadata.deletionTimestamp === undefined);
  if (alive.length <= limit) return [];
  return [...alive]
    .sort((a, b) => revisionOf(a) - revisionOf(b) || compareAge(a, b))
    .slice(0, alive.length - limit)
    .filter(
      (set) =>
        sizeOf(set) === 0 &&
        (set.status?.replicas ?? 0) === 0 &&
        (set.metadata.generation ?? 0) <= (set.status?.observedGeneration ?? 0),
    );
}
