import fc from "fast-check";
import { describe, expect, it, test } from "vitest";
import type { Pod, PodDisruptionBudget } from "../../../../src/api/generated/types.ts";
import { type BudgetInput, planBudget, staleMarkIn } from "../../../../src/controllers/disruption/plan.ts";
import { makePod } from "../objects.ts";

const NOW = Date.parse("2026-01-01T00:10:00Z");
const DELETION_MS = 120_000;

const budget = (
  spec: PodDisruptionBudget["spec"],
  status?: PodDisruptionBudget["status"],
): PodDisruptionBudget => ({
  metadata: {
    name: "b",
    namespace: "default",
    uid: "b",
    resourceVersion: "1",
    creationTimestamp: "2026-01-01T00:00:00Z",
    generation: 3,
  },
  spec: spec ?? {},
  ...(status ? { status } : {}),
});
const ready = (count: number, more: Parameters<typeof makePod>[1] = {}): Pod[] =>
  Array.from({ length: count }, (_, index) => makePod(`p${index}`, { ready: true, ...more }));
const plan = (input: Partial<BudgetInput> & { budget: PodDisruptionBudget }) =>
  planBudget({ pods: [], scale: 0, nowMs: NOW, deletionMs: DELETION_MS, ...input });

describe("planBudget", () => {
  it.each<[string, PodDisruptionBudget["spec"], { pods: Pod[]; scale: number }, number[]]>([
    // healthy, desired, expected, allowed
    ["minAvailable 2 of 3", { minAvailable: 2 }, { pods: ready(3), scale: 0 }, [3, 2, 3, 1]],
    ["minAvailable above what there is", { minAvailable: 5 }, { pods: ready(3), scale: 0 }, [3, 5, 3, 0]],
    ["minAvailable 50 % of 3", { minAvailable: "50%" }, { pods: ready(3), scale: 3 }, [3, 2, 3, 1]],
    ["minAvailable 75 % of 4", { minAvailable: "75%" }, { pods: ready(4), scale: 4 }, [4, 3, 4, 1]],
    ["minAvailable 100 %", { minAvailable: "100%" }, { pods: ready(2), scale: 2 }, [2, 2, 2, 0]],
    ["maxUnavailable 1 of 3", { maxUnavailable: 1 }, { pods: ready(3), scale: 3 }, [3, 2, 3, 1]],
    ["maxUnavailable 50 % of 3", { maxUnavailable: "50%" }, { pods: ready(3), scale: 3 }, [3, 1, 3, 2]],
    ["maxUnavailable 0", { maxUnavailable: 0 }, { pods: ready(3), scale: 3 }, [3, 3, 3, 0]],
    ["more unavailable than wanted", { maxUnavailable: 9 }, { pods: ready(3), scale: 3 }, [3, 0, 3, 3]],
    ["fewer pods than wanted", { maxUnavailable: 1 }, { pods: ready(2), scale: 3 }, [2, 2, 3, 0]],
    ["no pods", { minAvailable: 0 }, { pods: [], scale: 0 }, [0, 0, 0, 0]],
    ["neither bound", {}, { pods: ready(3), scale: 0 }, [3, 0, 0, 0]],
    [
      "pods that are not ready or on their way out",
      { minAvailable: 1 },
      {
        pods: [...ready(2), makePod("x", { ready: false }), makePod("y", { ready: true, terminating: true })],
        scale: 0,
      },
      [2, 1, 4, 1],
    ],
  ])("%s", (_, spec, input, [currentHealthy, desiredHealthy, expectedPods, disruptionsAllowed]) => {
    const { status } = plan({ budget: budget(spec), ...input });
    expect(status).toMatchObject({
      currentHealthy,
      desiredHealthy,
      expectedPods,
      disruptionsAllowed,
      observedGeneration: 3,
    });
    expect(status.conditions).toEqual([
      {
        type: "DisruptionAllowed",
        status: disruptionsAllowed! > 0 ? "True" : "False",
        reason: disruptionsAllowed! > 0 ? "SufficientPods" : "InsufficientPods",
        message: "",
        observedGeneration: 3,
        lastTransitionTime: "2026-01-01T00:10:00Z",
      },
    ]);
  });

  it("counts an evicted pod as gone until it is, or should long have been", () => {
    const disruptedPods = {
      p0: "2026-01-01T00:09:00Z",
      p1: "2026-01-01T00:07:00Z",
      gone: "2026-01-01T00:09:50Z",
    };
    const made = plan({ budget: budget({ minAvailable: 1 }, { disruptedPods }), pods: ready(3) });
    expect(made.status).toMatchObject({
      currentHealthy: 2,
      disruptionsAllowed: 1,
      disruptedPods: { p0: disruptedPods.p0 },
    });
    expect(made.notDeleted.map(({ metadata }) => metadata.name)).toEqual(["p1"]);
    expect(made.recheckAfterMs).toBe(60_000);
  });

  it("changes nothing when it is run again on what it has made", () => {
    const bound = fc.oneof(
      fc.nat(6),
      fc.nat(100).map((percent) => `${percent}%`),
    );
    const spec = fc.oneof(
      bound.map((minAvailable) => ({ minAvailable })),
      bound.map((maxUnavailable) => ({ maxUnavailable })),
    );
    fc.assert(
      fc.property(
        spec,
        fc.array(fc.boolean(), { maxLength: 8 }),
        fc.nat(8),
        fc.nat(7),
        (given, health, scale, evicted) => {
          const pods = health.map((isReady, index) => makePod(`p${index}`, { ready: isReady }));
          const disruptedPods = { [`p${evicted}`]: "2026-01-01T00:09:30Z" };
          const once = plan({ budget: budget(given, { disruptedPods }), pods, scale }).status;
          const later = plan({ budget: budget(given, once), pods, scale, nowMs: NOW + 1000 }).status;
          expect(later).toEqual(once);
          const { currentHealthy = 0, desiredHealthy = 0, disruptionsAllowed = 0 } = once;
          // What is allowed never takes the healthy ones below what is wanted.
          expect(disruptionsAllowed).toBeGreaterThanOrEqual(0);
          if (disruptionsAllowed > 0)
            expect(currentHealthy - disruptionsAllowed).toBeGreaterThanOrEqual(desiredHealthy);
        },
      ),
    );
  });
});

test("a mark to be disrupted is stale after a while, unless the pod has ended or its agent made it", () => {
  const marked = (more: object = {}, options: Parameters<typeof makePod>[1] = {}) => {
    const pod = makePod("p", { ready: true, ...options });
    const condition = {
      type: "DisruptionTarget",
      status: "True",
      lastTransitionTime: "2026-01-01T00:09:00Z",
    };
    return { ...pod, status: { ...pod.status, conditions: [{ ...condition, ...more }] } };
  };
  const left = (pod: Pod) => staleMarkIn(pod, DELETION_MS, NOW);
  expect(left(marked())).toBe(60_000);
  expect(left(marked({ lastTransitionTime: "2026-01-01T00:00:00Z" }))).toBe(0);
  expect(left(marked({ status: "False" }))).toBeUndefined();
  expect(left(marked({ reason: "TerminationByKubelet" }))).toBeUndefined();
  expect(left(marked({}, { terminating: true }))).toBeUndefined();
  expect(left(marked({}, { phase: "Failed" }))).toBeUndefined();
  expect(left(makePod("p", { ready: true }))).toBeUndefined();
});
