// Pure: where a pod goes. Filters say where it can, scores say where it should, chance decides between equals. Where it can go
// nowhere: why, and whether others make way for it.
import type { ClusterView } from "./cluster-view.ts";
import { prepareFilters, type Rejected } from "./feasibility.ts";
import type { Filter } from "./filters/filter.ts";
import { fitMessage } from "./fit-message.ts";
import type { NodeInfo } from "./node-info.ts";
import type { PodInfo } from "./pod-info.ts";
import { type PreemptionPlan, planPreemption, type RejectedNode } from "./preemption/plan.ts";
import { scores } from "./scores/scores.ts";

export type Pick =
  | { readonly node: NodeInfo }
  | {
      readonly node?: undefined;
      readonly message: string;
      readonly rejectedBy: ReadonlySet<Filter>;
      readonly preemption: PreemptionPlan;
    };

// In a large cluster a good node is good enough: Kubernetes stops filtering at this many feasible ones
// (numFeasibleNodesToFind: 50 % less one for each 125 nodes, at least 5 %, never fewer than 100).
const ENOUGH_NODES = 100;

/**
 * Picks a node for `pod`, or says in Kubernetes' words why none will do and which filters said so. `random` gives numbers in
 * [0, 1) and is asked only to decide between equals, and where to start looking in a cluster of more than 100 nodes.
 */
export function pickNode(pod: PodInfo, cluster: ClusterView, random: () => number): Pick {
  const { nodes } = cluster;
  const chance = { cluster, random };
  const feasibility = prepareFilters(pod, cluster);
  if (feasibility.everywhere) {
    const { rejection } = feasibility.everywhere;
    const rejected = nodes.map((node) => ({ node, rejection, filter: feasibility.everywhere.filter }));
    return nowhere(pod, rejected, { ...chance, everywhere: rejection.reasons.join(", ") });
  }
  const { check } = feasibility;
  // Others have made way for it there.
  const nominated = cluster.nominations.of(pod.uid);
  const intended = nominated && nodes.find(({ name }) => name === nominated);
  if (intended && !check(intended)) return { node: intended };
  const enough = nodesToFind(nodes.length);
  const start = enough < nodes.length ? Math.floor(random() * nodes.length) : 0;
  const feasible: NodeInfo[] = [];
  const rejected: (RejectedNode & Rejected)[] = [];
  for (let i = 0; i < nodes.length && feasible.length < enough; i++) {
    const node = nodes[(start + i) % nodes.length] as NodeInfo;
    const found = check(node);
    if (found) rejected.push({ node, ...found });
    else feasible.push(node);
  }
  if (feasible.length > 0) return { node: bestOf(pod, feasible, chance) };
  return nowhere(pod, rejected, chance);
}

function nowhere(
  pod: PodInfo,
  rejected: readonly (RejectedNode & Rejected)[],
  { everywhere, ...chance }: { cluster: ClusterView; random: () => number; everywhere?: string },
): Pick {
  const preemption = planPreemption(pod, rejected, chance);
  const reasons = rejected.flatMap(({ rejection }) => rejection.reasons);
  const message = fitMessage(
    { nodeCount: rejected.length, reasons, ...(everywhere ? { everywhere } : {}) },
    preemption.node ? undefined : preemption.why,
  );
  return { message, rejectedBy: new Set(rejected.map(({ filter }) => filter)), preemption };
}

function nodesToFind(count: number): number {
  if (count <= ENOUGH_NODES) return count;
  const percentage = Math.max(50 - Math.floor(count / 125), 5);
  return Math.max(Math.floor((count * percentage) / 100), ENOUGH_NODES);
}

function bestOf(
  pod: PodInfo,
  nodes: readonly NodeInfo[],
  { cluster, random }: { cluster: ClusterView; random: () => number },
): NodeInfo {
  if (nodes.length === 1) return nodes[0] as NodeInfo;
  const totals = new Array<number>(nodes.length).fill(0);
  for (const { weight, rate } of scores)
    rate(pod, nodes, cluster)?.forEach((rating, i) => {
      totals[i] = (totals[i] as number) + weight * rating;
    });
  const most = Math.max(...totals);
  const best = nodes.filter((_, i) => totals[i] === most);
  return best[Math.min(Math.floor(random() * best.length), best.length - 1)] as NodeInfo;
}
