// Soft topology spread (podtopologyspread/scoring.go): of each constraint, the matching pods in the node's domain, weighted by
// the logarithm of the number of domains, so that a key with few domains (zones) does not outweigh one with many (hosts).
import type { ClusterView } from "../cluster-view.ts";
import type { NodeInfo } from "../node-info.ts";
import type { PodInfo } from "../pod-info.ts";
import {
  countMatching,
  defaultConstraints,
  type SpreadConstraint,
  spreadConstraints,
} from "../topology-spread.ts";
import { BEST, type Score } from "./score.ts";

export const topologySpreadScore: Score = {
  name: "PodTopologySpread",
  weight: 2,
  rate(pod, nodes, cluster) {
    const own = (pod.pod.spec.topologySpreadConstraints ?? []).length > 0;
    const constraints = own ? spreadConstraints(pod, "ScheduleAnyway") : defaultConstraints(pod, cluster);
    if (constraints.length === 0) return undefined;
    // A node without a key of the manifest's constraints is the last choice; the defaults take it as it is.
    const ignored = (node: NodeInfo) =>
      own && constraints.some(({ topologyKey }) => node.labels[topologyKey] === undefined);
    const amounts = new Array<number>(nodes.length).fill(0);
    for (const constraint of constraints) {
      const counts = domainCounts(constraint, nodes, pod, cluster);
      const weight = Math.log(counts.size + 2);
      nodes.forEach((node, i) => {
        const value = node.labels[constraint.topologyKey];
        if (value === undefined) return;
        amounts[i] = (amounts[i] ?? 0) + (counts.get(value) ?? 0) * weight + (constraint.maxSkew - 1);
      });
    }
    return spread(
      amounts.map((amount, i) => (ignored(nodes[i] as NodeInfo) ? undefined : Math.round(amount))),
    );
  },
};

/** Matching pods by domain, for the domains of the candidates; pods on nodes that are no candidates count as well. */
function domainCounts(
  { topologyKey, selector, counts }: SpreadConstraint,
  candidates: readonly NodeInfo[],
  pod: PodInfo,
  { nodes }: ClusterView,
): ReadonlyMap<string, number> {
  const found = new Map<string, number>();
  for (const { labels } of candidates) {
    const value = labels[topologyKey];
    if (value !== undefined) found.set(value, 0);
  }
  for (const node of nodes) {
    const value = node.labels[topologyKey];
    const before = value === undefined ? undefined : found.get(value);
    if (before === undefined || !counts(node)) continue;
    found.set(value as string, before + countMatching(node, pod.namespace, selector));
  }
  return found;
}

/** Fewest pods → 100, most → the least; undefined (a node without the key) → 0. */
function spread(amounts: readonly (number | undefined)[]): readonly number[] {
  const known = amounts.filter((amount) => amount !== undefined);
  const least = Math.min(...known);
  const most = Math.max(...known);
  return amounts.map((amount) => {
    if (amount === undefined) return 0;
    return most === 0 ? BEST : Math.floor((BEST * (most + least - amount)) / most);
  });
}
