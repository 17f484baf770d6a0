// The small questions about a pod that several parts ask (Kubernetes' podutil).
import type { Pod, PodCondition } from "./generated/types.ts";

export function podCondition(pod: Readonly<Pod>, type: string): PodCondition | undefined {
  return pod.status?.conditions?.find((condition) => condition.type === type);
}

export function isPodReady(pod: Readonly<Pod>): boolean {
  return podCondition(pod, "Ready")?.status === "True";
}

/** True when the pod has run to its end, well or badly: none of its containers will ever run again. */
export function isPodOver(pod: Readonly<Pod>): boolean {
  return pod.status?.phase === "Succeeded" || pod.status?.phase === "Failed";
}
