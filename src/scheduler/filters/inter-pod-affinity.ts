// Required pod affinity and anti-affinity, of the new pod and of those that already run (interpodaffinity/filtering.go).
// All three are counts of matching pods by topology pair (`zone` = `a`), made once for the pod and looked up for each node.
import type { ClusterView } from "../cluster-view.ts";
import type { NodeInfo } from "../node-info.ts";
import type { AffinityTerm, PodInfo } from "../pod-info.ts";
import { type Filter, reject, rejectFinally } from "./filter.ts";

const AFFINITY = rejectFinally("node(s) didn't match pod affinity rules");
const ANTI_AFFINITY = reject("node(s) didn't match pod anti-affinity rules");
const EXISTING_ANTI_AFFINITY = reject("node(s) didn't satisfy existing pods anti-affinity rules");

export const interPodAffinity: Filter = {
  name: "InterPodAffinity",
  helpedBy: new Set(["node-added", "node-changed", "pod-added", "pod-changed", "pod-removed"]),
  prepare(pod, cluster) {
    const existing = existingAntiAffinity(pod, cluster);
    const own = pod.requiredAntiAffinity.map((term) => domainsOf(term, [term], pod, cluster));
    const wanted = pod.requiredAffinity.map((term) => domainsOf(term, pod.requiredAffinity, pod, cluster));
    if (existing.size === 0 && own.length === 0 && wanted.length === 0) return undefined;
    // The first pod of a group that wants to be near itself must be able to start somewhere.
    const first =
      wanted.every((domains) => domains.size === 0) &&
      pod.requiredAffinity.every((term) => term.matches(pod, cluster.namespaceLabels));
    const meetsAffinity = (node: NodeInfo) =>
      pod.requiredAffinity.every(
        (term, i) =>
          node.labels[term.topologyKey] !== undefined && (first || isIn(wanted[i], term.topologyKey, node)),
      );
    return (node) => {
      if (!meetsAffinity(node)) return AFFINITY;
      if (pod.requiredAntiAffinity.some((term, i) => isIn(own[i], term.topologyKey, node)))
        return ANTI_AFFINITY;
      for (const [key, domains] of existing) if (isIn(domains, key, node)) return EXISTING_ANTI_AFFINITY;
      return undefined;
    };
  },
};

const isIn = (domains: ReadonlySet<string> | undefined, key: string, node: NodeInfo): boolean =>
  node.labels[key] !== undefined && domains?.has(node.labels[key]) === true;

/** The values of the term's topology key where a pod runs that all of `together` mean. */
function domainsOf(
  { topologyKey }: AffinityTerm,
  together: readonly AffinityTerm[],
  incoming: PodInfo,
  { nodes, namespaceLabels }: ClusterView,
): ReadonlySet<string> {
  const domains = new Set<string>();
  for (const node of nodes) {
    const value = node.labels[topologyKey];
    if (value === undefined || domains.has(value)) continue;
    for (const pod of node.pods.values())
      if (pod.uid !== incoming.uid && together.every((term) => term.matches(pod, namespaceLabels))) {
        domains.add(value);
        break;
      }
  }
  return domains;
}

/** By topology key, the values where a running pod refuses this one. */
function existingAntiAffinity(
  pod: PodInfo,
  { nodes, namespaceLabels }: ClusterView,
): ReadonlyMap<string, ReadonlySet<string>> {
  const refused = new Map<string, Set<string>>();
  for (const node of nodes)
    for (const other of node.withRequiredAntiAffinity)
      for (const term of other.requiredAntiAffinity) {
        const value = node.labels[term.topologyKey];
        if (value === undefined || !term.matches(pod, namespaceLabels)) continue;
        const values = refused.get(term.topologyKey) ?? new Set();
        refused.set(term.topologyKey, values.add(value));
      }
  return refused;
}
