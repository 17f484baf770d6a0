// Pure: from what the metrics propose to what is done: held back by recent proposals, by how fast it may go, and by the bounds. Source of
// the rules: Kubernetes' horizontal controller. History goes in and a new one comes out; it lies in the controller's memory only.
import type { HorizontalPodAutoscalerBehavior, HPAScalingRules } from "../../api/generated/types.ts";

export interface History {
  /** What was proposed when. */
  readonly proposals: readonly { readonly replicas: number; readonly atMs: number }[];
  /** Replicas that were added (taken away: negative) when. */
  readonly changes: readonly { readonly by: number; readonly atMs: number }[];
}

export interface Verdict {
  readonly replicas: number;
  readonly able: { readonly reason: string; readonly message: string };
  readonly limited: { readonly is: boolean; readonly reason: string; readonly message: string };
  readonly history: History;
}

export interface Bounds {
  readonly current: number;
  readonly min: number;
  readonly max: number;
}

export interface Conditions {
  readonly behavior: Readonly<HorizontalPodAutoscalerBehavior> | undefined;
  /** For scale-downs where no behavior says how long. */
  readonly stabilizationMs: number;
  readonly nowMs: number;
}

// Without a behavior: no more than twice as many at once, but 4 always.
const UP_FACTOR = 2;
const UP_LEAST = 4;
const LONGEST_PERIOD_MS = 1_800_000;

/** The history of an autoscaler that was not known before: nothing is taken away before a whole window has been seen. */
export const firstHistory = (current: number, nowMs: number): History => ({
  proposals: [{ replicas: current, atMs: nowMs }],
  changes: [],
});

export function normalize(proposed: number, bounds: Bounds, history: History, on: Conditions): Verdict {
  const stable = stabilize(proposed, bounds.current, history, on);
  const { replicas, reason, message } = limit(stable.replicas, bounds, history, on);
  const proposals = [...history.proposals, { replicas: proposed, atMs: on.nowMs }];
  return {
    replicas,
    able: stable,
    limited: { is: replicas !== stable.replicas, reason, message },
    history: {
      proposals: proposals.filter(({ atMs }) => atMs >= on.nowMs - longestWindowMs(on)),
      changes: history.changes,
    },
  };
}

export function withChange(history: History, by: number, nowMs: number): History {
  const changes = [...history.changes, { by, atMs: nowMs }];
  return { ...history, changes: changes.filter(({ atMs }) => atMs >= nowMs - LONGEST_PERIOD_MS) };
}

const windowsMs = ({ behavior, stabilizationMs }: Conditions) => {
  const ms = (rules: HPAScalingRules | undefined, otherwise: number) =>
    rules?.stabilizationWindowSeconds === undefined ? otherwise : rules.stabilizationWindowSeconds * 1000;
  return { upMs: ms(behavior?.scaleUp, 0), downMs: ms(behavior?.scaleDown, stabilizationMs) };
};

const longestWindowMs = (on: Conditions) => Math.max(...Object.values(windowsMs(on)));

const MATCHES = { reason: "ReadyForNewScale", message: "recommended size matches current size" };
const UP_HELD = {
  reason: "ScaleUpStabilized",
  message: "recent recommendations were lower than current one, applying the lowest recent recommendation",
};
const DOWN_HELD = {
  reason: "ScaleDownStabilized",
  message: "recent recommendations were higher than current one, applying the highest recent recommendation",
};

/** No more than the least, and no less than the most, that was proposed within the windows. */
function stabilize(proposed: number, current: number, { proposals }: History, on: Conditions) {
  const { upMs, downMs } = windowsMs(on);
  const recent = (windowMs: number) => [
    proposed,
    ...proposals.filter(({ atMs }) => atMs > on.nowMs - windowMs).map(({ replicas }) => replicas),
  ];
  const least = Math.min(...recent(upMs));
  const most = Math.max(...recent(downMs));
  const replicas = on.behavior ? Math.min(Math.max(current, least), most) : most;
  if (replicas === proposed) return { replicas, ...MATCHES };
  return { replicas, ...(on.behavior && proposed >= current ? UP_HELD : DOWN_HELD) };
}

const within = (replicas: number) => ({
  replicas,
  reason: "DesiredWithinRange",
  message: "the desired count is within the acceptable range",
});
const tooFast = (way: "Up" | "Down") => ({
  reason: `Scale${way}Limit`,
  message: `the desired replica count is ${way === "Up" ? "increasing" : "decreasing"} faster than the maximum scale rate`,
});
const TOO_MANY = {
  reason: "TooManyReplicas",
  message: "the desired replica count is more than the maximum replica count",
};
const TOO_FEW = {
  reason: "TooFewReplicas",
  message: "the desired replica count is less than the minimum replica count",
};

function limit(wanted: number, { current, min, max }: Bounds, history: History, on: Conditions) {
  const { behavior } = on;
  if (behavior ? wanted > current : true) {
    const fastest = behavior
      ? Math.max(current, mostUp(current, history, on))
      : Math.max(UP_FACTOR * current, UP_LEAST);
    const most = Math.min(max, fastest);
    if (wanted > most) return { replicas: most, ...(max > fastest ? tooFast("Up") : TOO_MANY) };
  }
  if (behavior && wanted < current) {
    const slowest = Math.min(current, leastDown(current, history, on));
    const least = Math.max(min, slowest);
    if (wanted < least) return { replicas: least, ...(min < slowest ? tooFast("Down") : TOO_FEW) };
  } else if (!behavior && wanted < min) return { replicas: min, ...TOO_FEW };
  return within(wanted);
}

function mostUp(current: number, history: History, on: Conditions): number {
  const rules = on.behavior?.scaleUp;
  const limits = limitsOf(rules, history, on.nowMs, ({ type, value, changed }) => {
    const start = current - changed;
    return type === "Pods" ? start + value : Math.ceil(start * (1 + value / 100));
  });
  if (rules?.selectPolicy === "Disabled") return current;
  return rules?.selectPolicy === "Min" ? Math.min(...limits) : Math.max(...limits);
}

function leastDown(current: number, history: History, on: Conditions): number {
  const rules = on.behavior?.scaleDown;
  const limits = limitsOf(rules, history, on.nowMs, ({ type, value, changed }) => {
    const start = current - changed;
    return type === "Pods" ? start - value : Math.trunc(start * (1 - value / 100));
  });
  if (rules?.selectPolicy === "Disabled") return current;
  // The least change is the policy's minimum: the highest count.
  return rules?.selectPolicy === "Min" ? Math.max(...limits) : Math.min(...limits);
}

/** What each policy allows, given by how much the count has changed within its period. */
function limitsOf(
  rules: HPAScalingRules | undefined,
  { changes }: History,
  nowMs: number,
  allows: (policy: { type: string; value: number; changed: number }) => number,
): number[] {
  return (rules?.policies ?? []).map(({ type, value, periodSeconds }) => {
    const recent = changes.filter(({ atMs }) => atMs > nowMs - periodSeconds * 1000);
    return allows({ type, value, changed: recent.reduce((sum, { by }) => sum + by, 0) });
  });
}
