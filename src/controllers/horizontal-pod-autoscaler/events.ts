// The Events of HorizontalPodAutoscalers, worded as Kubernetes words them.
import type { EventText } from "../shared/pod-events.ts";

export const warning = (reason: string, message: string): EventText => ({ type: "Warning", reason, message });

export const successfulRescale = (size: number, why: string): EventText => ({
  type: "Normal",
  reason: "SuccessfulRescale",
  message: `New size: ${size}; reason: ${why}`,
});
export const failedRescale = (size: number, why: string, error: string) =>
  warning("FailedRescale", `New size: ${size}; reason: ${why}; error: ${error}`);
export const failedCompute = (why: string) => warning("FailedComputeMetricsReplicas", why);
