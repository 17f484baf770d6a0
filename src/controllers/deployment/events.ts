// The Events of Deployments, worded as Kubernetes words them.
import type { EventText } from "../shared/pod-events.ts";

export function scaled(name: string, from: number, to: number): EventText {
  const direction = to > from ? "up" : "down";
  return {
    type: "Normal",
    reason: "ScalingReplicaSet",
    message: `Scaled ${direction} replica set ${name} from ${from} to ${to}`,
  };
}

export const createFailed = (name: string, why: string): EventText => ({
  type: "Warning",
  reason: "ReplicaSetCreateError",
  message: `Failed to create new replica set "${name}": ${why}`,
});

export const selectingAll: EventText = {
  type: "Warning",
  reason: "SelectingAll",
  message: "This deployment is selecting all pods. A non-empty selector is required.",
};
