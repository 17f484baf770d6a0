import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Pod } from "../../../../src/api/generated/types.ts";
import { timestamp } from "../../../../src/base/clock.ts";
import { timingOf } from "../../../../src/base/timing.ts";
import {
  proposeReplicas,
  type Question,
} from "../../../../src/controllers/horizontal-pod-autoscaler/replicas.ts";
import { makePod, NOW } from "./autoscalers.ts";

type Use = number | "unready" | "pending" | "missing" | "failed" | "going";

/** One pod for each use, in thousandths of a core, each requesting 1000. */
function ask(uses: readonly Use[], { percent = 50, isCpu = true, more = {} as Partial<Question> } = {}) {
  const pods = uses.map((use, index): Pod => {
    const name = `pod-${index}`;
    if (use === "pending") return makePod(name, { phase: "Pending" });
    if (use === "failed") return makePod(name, { phase: "Failed" });
    if (use === "going") return makePod(name, { going: true });
    return makePod(name, { ready: use !== "unready" });
  });
  const usages = new Map(
    uses.flatMap((use, index) => {
      const milli = typeof use === "number" ? use : 5000;
      const measured = { milli, atMs: NOW, windowMs: 15_000 };
      return use === "missing" || use === "pending" ? [] : [[`pod-${index}`, measured] as const];
    }),
  );
  return proposeReplicas({
    pods,
    usages,
    isCpu,
    target: { percent, requests: new Map(pods.map(({ metadata }) => [metadata.name, 1000])) },
    currentReplicas: uses.length,
    tolerance: { up: 0.1, down: 0.1 },
    nowMs: NOW,
    timing: timingOf("kubernetes"),
    ...more,
  });
}

describe("how many replicas a target asks for", () => {
  test.each<[string, Use[], number]>([
    ["as many as now within the tolerance", [540, 550], 2],
    ["more above it", [900, 900, 900], 6],
    ["fewer below it", [100, 100, 100, 100], 1],
    ["none where nothing is used", [0, 0], 0],
    ["one that starts counts as idle before there are more", [900, 900, "unready"], 4],
    ["so does one that waits for a node", [900, 900, "pending"], 4],
    ["one that starts is no reason for fewer", [100, 100, "unready"], 1],
    ["one not measured counts as idle before there are more", [900, 900, "missing"], 4],
    ["one not measured counts as busy before there are fewer", [200, 200, 200, "missing"], 4],
    ["what is not known turns nothing round", [600, "missing"], 2],
    ["failed pods and those that go do not count", [900, "failed", "going"], 2],
  ])("%s", (_what, uses, replicas) => {
    expect(ask(uses).replicas).toBe(replicas);
  });

  test("what is shown is the mean of the ready pods", () => {
    expect(ask([600, 900, "unready"])).toMatchObject({ averageMilli: 750, percent: 75 });
    expect(ask([600, 901], { more: { target: { milli: 500 } } })).toEqual({ replicas: 3, averageMilli: 750 });
  });

  test("only CPU is disturbed by a start", () => {
    expect(ask([900, "unready"], { isCpu: false }).replicas).toBe(12);
  });

  test("a pod that was ready once counts, even when it is not now", () => {
    const long = timestamp(NOW - 3_600_000);
    const pod = makePod("pod-0", { ready: false, startedAt: long, changedAt: timestamp(NOW) });
    expect(ask([1000], { more: { pods: [pod] } }).replicas).toBe(2);
    const never = makePod("pod-0", {
      ready: false,
      startedAt: long,
      changedAt: timestamp(Date.parse(long) + 1000),
    });
    expect(() => ask([1000], { more: { pods: [never] } })).toThrow(
      "did not receive metrics for targeted pods",
    );
  });

  test("a pod that just became ready is measured for a whole window first", () => {
    const young = timestamp(NOW - 60_000);
    const pod = (changedMs: number) =>
      makePod("pod-0", { startedAt: young, changedAt: timestamp(changedMs) });
    expect(() => ask([1000], { more: { pods: [pod(NOW - 14_000)] } })).toThrow("did not receive metrics");
    expect(ask([1000], { more: { pods: [pod(NOW - 15_000)] } }).replicas).toBe(2);
  });

  test("no pods and no use are said", () => {
    expect(() => ask([])).toThrow("no pods returned by selector while calculating replica count");
    expect(() => ask(["missing"])).toThrow(
      "did not receive metrics for targeted pods (pods might be unready)",
    );
  });

  test("the tolerance may differ either way", () => {
    const tolerance = { up: 0, down: 0.5 };
    expect(ask([510, 510], { more: { tolerance } }).replicas).toBe(3);
    expect(ask([260, 260], { more: { tolerance } }).replicas).toBe(2);
  });
});

test("uncertainty never makes a change larger, nor turns it round", () => {
  const uses = fc.array(fc.oneof(fc.nat(2000), fc.constantFrom<Use>("unready", "missing")), { minLength: 1 });
  fc.assert(
    fc.property(uses, (all) => {
      const known = all.filter((use) => typeof use === "number");
      if (known.length === 0) return;
      const ratio = ask(known).percent! / 50;
      const { replicas } = ask(all);
      if (ratio > 1) {
        expect(replicas).toBeGreaterThanOrEqual(all.length - known.length > 0 ? all.length : 0);
        // Not by the ratio, whose percentage is rounded: by what is used, half a core for each pod.
        const used = known.reduce((sum, milli) => sum + milli, 0);
        expect(replicas).toBeLessThanOrEqual(Math.max(all.length, Math.ceil(used / 500)));
      }
      if (ratio < 1) expect(replicas).toBeLessThanOrEqual(all.length);
    }),
  );
});
