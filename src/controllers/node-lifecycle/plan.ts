// Pure: whether a node still lives, and which conditions and taints say so (nodelifecycle/node_lifecycle_controller.go).
import type { Lease, Node, NodeCondition, Taint } from "../../api/generated/types.ts";
import {
  TAINT_DISK_PRESSURE,
  TAINT_MEMORY_PRESSURE,
  TAINT_NETWORK_UNAVAILABLE,
  TAINT_NOT_READY,
  TAINT_PID_PRESSURE,
  TAINT_UNREACHABLE,
  TAINT_UNSCHEDULABLE,
} from "../../api/names.ts";
import { timestamp } from "../../base/clock.ts";

/** What this process saw of a node's signs of life, and when it last saw one change. Clocks of other machines play no part. */
export interface Pulse {
  readonly renewTime: string | undefined;
  readonly heartbeat: string | undefined;
  /** Milliseconds, by this process' clock. */
  readonly changedAt: number;
}

/** The pulse after another look. A node seen for the first time has just given a sign, however old its lease claims to be. */
export function takePulse(
  before: Pulse | undefined,
  { node, lease, nowMs }: { node: Readonly<Node>; lease: Readonly<Lease> | undefined; nowMs: number },
): Pulse {
  const renewTime = lease?.spec.renewTime;
  const heartbeat = conditionOf(node, "Ready")?.lastHeartbeatTime;
  if (before && before.renewTime === renewTime && before.heartbeat === heartbeat) return before;
  return { renewTime, heartbeat, changedAt: nowMs };
}

export function conditionOf(node: Readonly<Node>, type: string): NodeCondition | undefined {
  return node.status?.conditions?.find((condition) => condition.type === type);
}

export const isReady = (node: Readonly<Node>): boolean => conditionOf(node, "Ready")?.status === "True";

const REPORTED = ["Ready", "MemoryPressure", "DiskPressure", "PIDPressure"];

/** The conditions to write for a node that has gone silent: all that its agent reports become Unknown; undefined where they are. */
export function planSilence(node: Readonly<Node>, nowMs: number): readonly NodeCondition[] | undefined {
  const now = timestamp(nowMs);
  const changed = REPORTED.flatMap((type): NodeCondition[] => {
    const before = conditionOf(node, type);
    if (before?.status === "Unknown") return [];
    const reported = before
      ? { reason: "NodeStatusUnknown", message: "Kubelet stopped posting node status." }
      : { reason: "NodeStatusNeverUpdated", message: "Kubelet never posted node status." };
    const lastHeartbeatTime = before?.lastHeartbeatTime ?? node.metadata.creationTimestamp;
    return [{ type, status: "Unknown", ...reported, lastHeartbeatTime, lastTransitionTime: now }];
  });
  return changed.length > 0 ? changed : undefined;
}

// Conditions that, when True, keep new pods away.
const TAINT_BY_CONDITION: Readonly<Record<string, string>> = {
  MemoryPressure: TAINT_MEMORY_PRESSURE,
  DiskPressure: TAINT_DISK_PRESSURE,
  PIDPressure: TAINT_PID_PRESSURE,
  NetworkUnavailable: TAINT_NETWORK_UNAVAILABLE,
};
const OWN_KEYS: ReadonlySet<string> = new Set([
  TAINT_NOT_READY,
  TAINT_UNREACHABLE,
  TAINT_UNSCHEDULABLE,
  ...Object.values(TAINT_BY_CONDITION),
]);

/**
 * The taints that the node must have; undefined where it has them. Taints of other keys, out-of-service among them, are kept.
 * `evict` false (every node is silent: more likely the watcher is at fault) leaves out those that would empty the node.
 */
export function planTaints(
  node: Readonly<Node>,
  { evict, nowMs }: { evict: boolean; nowMs: number },
): readonly Taint[] | undefined {
  const existing = node.spec?.taints ?? [];
  const wanted = wantedTaints(node, evict);
  const kept = existing.filter(
    (taint) =>
      !OWN_KEYS.has(taint.key) ||
      (taint.effect !== "NoSchedule" && taint.effect !== "NoExecute") ||
      wanted.some((one) => sameTaint(one, taint)),
  );
  const missing = wanted.filter((taint) => !existing.some((one) => sameTaint(one, taint)));
  if (missing.length === 0 && kept.length === existing.length) return undefined;
  return [...kept, ...missing.map((taint) => ({ ...taint, timeAdded: timestamp(nowMs) }))];
}

const sameTaint = (a: Taint, b: Taint): boolean => a.key === b.key && a.effect === b.effect;

function wantedTaints(node: Readonly<Node>, evict: boolean): readonly Taint[] {
  const taints: Taint[] = [];
  const ready = conditionOf(node, "Ready")?.status;
  if (ready !== "True") {
    const key = ready === "Unknown" ? TAINT_UNREACHABLE : TAINT_NOT_READY;
    taints.push({ key, effect: "NoSchedule" });
    // A node that has never said anything has nothing to lose yet.
    if (evict && ready !== undefined) taints.push({ key, effect: "NoExecute" });
  }
  for (const [condition, key] of Object.entries(TAINT_BY_CONDITION))
    if (conditionOf(node, condition)?.status === "True") taints.push({ key, effect: "NoSchedule" });
  if (node.spec?.unschedulable) taints.push({ key: TAINT_UNSCHEDULABLE, effect: "NoSchedule" });
  return taints;
}

/** True when there are nodes and none of them is ready: Kubernetes' full disruption, in which nothing is evicted. */
export function isFullyDisrupted(nodes: readonly Readonly<Node>[]): boolean {
  return nodes.length > 0 && !nodes.some(isReady);
}
