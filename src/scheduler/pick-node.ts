// Pure: where a pod goes. Filters say where it can, scores say where it should, chance decides between equals.
import type { ClusterView } from "./cluster-view.ts";
import type { Check, Filter, Rejection } from "./filters/filter.ts";
import { filters } from "./filters/filters.ts";
import { fitMessage } from "./fit-message.ts";
import type { NodeInfo } from "./node-info.ts";
import type { PodInfo } from "./pod-info.ts";
import { scores } from "./scores/scores.ts";

export type Pick =
  | { readonly node: NodeInfo }
  | { readonly node?: undefined; readonly message: string; readonly rejectedBy: ReadonlySet<Filter> };

// In a large cluster a good node is good enough: Kubernetes stops filtering at this many feasible ones
// (numFeasibleNodesToFind: 50 % less one for each 125 nodes, at least 5 %, never fewer than 100).
const ENOUGH_NODES = 100;

/**
 * Picks a node for `pod`, or says in Kubernetes' words why none will do and which filters said so. `random` gives numbers in
 * [0, 1) and is asked only to decide between equals, and where to start looking in a cluster of more than 100 nodes.
 */
export function pickNode(pod: PodInfo, cluster: ClusterView, random: () => number): Pick {
  const checks: (readonly [Filter, Check])[] = [];
  for (const filter of filters) {
    const check = filter.prepare(pod, cluster);
    if (check) checks.push([filter, check]);
  }
  const { nodes } = cluster;
  const enough = nodesToFind(nodes.length);
  const start = enough < nodes.length ? Math.floor(random() * nodes.length) : 0;
  const feasible: NodeInfo[] = [];
  const rejections: Rejection[] = [];
  const rejectedBy = new Set<Filter>();
  for (let i = 0; i < nodes.length && feasible.length < enough; i++) {
    const node = nodes[(start + i) % nodes.length] as NodeInfo;
    const rejection = firstRejection(checks, node, rejectedBy);
    if (rejection) rejections.push(rejection);
    else feasible.push(node);
  }
  if (feasible.length > 0) return { node: bestOf(pod, feasible, { cluster, random }) };
  const message = fitMessage({ nodeCount: nodes.length, rejections }, pod.pod.spec.preemptionPolicy);
  return { message, rejectedBy };
}

function nodesToFind(count: number): number {
  if (count <= ENOUGH_NODES) return count;
  const percentage = Math.max(50 - Math.floor(count / 125), 5);
  return Math.max(Math.floor((count * percentage) / 100), ENOUGH_NODES);
}

function firstRejection(
  checks: readonly (readonly [Filter, Check])[],
  node: NodeInfo,
  rejectedBy: Set<Filter>,
): Rejection | undefined {
  for (const [filter, check] of checks) {
    const rejection = check(node);
    if (!rejection) continue;
    rejectedBy.add(filter);
    return rejection;
  }
  return undefined;
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
