// Builds what pickNode looks at, and a small seeded source of chance.
import type { Node, Pod } from "../../../src/api/generated/types.ts";
import type { LabelMatcher } from "../../../src/api/selectors.ts";
import { ClusterCache } from "../../../src/scheduler/cluster-cache.ts";
import type { ClusterView } from "../../../src/scheduler/cluster-view.ts";
import { pickNode } from "../../../src/scheduler/pick-node.ts";
import { podInfo } from "../../../src/scheduler/pod-info.ts";

export interface TestCluster extends ClusterView {
  readonly cache: ClusterCache;
}

export function clusterOf(
  nodes: readonly Node[],
  pods: readonly Pod[] = [],
  {
    siblings,
    namespaces = {},
  }: { siblings?: LabelMatcher; namespaces?: Record<string, Record<string, string>> } = {},
): TestCluster {
  const cache = new ClusterCache();
  for (const node of nodes) cache.setNode(node);
  for (const pod of pods) cache.setPod(pod);
  return {
    cache,
    get nodes() {
      return cache.nodes;
    },
    namespaceLabels: (name) => namespaces[name],
    siblings: () => siblings,
  };
}

/** The name of the node picked, or the message. */
export function pick(pod: Pod, cluster: ClusterView, random: () => number = () => 0): string {
  const picked = pickNode(podInfo(pod), cluster, random);
  return picked.node ? picked.node.name : picked.message;
}

/** Mulberry32: the same numbers for the same seed. */
export function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}
