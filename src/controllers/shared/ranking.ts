// Which pods go first when there are too many: Kubernetes' ActivePodsWithRanks, from least to most useful.
import type { Pod } from "../../api/generated/types.ts";

const DELETION_COST = "controller.kubernetes.io/pod-deletion-cost";
const PHASES: Readonly<Record<string, number>> = { Pending: 0, Unknown: 1, Running: 2 };

export interface RankingContext {
  readonly nowMs: number;
  /** How many pods of the same workload run on that node: doubled-up ones go first. */
  podsOnNode(node: string): number;
}

/** A copy of `pods`, the one that is missed least first. */
export function leastUsefulFirst(
  pods: readonly Readonly<Pod>[],
  { nowMs, podsOnNode }: RankingContext,
): Readonly<Pod>[] {
  const ranked = pods.map((pod) => ({ pod, rank: rankOf(pod, { nowMs, podsOnNode }) }));
  return ranked.sort((a, b) => compareRanks(a.rank, b.rank)).map(({ pod }) => pod);
}

interface Rank {
  /** Smaller goes first, compared in order. */
  readonly first: readonly number[];
  /** Magnitude of the time since it became ready, and since it was made: pods of about one age are told apart by uid. */
  readonly readyAge: number;
  readonly restarts: number;
  readonly age: number;
  readonly uid: string;
}

function rankOf(pod: Readonly<Pod>, { nowMs, podsOnNode }: RankingContext): Rank {
  const ready = pod.status?.conditions?.find(({ type }) => type === "Ready");
  const isReady = ready?.status === "True";
  const node = pod.spec.nodeName ?? "";
  const since = (time: string | undefined) => magnitude(nowMs - Date.parse(time ?? ""));
  return {
    first: [
      node === "" ? 0 : 1,
      PHASES[pod.status?.phase ?? "Pending"] ?? 1,
      isReady ? 1 : 0,
      deletionCost(pod),
      -podsOnNode(node),
    ],
    readyAge: isReady ? since(ready.lastTransitionTime) : 0,
    restarts: Math.max(0, ...(pod.status?.containerStatuses ?? []).map((status) => status.restartCount)),
    age: since(pod.metadata.creationTimestamp),
    uid: pod.metadata.uid,
  };
}

function compareRanks(a: Rank, b: Rank): number {
  for (const [index, value] of a.first.entries()) {
    const difference = value - (b.first[index] ?? 0);
    if (difference !== 0) return difference;
  }
  return (
    a.readyAge - b.readyAge ||
    b.restarts - a.restarts ||
    a.age - b.age ||
    (a.uid < b.uid ? -1 : a.uid > b.uid ? 1 : 0)
  );
}

/** Kubernetes' logarithmic scale-down: ages within one power of two count as equal, so that not always the newest node loses. */
function magnitude(ageMs: number): number {
  return ageMs > 0 ? Math.floor(Math.log2(ageMs * 1e6)) : -1;
}

function deletionCost(pod: Readonly<Pod>): number {
  const text = pod.metadata.annotations?.[DELETION_COST] ?? "";
  return /^[+-]?\d+$/.test(text) ? Number(text) : 0;
}
