// Pure: whether a pod can go to a node, as the node is and as it would be with some pods less or more.
import type { ClusterView } from "./cluster-view.ts";
import type { Check, Filter, Rejection } from "./filters/filter.ts";
import { filters } from "./filters/filters.ts";
import type { NodeInfo } from "./node-info.ts";
import { NO_NOMINATIONS } from "./nominations.ts";
import type { PodInfo } from "./pod-info.ts";

export interface Rejected {
  readonly filter: Filter;
  readonly rejection: Rejection;
}

export type Feasibility =
  | { readonly everywhere: Rejected }
  | { readonly everywhere?: undefined; readonly check: (node: NodeInfo) => Rejected | undefined };

/** All filters, ready to be asked for each node of `cluster`. The first that rejects a node is the one that counts. */
export function prepareFilters(pod: PodInfo, cluster: ClusterView): Feasibility {
  const checks: (readonly [Filter, Check])[] = [];
  for (const filter of filters) {
    const check = filter.prepare(pod, cluster);
    if (typeof check === "function") checks.push([filter, check]);
    else if (check) return { everywhere: { filter, rejection: check } };
  }
  return { check: (node) => firstRejection(checks, node) ?? besideNominated(pod, node, cluster) };
}

/** The same for one node, were it as `node` says. */
export function checkAs(pod: PodInfo, node: NodeInfo, cluster: ClusterView): Rejected | undefined {
  const { siblings, namespaceLabels, storage, nominations, budgets } = cluster;
  const nodes = cluster.nodes.map((one) => (one.name === node.name ? node : one));
  const feasibility = prepareFilters(pod, {
    nodes,
    siblings,
    namespaceLabels,
    storage,
    nominations,
    budgets,
  });
  return feasibility.everywhere ?? feasibility.check(node);
}

function firstRejection(checks: readonly (readonly [Filter, Check])[], node: NodeInfo): Rejected | undefined {
  for (const [filter, check] of checks) {
    const rejection = check(node);
    if (rejection) return { filter, rejection };
  }
  return undefined;
}

/** Whether the pod also fits in once those are there that others made way for; a higher priority need not heed them. */
function besideNominated(pod: PodInfo, node: NodeInfo, cluster: ClusterView): Rejected | undefined {
  const expected = cluster.nominations
    .on(node.name)
    .filter(({ uid, priority }) => uid !== pod.uid && priority >= pod.priority && !node.pods.has(uid));
  if (expected.length === 0) return undefined;
  const { siblings, namespaceLabels, storage, budgets } = cluster;
  const crowded = node.copy();
  for (const other of expected) crowded.add(other);
  return checkAs(pod, crowded, {
    nodes: cluster.nodes,
    siblings,
    namespaceLabels,
    storage,
    budgets,
    nominations: NO_NOMINATIONS,
  });
}
