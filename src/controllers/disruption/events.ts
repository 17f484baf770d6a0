// The events of the disruption controller, worded as Kubernetes words them.
import type { EventText } from "../shared/pod-events.ts";

export const noPods: EventText = { type: "Normal", reason: "NoPods", message: "No matching pods found" };

export const countFailed = (why: string): EventText => ({
  type: "Warning",
  reason: "CalculateExpectedPodCountFailed",
  message: `Failed to calculate the number of expected pods: ${why}`,
});

export const unmanagedPods = (selector: string): EventText => ({
  type: "Warning",
  reason: "UnmanagedPods",
  message: `Pods selected by this PodDisruptionBudget (selector: ${selector}) were found to be unmanaged. As a result, the status of the PDB cannot be calculated correctly, which may result in undefined behavior. To account for these pods please set ".spec.minAvailable" field of the PDB to an integer value.`,
});

export const notDeleted = (budgetKey: string): EventText => ({
  type: "Warning",
  reason: "NotDeleted",
  message: `Pod was expected by PDB ${budgetKey} to be deleted but it wasn't`,
});
