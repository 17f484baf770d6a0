// Hard topology spread (podtopologyspread/filtering.go). Worked example: maxSkew 1 over zones a (2 matching pods), b (1), c (1):
// the least is 1; a pod that matches itself would make a 3 − 1 = 2 > 1, so only b and c will do.
import type { ClusterView } from "../cluster-view.ts";
import type { PodInfo } from "../pod-info.ts";
import { countMatching, type SpreadConstraint, spreadConstraints } from "../topology-spread.ts";
import { type Filter, reject, rejectFinally } from "./filter.ts";

const REASON = "node(s) didn't match pod topology spread constraints";
const SKEWED = reject(REASON);
const UNLABELLED = rejectFinally(`${REASON} (missing required label)`);

export const topologySpread: Filter = {
  name: "PodTopologySpread",
  helpedBy: new Set(["node-added", "node-changed", "pod-added", "pod-changed", "pod-removed"]),
  prepare(pod, cluster) {
    const constraints = spreadConstraints(pod, "DoNotSchedule");
    if (constraints.length === 0) return undefined;
    const counted = constraints.map((constraint) => {
      const counts = countDomains(constraint, constraints, pod, cluster);
      const least = counts.size < constraint.minDomains ? 0 : Math.min(...counts.values());
      return { constraint, counts, least, self: constraint.selector(pod.labels) ? 1 : 0 };
    });
    return (node) => {
      for (const { constraint, counts, least, self } of counted) {
        const value = node.labels[constraint.topologyKey];
        if (value === undefined) return UNLABELLED;
        if ((counts.get(value) ?? 0) + self - least > constraint.maxSkew) return SKEWED;
      }
      return undefined;
    };
  },
};

/** Matching pods by value of the topology key, over the nodes that have all of the pod's topology keys. */
function countDomains(
  constraint: SpreadConstraint,
  all: readonly SpreadConstraint[],
  pod: PodInfo,
  { nodes }: ClusterView,
): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const node of nodes) {
    const value = node.labels[constraint.topologyKey];
    if (value === undefined || !constraint.counts(node)) continue;
    if (!all.every(({ topologyKey }) => node.labels[topologyKey] !== undefined)) continue;
    counts.set(value, (counts.get(value) ?? 0) + countMatching(node, pod.namespace, constraint.selector));
  }
  return counts;
}
