// Pure: which pods a DaemonSet gains and loses. First each node is brought to one living pod (planNodes); only when there is nothing to do
// about that does the rollout take its next step (planRollout). Worked example, three nodes, maxUnavailable 1: the old pod of one node
// goes; its node has none, so planNodes makes a new one; when that is available the next node's goes. With maxSurge 1 the new one
// comes first, and the old one goes when it is available.
import type { DaemonSet, Node, Pod } from "../../api/generated/types.ts";
import { CONTROLLER_REVISION_HASH } from "../../api/names.ts";
import { isPodReady } from "../../api/pod-status.ts";
import { availableIn } from "../shared/pod-availability.ts";
import { nodeOf, placementOn } from "./placement.ts";

export interface DaemonInput {
  readonly set: Readonly<DaemonSet>;
  /** What pods of the current template carry as controller-revision-hash. */
  readonly hash: string;
  readonly nodes: readonly Readonly<Node>[];
  /** The set's own pods. */
  readonly pods: readonly Readonly<Pod>[];
  readonly nowMs: number;
  /** How long a failed pod of that node must still be let alone, in ms; 0: not at all. */
  backoffMs?(node: string): number;
}

export interface DaemonRemoval {
  readonly pod: Readonly<Pod>;
  readonly node: string;
  readonly why: "failed" | "succeeded" | "misplaced" | "surplus" | "update";
}

export interface DaemonPlan {
  /** Names of nodes that get a pod. */
  readonly create: readonly string[];
  readonly remove: readonly DaemonRemoval[];
}

export function planDaemonSet(input: DaemonInput): DaemonPlan {
  if (input.set.metadata.deletionTimestamp) return { create: [], remove: [] };
  const plan = planNodes(input);
  if (plan.create.length > 0 || plan.remove.length > 0) return plan;
  if (input.set.spec.updateStrategy?.type === "OnDelete") return plan;
  return planRollout(input);
}

/** By node, the pods that are on it or meant for it; those on their way out included. */
export function podsByNode(pods: readonly Readonly<Pod>[]): ReadonlyMap<string, readonly Readonly<Pod>[]> {
  const found = new Map<string, Readonly<Pod>[]>();
  for (const pod of oldestFirst(pods)) {
    const node = nodeOf(pod);
    if (node !== undefined) found.set(node, [...(found.get(node) ?? []), pod]);
  }
  return found;
}

/** Pods that are on a node before those that still wait, then by age. */
function oldestFirst(pods: readonly Readonly<Pod>[]): Readonly<Pod>[] {
  const rank = ({ spec, metadata }: Readonly<Pod>) =>
    `${spec.nodeName ? 0 : 1} ${metadata.creationTimestamp} ${metadata.name}`;
  return [...pods].sort((a, b) => (rank(a) < rank(b) ? -1 : 1));
}

const isGoing = ({ metadata }: Readonly<Pod>): boolean => metadata.deletionTimestamp !== undefined;
export const isUpdated = ({ metadata }: Readonly<Pod>, hash: string): boolean =>
  metadata.labels?.[CONTROLLER_REVISION_HASH] === hash;

export function isAvailable(pod: Readonly<Pod>, { set, nowMs }: Pick<DaemonInput, "set" | "nowMs">): boolean {
  return availableIn(pod, (set.spec.minReadySeconds ?? 0) * 1000, nowMs) === 0;
}

function planNodes(input: DaemonInput): DaemonPlan {
  const byNode = podsByNode(input.pods);
  const known = new Set(input.nodes.map(({ metadata }) => metadata.name));
  const plans = input.nodes.map((node) => planNode(node, byNode.get(node.metadata.name) ?? [], input));
  // Where the node is gone nobody would ever bind or end them; those that ran there are the pod garbage collector's.
  const stranded = [...byNode].flatMap(([node, pods]) =>
    known.has(node)
      ? []
      : pods.filter((pod) => !pod.spec.nodeName && !isGoing(pod)).map((pod) => ({ pod, node })),
  );
  return {
    create: plans.flatMap(({ create }) => create),
    remove: [
      ...plans.flatMap(({ remove }) => remove),
      ...stranded.map((each) => ({ ...each, why: "misplaced" as const })),
    ],
  };
}

