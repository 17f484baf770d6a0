// Taints and what tolerates them, for the scheduler and for eviction (core/v1 Toleration.ToleratesTaint).
import type { Taint, Toleration } from "./generated/types.ts";

/** True when `toleration` covers `taint`; an empty key or effect means any. */
export function covers(toleration: Toleration, taint: Taint): boolean {
  if (toleration.effect && toleration.effect !== taint.effect) return false;
  if (toleration.key && toleration.key !== taint.key) return false;
  if (toleration.operator === "Exists") return true;
  return (toleration.operator || "Equal") === "Equal" && (toleration.value ?? "") === (taint.value ?? "");
}

export function tolerates(tolerations: readonly Toleration[] | undefined, taint: Taint): boolean {
  return (tolerations ?? []).some((toleration) => covers(toleration, taint));
}
