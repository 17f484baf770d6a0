// The Events of DaemonSets beside those of making pods, worded as Kubernetes words them.
import type { EventText } from "../shared/pod-events.ts";

export const failedDaemonPod = (podKey: string, node: string): EventText => ({
  type: "Warning",
  reason: "FailedDaemonPod",
  message: `Found failed daemon pod ${podKey} on node ${node}, will try to kill it`,
});

export const succeededDaemonPod = (podKey: string, node: string): EventText => ({
  type: "Normal",
  reason: "SucceededDaemonPod",
  message: `Found succeeded daemon pod ${podKey} on node ${node}, will try to delete it`,
});
