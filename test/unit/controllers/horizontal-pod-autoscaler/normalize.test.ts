import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { HPAScalingRules } from "../../../../src/api/generated/types.ts";
import {
  firstHistory,
  type History,
  normalize,
  withChange,
} from "../../../../src/controllers/horizontal-pod-autoscaler/normalize.ts";
import { NOW } from "./autoscalers.ts";

const NONE: History = { proposals: [], changes: [] };
const WINDOW = 300_000;
const rules = (more: Partial<HPAScalingRules> = {}): HPAScalingRules => ({
  stabilizationWindowSeconds: 0,
  selectPolicy: "Max",
  policies: [{ type: "Percent", value: 100, periodSeconds: 15 }],
  ...more,
});
const pods = (value: number, periodSeconds = 60) => ({ type: "Pods", value, periodSeconds });
const percent = (value: number, periodSeconds = 60) => ({ type: "Percent", value, periodSeconds });

interface Case {
  readonly current: number;
  readonly proposed: number;
  readonly history?: History;
  readonly up?: Partial<HPAScalingRules>;
  readonly down?: Partial<HPAScalingRules>;
}

function judge({ current, proposed, history = NONE, up, down }: Case) {
  const behavior = up || down ? { scaleUp: rules(up), scaleDown: rules(down) } : undefined;
  const bounds = { current, min: 2, max: 20 };
  return normalize(proposed, bounds, history, { behavior, stabilizationMs: WINDOW, nowMs: NOW });
}
const proposals = (...all: [replicas: number, agoMs: number][]): History => ({
  proposals: all.map(([replicas, agoMs]) => ({ replicas, atMs: NOW - agoMs })),
  changes: [],
});

describe("without a behavior", () => {
  test.each<[string, Case, number, string, string]>([
    [
      "goes where it wants within the bounds",
      { current: 5, proposed: 7 },
      7,
      "ReadyForNewScale",
      "DesiredWithinRange",
    ],
    ["doubles at the most", { current: 5, proposed: 15 }, 10, "ReadyForNewScale", "ScaleUpLimit"],
    ["but makes 4 at once", { current: 1, proposed: 9 }, 4, "ReadyForNewScale", "ScaleUpLimit"],
    ["no more than the most", { current: 15, proposed: 25 }, 20, "ReadyForNewScale", "TooManyReplicas"],
    ["no fewer than the least", { current: 5, proposed: 0 }, 2, "ReadyForNewScale", "TooFewReplicas"],
    [
      "the most of the last window holds it back",
      { current: 8, proposed: 3, history: proposals([12, WINDOW + 1], [8, WINDOW - 1], [6, 10]) },
      8,
      "ScaleDownStabilized",
      "DesiredWithinRange",
    ],
    [
      "and is forgotten after it",
      { current: 8, proposed: 3, history: proposals([8, WINDOW]) },
      3,
      "ReadyForNewScale",
      "DesiredWithinRange",
    ],
  ])("%s", (_what, given, replicas, able, limited) => {
    const verdict = judge(given);
    expect([verdict.replicas, verdict.able.reason, verdict.limited.reason]).toEqual([
      replicas,
      able,
      limited,
    ]);
    expect(verdict.limited.is).toBe(limited !== "DesiredWithinRange");
  });

  test("one that was not known before takes nothing away at once", () => {
    expect(judge({ current: 8, proposed: 3, history: firstHistory(8, NOW) }).replicas).toBe(8);
  });
});

