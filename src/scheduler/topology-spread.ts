// What the filter and the score of topology spread share: a pod's constraints, ready to be asked, and the counting.
import type { TopologySpreadConstraint } from "../api/generated/types.ts";
import { HOSTNAME } from "../api/names.ts";
import { requiredNodes } from "../api/node-selector.ts";
import { type LabelMatcher, labelMatcher } from "../api/selectors.ts";
import { tolerates } from "../api/taints.ts";
import type { ClusterView } from "./cluster-view.ts";
import type { NodeInfo } from "./node-info.ts";
import type { PodInfo } from "./pod-info.ts";

export interface SpreadConstraint {
  readonly topologyKey: string;
  readonly maxSkew: number;
  readonly minDomains: number;
  readonly selector: LabelMatcher;
  /** True when pods on this node count and it may be chosen (nodeAffinityPolicy, nodeTaintsPolicy). */
  counts(node: NodeInfo): boolean;
}

/** The constraints of the pod with that `whenUnsatisfiable`. */
export function spreadConstraints(
  info: PodInfo,
  when: "DoNotSchedule" | "ScheduleAnyway",
): readonly SpreadConstraint[] {
  return (info.pod.spec.topologySpreadConstraints ?? [])
    .filter((constraint) => constraint.whenUnsatisfiable === when)
    .map((constraint) => prepareConstraint(constraint, info));
}

function prepareConstraint(constraint: TopologySpreadConstraint, info: PodInfo): SpreadConstraint {
  const { pod, labels } = info;
  const selected = labelMatcher(constraint.labelSelector);
  const keys = (constraint.matchLabelKeys ?? []).filter((key) => key in labels);
  const affinity = (constraint.nodeAffinityPolicy ?? "Honor") === "Honor" ? requiredNodes(pod) : undefined;
  const honorTaints = constraint.nodeTaintsPolicy === "Honor";
  return {
    topologyKey: constraint.topologyKey,
    maxSkew: constraint.maxSkew,
    minDomains: constraint.minDomains ?? 1,
    selector: (others) => selected(others) && keys.every((key) => others?.[key] === labels[key]),
    counts: ({ node }) =>
      node !== undefined &&
      (!affinity || affinity(node)) &&
      (!honorTaints ||
        (node.spec?.taints ?? []).every(
          (taint) => taint.effect === "PreferNoSchedule" || tolerates(pod.spec.tolerations, taint),
        )),
  };
}

/**
 * Kubernetes' system defaults, for pods without constraints of their own: spread those of the same Services and owner over
 * hosts (skew 3) and zones (skew 5), softly. This is what puts the replicas of a plain Deployment on different nodes.
 */
export function defaultConstraints(info: PodInfo, cluster: ClusterView): readonly SpreadConstraint[] {
  const selector = cluster.siblings(info);
  if (!selector) return [];
  return [
    { topologyKey: HOSTNAME, maxSkew: 3, minDomains: 1, selector, counts: () => true },
    { topologyKey: "topology.kubernetes.io/zone", maxSkew: 5, minDomains: 1, selector, counts: () => true },
  ];
}

/** How many pods on the node the constraint means; those on their way out do not count. */
export function countMatching(node: NodeInfo, namespace: string, selector: LabelMatcher): number {
  let count = 0;
  for (const pod of node.pods.values())
    if (!pod.terminating && pod.namespace === namespace && selector(pod.labels)) count++;
  return count;
}
