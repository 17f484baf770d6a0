// The events of the disruption controller, worded as Kubernetes words them.
import type { LabelSelector } from "../../api/generated/types.ts";
import type { EventText } from "../shared/pod-events.ts";

export const noPods: EventText = { type: "Normal", reason: "NoPods", message: "No matching pods found" };

export const countFailed = (why: string): EventText => ({
  type: "Warning",
  reason: "CalculateExpectedPodCountFailed",
  message: `Failed to calculate the number of expected pods: ${why}`,
});

export const unmanagedPods = (selector: Readonly<LabelSelector> | undefined): EventText => ({
  type: "Warning",
  reason: "UnmanagedPods",
  message: `Pods selected by this PodDisruptionBudget (selector: ${printed(selector)}) were found to be unmanaged. As a result, the status of the PDB cannot be calculated correctly, which may result in undefined behavior. To account for these pods please set ".spec.minAvailable" field of the PDB to an integer value.`,
});

export const notDeleted = (budgetKey: string): EventText => ({
  type: "Warning",
  reason: "NotDeleted",
  message: `Pod was expected by PDB ${budgetKey} to be deleted but it wasn't`,
});

/** A selector as Go prints the struct: `&LabelSelector{MatchLabels:map[string]string{app: web,},MatchExpressions:[]LabelSelectorRequirement{},}`. */
function printed(selector: Readonly<LabelSelector> | undefined): string {
  if (!selector) return "nil";
  const labels = Object.entries(selector.matchLabels ?? {})
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, value]) => `${name}: ${value},`)
    .join("");
  const expressions = (selector.matchExpressions ?? [])
    .map(
      ({ key, operator, values = [] }) =>
        `LabelSelectorRequirement{Key:${key},Operator:${operator},Values:[${values.join(" ")}],},`,
    )
    .join("");
  return `&LabelSelector{MatchLabels:map[string]string{${labels}},MatchExpressions:[]LabelSelectorRequirement{${expressions}},}`;
}
