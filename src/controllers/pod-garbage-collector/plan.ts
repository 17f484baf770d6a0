// Which pods nobody will ever finish: Kubernetes' podgc, all of its four rules.

import type { Node, Pod } from "../../api/generated/types.ts";
import { TAINT_OUT_OF_SERVICE } from "../../api/names.ts";
import { isNodeReady } from "../../api/node-status.ts";
import { isPodOver } from "../../api/pod-status.ts";

/** kube-controller-manager --terminated-pod-gc-threshold. */
export const TERMINATED_THRESHOLD = 12_500;

export interface CollectInput {
  readonly pods: readonly Readonly<Pod>[];
  /** By name. */
  readonly nodes: ReadonlyMap<string, Readonly<Node>>;
  /** Nodes that were missing at the last pass as well: a node that was just deleted may be about to come back. */
  readonly missingBefore: ReadonlySet<string>;
  readonly terminatedThreshold?: number;
}

export interface Collected {
  readonly pod: Readonly<Pod>;
  readonly why: "out of service" | "terminated" | "orphaned" | "unscheduled";
}

/** The pods to delete by force, each once. */
export function planCollect({
  pods,
  nodes,
  missingBefore,
  terminatedThreshold = TERMINATED_THRESHOLD,
}: CollectInput): Collected[] {
  const found = new Map<string, Collected>();
  const take = (pod: Readonly<Pod>, why: Collected["why"]) => {
    if (!found.has(pod.metadata.uid)) found.set(pod.metadata.uid, { pod, why });
  };
  for (const pod of pods) {
    const { nodeName } = pod.spec;
    const going = pod.metadata.deletionTimestamp !== undefined;
    if (nodeName && going && isOutOfService(nodes.get(nodeName))) take(pod, "out of service");
    if (nodeName && !nodes.has(nodeName) && missingBefore.has(nodeName)) take(pod, "orphaned");
    if (!nodeName && going) take(pod, "unscheduled");
  }
  const over = pods.filter(isPodOver);
  const surplus = Math.max(over.length - terminatedThreshold, 0);
  const oldestFirst = [...over].sort(
    (a, b) => Date.parse(a.metadata.creationTimestamp) - Date.parse(b.metadata.creationTimestamp),
  );
  for (const pod of oldestFirst.slice(0, surplus)) take(pod, "terminated");
  return [...found.values()];
}

/** Ready nodes are never out of service, whatever taint was forgotten on them. */
export function isOutOfService(node: Readonly<Node> | undefined): boolean {
  if (!node?.spec?.taints?.some(({ key }) => key === TAINT_OUT_OF_SERVICE)) return false;
  return !isNodeReady(node);
}
