// What a DaemonSet says of itself: nodes are counted, not pods; of several pods on a node the oldest stands for it.
import type { DaemonSetStatus } from "../../api/generated/types.ts";
import { equalJson } from "../../api/own.ts";
import { isPodReady } from "../../api/pod-status.ts";
import { placementOn } from "./placement.ts";
import { type DaemonInput, isAvailable, isUpdated, podsByNode } from "./plan.ts";

/** Counts of zero are left out where Kubernetes leaves them out. */
export function daemonStatus(input: DaemonInput, collisionCount: number): DaemonSetStatus {
  const { set, nodes, hash } = input;
  const byNode = podsByNode(input.pods);
  const looked = nodes.map((node) => ({
    wanted: placementOn(set, node).run,
    pod: byNode.get(node.metadata.name)?.[0],
  }));
  const wanted = looked.filter((node) => node.wanted);
  const present = wanted.flatMap(({ pod }) => (pod ? [pod] : []));
  const available = present.filter((pod) => isAvailable(pod, input)).length;
  const updated = present.filter((pod) => isUpdated(pod, hash)).length;
  const unavailable = wanted.length - available;
  return {
    ...(collisionCount > 0 ? { collisionCount } : {}),
    ...(set.status?.conditions ? { conditions: set.status.conditions } : {}),
    currentNumberScheduled: present.length,
    desiredNumberScheduled: wanted.length,
    ...(available > 0 ? { numberAvailable: available } : {}),
    numberMisscheduled: looked.filter((node) => !node.wanted && node.pod).length,
    numberReady: present.filter(isPodReady).length,
    ...(unavailable > 0 ? { numberUnavailable: unavailable } : {}),
    observedGeneration: set.metadata.generation ?? 0,
    ...(updated > 0 ? { updatedNumberScheduled: updated } : {}),
  };
}

export function sameStatus(before: DaemonSetStatus | undefined, next: DaemonSetStatus): boolean {
  return before !== undefined && equalJson(before, next);
}
