// Builds what pickNode looks at, and a small seeded source of chance.
import type {
  Node,
  PersistentVolume,
  PersistentVolumeClaim,
  Pod,
  PodDisruptionBudget,
  StorageClass,
} from "../../../src/api/generated/types.ts";
import { SELECTED_NODE } from "../../../src/api/names.ts";
import { keyOf } from "../../../src/api/object.ts";
import type { LabelMatcher } from "../../../src/api/selectors.ts";
import { ClusterCache } from "../../../src/scheduler/cluster-cache.ts";
import type { ClusterView } from "../../../src/scheduler/cluster-view.ts";
import { NO_NOMINATIONS, type NominationView } from "../../../src/scheduler/nominations.ts";
import { pickNode } from "../../../src/scheduler/pick-node.ts";
import { podInfo } from "../../../src/scheduler/pod-info.ts";
import type { StorageView } from "../../../src/scheduler/pod-volumes.ts";

export interface TestCluster extends ClusterView {
  readonly cache: ClusterCache;
}

export function clusterOf(
  nodes: readonly Node[],
  pods: readonly Pod[] = [],
  {
    siblings,
    namespaces = {},
    storage = storageOf({}),
    nominations = NO_NOMINATIONS,
    budgets = [],
  }: {
    siblings?: LabelMatcher;
    namespaces?: Record<string, Record<string, string>>;
    storage?: StorageView;
    nominations?: NominationView;
    budgets?: readonly PodDisruptionBudget[];
  } = {},
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
    storage,
    nominations,
    budgets: (namespace) => budgets.filter(({ metadata }) => metadata.namespace === namespace),
  };
}

export function storageOf({
  claims = [],
  volumes = [],
  classes = [],
  promised = {},
}: {
  claims?: readonly PersistentVolumeClaim[];
  volumes?: readonly PersistentVolume[];
  classes?: readonly StorageClass[];
  /** The uid of a claim, by the name of the volume that it has been promised. */
  promised?: Record<string, string>;
}): StorageView {
  return {
    claim: (key) => claims.find((claim) => keyOf(claim) === key),
    volume: (name) => volumes.find(({ metadata }) => metadata.name === name),
    volumes: () => volumes,
    storageClass: (name) => classes.find(({ metadata }) => metadata.name === name),
    promisedTo: (volume) => promised[volume],
    selectedNode: ({ metadata }) => metadata.annotations?.[SELECTED_NODE],
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