describe("with a behavior", () => {
  const up = (policies: HPAScalingRules["policies"], more: Partial<HPAScalingRules> = {}) => ({
    up: { policies: policies ?? [], ...more },
  });
  const down = (policies: HPAScalingRules["policies"], more: Partial<HPAScalingRules> = {}) => ({
    down: { policies: policies ?? [], ...more },
  });
  test.each<[string, Case, number]>([
    ["the policy that allows most counts", { current: 4, proposed: 20, ...up([pods(3), percent(100)]) }, 8],
    [
      "or the one that allows least",
      { current: 4, proposed: 20, ...up([pods(3), percent(100)], { selectPolicy: "Min" }) },
      7,
    ],
    ["or none", { current: 4, proposed: 20, ...up([pods(3)], { selectPolicy: "Disabled" }) }, 4],
    ["a percentage upward rounds up", { current: 3, proposed: 20, ...up([percent(10)]) }, 4],
    [
      "what was added within the period counts",
      { current: 7, proposed: 20, history: withChange(NONE, 3, NOW - 59_000), ...up([pods(4)]) },
      8,
    ],
    [
      "what was added before does not",
      { current: 7, proposed: 20, history: withChange(NONE, 3, NOW - 60_000), ...up([pods(4)]) },
      11,
    ],
    [
      "down goes by the policy that takes most",
      { current: 10, proposed: 2, ...down([pods(1), percent(50)]) },
      5,
    ],
    [
      "or the one that takes least",
      { current: 10, proposed: 2, ...down([pods(1), percent(50)], { selectPolicy: "Min" }) },
      9,
    ],
    [
      "what was taken within the period counts",
      { current: 8, proposed: 2, history: withChange(NONE, -2, NOW), ...down([pods(3)]) },
      7,
    ],
    [
      "the least of the window holds back an increase",
      {
        current: 4,
        proposed: 9,
        history: proposals([5, 29_000]),
        ...up([pods(20)], { stabilizationWindowSeconds: 30 }),
      },
      5,
    ],
    [
      "the most of the window holds back a decrease",
      {
        current: 9,
        proposed: 3,
        history: proposals([7, 29_000]),
        ...down([percent(100)], { stabilizationWindowSeconds: 30 }),
      },
      7,
    ],
    [
      "a window of nothing holds nothing back",
      { current: 9, proposed: 3, history: proposals([9, 1]), ...down([percent(100)]) },
      3,
    ],
  ])("%s", (_what, given, replicas) => {
    expect(judge(given).replicas).toBe(replicas);
  });

  test("without a window of its own a scale-down has the usual one", () => {
    const behavior = { scaleDown: { selectPolicy: "Max", policies: [percent(100)] } };
    const verdict = normalize(3, { current: 9, min: 1, max: 20 }, proposals([6, WINDOW - 1]), {
      behavior,
      stabilizationMs: WINDOW,
      nowMs: NOW,
    });
    expect([verdict.replicas, verdict.able.reason]).toEqual([6, "ScaleDownStabilized"]);
  });
});

test("the outcome lies within the bounds, between what is and what is proposed now or was lately", () => {
  const step = fc.record({ proposed: fc.nat(40), waitMs: fc.nat(WINDOW) });
  const policies = fc.array(fc.constantFrom(pods(1), pods(5), percent(20), percent(100)), { minLength: 1 });
  const side = fc.record({ policies, stabilizationWindowSeconds: fc.nat(300) });
  fc.assert(
    fc.property(
      fc.array(step),
      fc.option(fc.record({ scaleUp: side, scaleDown: side })),
      (steps, behavior) => {
        let current = 5;
        let history = firstHistory(current, NOW);
        let nowMs = NOW;
        for (const { proposed, waitMs } of steps) {
          nowMs += waitMs;
          const seen = [proposed, current, ...history.proposals.map(({ replicas }) => replicas)];
          const on = { behavior: behavior ?? undefined, stabilizationMs: WINDOW, nowMs };
          const verdict = normalize(proposed, { current, min: 1, max: 30 }, history, on);
          expect(verdict.replicas).toBeGreaterThanOrEqual(Math.max(1, Math.min(...seen)));
          expect(verdict.replicas).toBeLessThanOrEqual(Math.min(30, Math.max(1, ...seen)));
          history = withChange(verdict.history, verdict.replicas - current, nowMs);
          current = verdict.replicas;
        }
      },
    ),
  );
});
