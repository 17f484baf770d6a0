// Preferred pod affinity, seen from both sides (interpodaffinity/scoring.go): what the new pod wishes of those that run, and
// what those wish of it. Each match adds its weight to the topology pair where it was found; a node's score is the sum of its pairs.
import type { ClusterView } from "../cluster-view.ts";
import type { NodeInfo } from "../node-info.ts";
import type { AffinityTerm, PodInfo } from "../pod-info.ts";
import { BEST, type Score } from "./score.ts";

type Tally = Map<string, Map<string, number>>;

export const podPreference: Score = {
  name: "InterPodAffinity",
  weight: 2,
  rate(pod, nodes, cluster) {
    const tally = tallyWishes(pod, cluster);
    if (tally.size === 0) return undefined;
    const sums = nodes.map((node) => {
      let sum = 0;
      for (const [key, values] of tally) sum += values.get(node.labels[key] ?? "") ?? 0;
      return sum;
    });
    const least = Math.min(...sums);
    const span = Math.max(...sums) - least;
    return sums.map((sum) => (span > 0 ? Math.floor((BEST * (sum - least)) / span) : 0));
  },
};

function tallyWishes(pod: PodInfo, { nodes, namespaceLabels }: ClusterView): Tally {
  const tally: Tally = new Map();
  const wishes = pod.preferredAffinity.length > 0 || pod.preferredAntiAffinity.length > 0;
  for (const node of nodes) {
    const count = (asking: PodInfo, asked: PodInfo, terms: readonly AffinityTerm[], sign: 1 | -1) => {
      if (asking.uid === asked.uid) return;
      for (const term of terms)
        if (term.matches(asked, namespaceLabels)) addTo(tally, node, term.topologyKey, sign * term.weight);
    };
    for (const other of wishes ? node.pods.values() : []) {
      count(pod, other, pod.preferredAffinity, 1);
      count(pod, other, pod.preferredAntiAffinity, -1);
    }
    for (const other of node.withAffinity) {
      count(other, pod, other.requiredAffinity, 1);
      count(other, pod, other.preferredAffinity, 1);
      count(other, pod, other.preferredAntiAffinity, -1);
    }
  }
  return tally;
}

function addTo(tally: Tally, node: NodeInfo, key: string, weight: number): void {
  const value = node.labels[key];
  if (value === undefined) return;
  const values = tally.get(key) ?? new Map<string, number>();
  tally.set(key, values.set(value, (values.get(value) ?? 0) + weight));
}