function planNode(node: Readonly<Node>, pods: readonly Readonly<Pod>[], input: DaemonInput): DaemonPlan {
  const { name } = node.metadata;
  const { run, stay } = placementOn(input.set, node);
  const staying = pods.filter((pod) => !isGoing(pod));
  const removals = (which: readonly Readonly<Pod>[], why: DaemonRemoval["why"]) =>
    which.map((pod) => ({ pod, node: name, why }));
  if (!stay) return { create: [], remove: removals(staying, "misplaced") };
  // Without a surge the new pod waits until the old one has quite gone: they may want the same port.
  if (run && pods.length === 0) return { create: [name], remove: [] };
  const failed = staying.filter(({ status }) => status?.phase === "Failed");
  const succeeded = staying.filter(({ status }) => status?.phase === "Succeeded");
  const running = staying.filter((pod) => !failed.includes(pod) && !succeeded.includes(pod));
  const over = [
    ...removals((input.backoffMs?.(name) ?? 0) > 0 ? [] : failed, "failed"),
    ...removals(succeeded, "succeeded"),
  ];
  if (!allowsSurge(input)) return { create: [], remove: [...over, ...removals(running.slice(1), "surplus")] };
  if (running.length === 0) return { create: run && over.length === 0 ? [name] : [], remove: over };
  return { create: [], remove: [...over, ...removals(surplusInSurge(running, input), "surplus")] };
}

const allowsSurge = (input: DaemonInput): boolean => limits(input, 1).maxSurge > 0;

/** One new and one old pod may be there together while the new one is not available and the old one serves. */
function surplusInSurge(running: readonly Readonly<Pod>[], input: DaemonInput): readonly Readonly<Pod>[] {
  const [fresh, ...freshToo] = running.filter((pod) => isUpdated(pod, input.hash));
  const [old, ...oldToo] = running.filter((pod) => !isUpdated(pod, input.hash));
  const replaced = fresh && old && (!isPodReady(old) || isAvailable(fresh, input));
  return [...freshToo, ...oldToo, ...(replaced ? [old] : [])];
}

/** maxSurge and maxUnavailable as numbers of nodes, both rounded up; with both at zero nothing could move, so then one may. */
function limits({ set }: DaemonInput, nodes: number): { maxSurge: number; maxUnavailable: number } {
  const { maxSurge = 0, maxUnavailable = 1 } = set.spec.updateStrategy?.rollingUpdate ?? {};
  const scaled = (value: number | string) =>
    typeof value === "number" ? value : Math.ceil((Number.parseInt(value, 10) * nodes) / 100);
  const surge = scaled(maxSurge);
  const unavailable = scaled(maxUnavailable);
  return { maxSurge: surge, maxUnavailable: surge === 0 && unavailable === 0 ? 1 : unavailable };
}

interface NodePods {
  readonly node: string;
  readonly fresh: Readonly<Pod> | undefined;
  readonly old: Readonly<Pod> | undefined;
}

function planRollout(input: DaemonInput): DaemonPlan {
  const byNode = podsByNode(input.pods);
  const wanted = input.nodes.filter((node) => placementOn(input.set, node).run);
  const nodes = wanted.map(({ metadata: { name } }): NodePods => {
    const pods = (byNode.get(name) ?? []).filter((pod) => !isGoing(pod));
    const isFresh = (pod: Readonly<Pod>) => isUpdated(pod, input.hash);
    return { node: name, fresh: pods.find(isFresh), old: pods.find((pod) => !isFresh(pod)) };
  });
  const { maxSurge, maxUnavailable } = limits(input, wanted.length);
  return maxSurge > 0 ? planSurge(nodes, input, maxSurge) : planReplacement(nodes, input, maxUnavailable);
}

/** Old pods that serve nobody go at once; of those that serve, as many as may be missing. */
function planReplacement(nodes: readonly NodePods[], input: DaemonInput, most: number): DaemonPlan {
  const isServing = (pod: Readonly<Pod> | undefined) => pod !== undefined && isAvailable(pod, input);
  const missing = nodes.filter(({ fresh, old }) => !isServing(fresh ?? old)).length;
  const outdated = nodes.flatMap(({ node, fresh, old }) => (old && !fresh ? [{ node, pod: old }] : []));
  const broken = outdated.filter(({ pod }) => !isServing(pod));
  const serving = outdated.filter(({ pod }) => isServing(pod)).slice(0, Math.max(0, most - missing));
  return {
    create: [],
    remove: [...broken, ...serving].map(({ node, pod }) => ({ node, pod, why: "update" as const })),
  };
}

function planSurge(nodes: readonly NodePods[], input: DaemonInput, most: number): DaemonPlan {
  const surging = nodes.filter(({ fresh, old }) => fresh && old).length;
  const outdated = nodes.filter(({ fresh, old }) => old && !fresh);
  const isServing = ({ old }: NodePods) => old !== undefined && isAvailable(old, input);
  const broken = outdated.filter((each) => !isServing(each));
  const serving = outdated.filter(isServing).slice(0, Math.max(0, most - surging));
  return { create: [...broken, ...serving].map(({ node }) => node), remove: [] };
}
