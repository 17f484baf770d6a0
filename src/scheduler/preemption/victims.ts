// Pure: who would have to leave a node so that a pod of higher priority can go there (defaultpreemption's dry run). All lower
// priorities are taken off; then, the most important first, each comes back that leaves room enough.
import type { PodDisruptionBudget } from "../../api/generated/types.ts";
import { type LabelMatcher, labelMatcher } from "../../api/selectors.ts";
import type { ClusterView } from "../cluster-view.ts";
import { checkAs } from "../feasibility.ts";
import { type Rejection, rejectFinally } from "../filters/filter.ts";
import type { NodeInfo } from "../node-info.ts";
import type { PodInfo } from "../pod-info.ts";

export interface Victims {
  readonly node: NodeInfo;
  /** The most important first among those whose budgets would be violated, then the others. */
  readonly pods: readonly PodInfo[];
  /** How many of them their disruption budgets do not let go. */
  readonly violations: number;
}

const NO_VICTIMS = rejectFinally("No preemption victims found for incoming pod");

/** The fewest victims on the node, or why it would not do even without all lower priorities. */
export function victimsOn(pod: PodInfo, node: NodeInfo, cluster: ClusterView): Victims | Rejection {
  const lower = [...node.pods.values()].filter(({ priority }) => priority < pod.priority);
  if (lower.length === 0) return NO_VICTIMS;
  const left = node.copy();
  for (const { uid } of lower) left.remove(uid);
  const rejected = checkAs(pod, left, cluster);
  if (rejected) return rejected.rejection;
  const { guarded, free } = splitByBudgets(lower.sort(byImportance), cluster);
  const mustGo = (one: PodInfo) => {
    left.add(one);
    if (!checkAs(pod, left, cluster)) return false;
    left.remove(one.uid);
    return true;
  };
  const violating = guarded.filter(mustGo);
  return { node, pods: [...violating, ...free.filter(mustGo)], violations: violating.length };
}

/** Higher priority first, and among equals who has been running longer. */
export function byImportance(a: PodInfo, b: PodInfo): number {
  if (a.priority !== b.priority) return b.priority - a.priority;
  const [left, right] = [startedAt(a), startedAt(b)];
  return left < right ? -1 : left > right ? 1 : 0;
}

/** As text, which sorts as the time does; one that has not started comes after all others. */
export const startedAt = ({ pod }: PodInfo): string => pod.status?.startTime ?? "~";

/** Counts each budget down by the pods it is for, in their order: those beyond what it allows are guarded. */
function splitByBudgets(
  pods: readonly PodInfo[],
  { budgets }: ClusterView,
): { guarded: readonly PodInfo[]; free: readonly PodInfo[] } {
  const allowed = new Map<string, number>();
  const guarded: PodInfo[] = [];
  const free: PodInfo[] = [];
  for (const pod of pods) {
    let isGuarded = false;
    for (const budget of budgets(pod.namespace)) {
      const { name, uid } = budget.metadata;
      if (!matcherOf(budget)(pod.labels)) continue;
      // Its going has been counted already.
      if (budget.status?.disruptedPods?.[pod.pod.metadata.name] !== undefined) continue;
      const key = uid ?? name;
      const left = (allowed.get(key) ?? budget.status?.disruptionsAllowed ?? 0) - 1;
      allowed.set(key, left);
      if (left < 0) isGuarded = true;
    }
    (isGuarded ? guarded : free).push(pod);
  }
  return { guarded, free };
}

const NOBODY: LabelMatcher = () => false;

/** Unlike the disruption controller, preemption reads an empty selector as one for no pod, as Kubernetes' scheduler does. */
function matcherOf({ spec }: Readonly<PodDisruptionBudget>): LabelMatcher {
  const { matchLabels = {}, matchExpressions = [] } = spec?.selector ?? {};
  const isEmpty = Object.keys(matchLabels).length === 0 && matchExpressions.length === 0;
  return isEmpty ? NOBODY : labelMatcher(spec?.selector);
}
