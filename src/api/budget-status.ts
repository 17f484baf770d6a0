// What a PodDisruptionBudget's status says, for its controller, which counts, and for the API server, which spends.
import { timestamp } from "../base/clock.ts";
import type { Condition, PodDisruptionBudgetStatus } from "./generated/types.ts";

export const DISRUPTION_ALLOWED = "DisruptionAllowed";

export interface Verdict {
  readonly status: "True" | "False";
  readonly reason: "SufficientPods" | "InsufficientPods" | "SyncFailed";
  readonly message: string;
}

/** `conditions` with DisruptionAllowed saying whether any eviction is allowed, or `verdict`; its time moves with its status only. */
export function disruptionConditions(
  { conditions = [], disruptionsAllowed = 0, observedGeneration = 0 }: Readonly<PodDisruptionBudgetStatus>,
  nowMs: number,
  verdict: Verdict = allowedBy(disruptionsAllowed),
): Condition[] {
  const before = conditions.find(({ type }) => type === DISRUPTION_ALLOWED);
  const lastTransitionTime = before?.status === verdict.status ? before.lastTransitionTime : timestamp(nowMs);
  const condition = { type: DISRUPTION_ALLOWED, ...verdict, observedGeneration, lastTransitionTime };
  return [...conditions.filter((one) => one !== before), condition];
}

const allowedBy = (count: number): Verdict =>
  count > 0
    ? { status: "True", reason: "SufficientPods", message: "" }
    : { status: "False", reason: "InsufficientPods", message: "" };
