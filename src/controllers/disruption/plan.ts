// How many of its pods a PodDisruptionBudget lets go right now. Example: 4 pods wanted, all ready, minAvailable 75 %: 3 must stay healthy and
// 1 may be evicted. That one then stands in disruptedPods and counts as gone until it is, or until it should long have been.
import { disruptionConditions } from "../../api/budget-status.ts";
import type {
  Pod,
  PodDisruptionBudget,
  PodDisruptionBudgetSpec,
  PodDisruptionBudgetStatus,
} from "../../api/generated/types.ts";
import { isPodReady } from "../../api/pod-status.ts";

export interface BudgetInput {
  readonly budget: Readonly<PodDisruptionBudget>;
  /** Those that it selects. */
  readonly pods: readonly Readonly<Pod>[];
  /** How many pods their controllers want together; asked for where `countsScale`. */
  readonly scale: number;
  readonly nowMs: number;
  /** So long after its eviction a pod is expected to be on its way out. */
  readonly deletionMs: number;
}

export interface BudgetPlan {
  readonly status: PodDisruptionBudgetStatus;
  /** Evicted, and not deleted in time: they count again. */
  readonly notDeleted: readonly Readonly<Pod>[];
  readonly recheckAfterMs: number | undefined;
}

/** True when the budget is a share of what the pods' controllers want, and not of the pods that there are. */
export const countsScale = ({ maxUnavailable, minAvailable }: PodDisruptionBudgetSpec): boolean =>
  maxUnavailable !== undefined || typeof minAvailable === "string";

export function planBudget(input: BudgetInput): BudgetPlan {
  const { budget, pods, nowMs } = input;
  const { disruptedPods, notDeleted, recheckAfterMs } = planDisrupted(input);
  const currentHealthy = pods.filter(
    (pod) =>
      !pod.metadata.deletionTimestamp && !Object.hasOwn(disruptedPods, pod.metadata.name) && isPodReady(pod),
  ).length;
  const { expectedPods, desiredHealthy } = wanted(input);
  // A budget that has no pods yet allows nothing: its first ones may appear before it is counted again.
  const disruptionsAllowed = expectedPods > 0 ? Math.max(currentHealthy - desiredHealthy, 0) : 0;
  const status: PodDisruptionBudgetStatus = {
    currentHealthy,
    desiredHealthy,
    disruptionsAllowed,
    expectedPods,
    observedGeneration: budget.metadata.generation ?? 0,
    ...(Object.keys(disruptedPods).length > 0 ? { disruptedPods } : {}),
    conditions: budget.status?.conditions ?? [],
  };
  status.conditions = disruptionConditions(status, nowMs);
  return { status, notDeleted, recheckAfterMs };
}

function wanted({ budget: { spec = {} }, pods, scale }: BudgetInput): {
  expectedPods: number;
  desiredHealthy: number;
} {
  const { maxUnavailable, minAvailable } = spec;
  if (maxUnavailable !== undefined)
    return { expectedPods: scale, desiredHealthy: Math.max(scale - shareOf(maxUnavailable, scale), 0) };
  if (typeof minAvailable === "number") return { expectedPods: pods.length, desiredHealthy: minAvailable };
  if (minAvailable === undefined) return { expectedPods: 0, desiredHealthy: 0 };
  return { expectedPods: scale, desiredHealthy: shareOf(minAvailable, scale) };
}

/** Both ways a share is rounded up, as Kubernetes has it: 50 % of 3 keeps 2, and lets 2 go. */
const shareOf = (value: number | string, total: number): number =>
  typeof value === "number" ? value : Math.ceil((Number.parseInt(value, 10) * total) / 100);

function planDisrupted({ budget, pods, nowMs, deletionMs }: BudgetInput) {
  const before = budget.status?.disruptedPods ?? {};
  const disruptedPods: Record<string, string> = {};
  const notDeleted: Readonly<Pod>[] = [];
  let recheckAfterMs: number | undefined;
  for (const pod of pods) {
    const { name, deletionTimestamp } = pod.metadata;
    const evictedAt = Object.hasOwn(before, name) ? before[name] : undefined;
    if (deletionTimestamp || evictedAt === undefined) continue;
    const leftMs = Date.parse(evictedAt) + deletionMs - nowMs;
    if (leftMs <= 0) {
      notDeleted.push(pod);
      continue;
    }
    disruptedPods[name] = evictedAt;
    recheckAfterMs = Math.min(recheckAfterMs ?? Number.POSITIVE_INFINITY, leftMs);
  }
  return { disruptedPods, notDeleted, recheckAfterMs };
}

/**
 * How long until a pod that was marked as about to be disrupted, and is still there, is marked as not so (0: now); undefined
 * where there is no such mark. What the node's own agent has marked stays.
 */
export function staleMarkIn(pod: Readonly<Pod>, staleMs: number, nowMs: number): number | undefined {
  if (pod.metadata.deletionTimestamp || pod.status?.phase === "Succeeded" || pod.status?.phase === "Failed")
    return undefined;
  const mark = pod.status?.conditions?.find(({ type }) => type === "DisruptionTarget");
  if (mark?.status !== "True" || mark.reason === "TerminationByKubelet") return undefined;
  return Math.max(0, (Date.parse(mark.lastTransitionTime ?? "") || 0) + staleMs - nowMs);
}
