// Pure: whether lower priorities are made to leave for a pod that no node would do for, and where (defaultpreemption).
import type { ClusterView } from "../cluster-view.ts";
import type { Rejection } from "../filters/filter.ts";
import { countReasons } from "../fit-message.ts";
import type { NodeInfo } from "../node-info.ts";
import type { PodInfo } from "../pod-info.ts";
import { chooseVictims } from "./choose.ts";
import { type Victims, victimsOn } from "./victims.ts";

export type PreemptionPlan =
  | Victims
  | {
      readonly node?: undefined;
      /** Why not, in Kubernetes' words. */
      readonly why: string;
      /** True when the node that the pod had in mind will not do any more. */
      readonly withdraw: boolean;
    };

export interface RejectedNode {
  readonly node: NodeInfo;
  readonly rejection: Rejection;
}

export const PREEMPTED = "PreemptionByScheduler";

const NEVER = "not eligible due to preemptionPolicy=Never.";
const MAKING_WAY = "not eligible due to a terminating pod on the nominated node.";
const NOT_HELPFUL = "Preemption is not helpful for scheduling";
// Kubernetes looks at a tenth of the nodes, at least 100 (minCandidateNodesPercentage, minCandidateNodesAbsolute).
const ENOUGH_CANDIDATES = 100;

/** `random` gives a number in [0, 1): where to start looking. */
export function planPreemption(
  pod: PodInfo,
  rejected: readonly RejectedNode[],
  { cluster, random }: { cluster: ClusterView; random: () => number },
): PreemptionPlan {
  if (pod.pod.spec.preemptionPolicy === "Never") return { why: NEVER, withdraw: false };
  if (isMadeWayFor(pod, rejected, cluster)) return { why: MAKING_WAY, withdraw: false };
  const candidates: Victims[] = [];
  const reasons = new Map<NodeInfo, readonly string[]>();
  const open = rejected.filter(({ rejection }) => !rejection.final);
  const enough = Math.max(Math.floor(rejected.length / 10), ENOUGH_CANDIDATES);
  const start = open.length > enough ? Math.floor(random() * open.length) : 0;
  for (let i = 0; i < open.length && candidates.length < enough; i++) {
    const { node } = open[(start + i) % open.length] as RejectedNode;
    const victims = victimsOn(pod, node, cluster);
    if ("pods" in victims) candidates.push(victims);
    else reasons.set(node, victims.reasons);
  }
  const chosen = chooseVictims(candidates);
  if (chosen) return chosen;
  const all = rejected.flatMap(({ node }) => reasons.get(node) ?? [NOT_HELPFUL]);
  return {
    why: countReasons(rejected.length, all),
    withdraw: cluster.nominations.of(pod.uid) !== undefined,
  };
}

/** True while pods are leaving the node that this one has in mind, and the node would do once they have left. */
function isMadeWayFor(
  pod: PodInfo,
  rejected: readonly RejectedNode[],
  { nominations }: ClusterView,
): boolean {
  const nominated = nominations.of(pod.uid);
  const found = rejected.find(({ node }) => node.name === nominated);
  if (!found || found.rejection.final) return false;
  return [...found.node.pods.values()].some(
    (other) =>
      other.priority < pod.priority &&
      (nominations.awaits(pod.uid, other.uid) || (other.terminating && wasPreempted(other))),
  );
}

const wasPreempted = ({ pod }: PodInfo): boolean =>
  pod.status?.conditions?.some(
    ({ type, status, reason }) => type === "DisruptionTarget" && status === "True" && reason === PREEMPTED,
  ) ?? false;
