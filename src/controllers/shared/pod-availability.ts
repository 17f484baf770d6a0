// When a pod counts: as one of its owner's, and as available (Kubernetes' IsPodActive and IsPodAvailable).
import type { Pod } from "../../api/generated/types.ts";
import { isPodOver, podCondition } from "../../api/pod-status.ts";

/** Counts towards the replicas: neither finished nor on its way out. */
export function isActive(pod: Readonly<Pod>): boolean {
  return !isPodOver(pod) && pod.metadata.deletionTimestamp === undefined;
}

/** When the pod became ready, in ms since the epoch, or undefined while it is not. */
export function readySince(pod: Readonly<Pod>): number | undefined {
  const ready = podCondition(pod, "Ready");
  return ready?.status === "True" ? Date.parse(ready.lastTransitionTime ?? "") || 0 : undefined;
}

/** 0: available now; else how many ms until it is, and Infinity while it is not ready. */
export function availableIn(pod: Readonly<Pod>, minReadyMs: number, nowMs: number): number {
  const since = readySince(pod);
  if (since === undefined) return Number.POSITIVE_INFINITY;
  return minReadyMs === 0 ? 0 : Math.max(0, since + minReadyMs - nowMs);
}

/** How long until the next ready pod becomes available, or undefined where none is waiting. */
export function nextAvailability(
  pods: readonly Readonly<Pod>[],
  { minReadySeconds = 0 }: { readonly minReadySeconds?: number },
  nowMs: number,
): number | undefined {
  const waits = pods
    .map((pod) => availableIn(pod, minReadySeconds * 1000, nowMs))
    .filter((ms) => ms > 0 && Number.isFinite(ms));
  return waits.length > 0 ? Math.min(...waits) : undefined;
}
