import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Step } from "../../../src/drill/drill.ts";
import { planSteps } from "../../../src/drill/plan-steps.ts";
import { pickSome } from "../../../src/drill/random.ts";

const within = 60_000;
const leaf = fc.constantFrom<Step>(
  { within, action: { verb: "kill", node: "any", count: 1 } },
  { within, after: 5, action: { verb: "kill", pod: "any", count: 2 } },
  { within, action: { verb: "start", node: "last" } },
);
const { step } = fc.letrec<{ step: Step }>((tie) => ({
  step: fc.oneof(
    { maxDepth: 3, depthSize: "small", withCrossShrink: true },
    leaf,
    fc
      .tuple(fc.integer({ min: 1, max: 4 }), fc.array(tie("step"), { minLength: 1, maxLength: 3 }))
      .map(([times, steps]): Step => ({ within, at: 7, action: { verb: "repeat", times, steps } })),
    fc
      .tuple(fc.integer({ min: 1, max: 4 }), fc.array(tie("step"), { minLength: 1, maxLength: 3 }))
      .map(([times, of]): Step => ({ within, action: { verb: "mix", times, of } })),
  ),
}));

describe("planSteps", () => {
  test("plans the same faults for the same seed", () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 5 }), fc.nat(), (steps, seed) => {
        expect(planSteps(steps, seed)).toEqual(planSteps(structuredClone(steps), seed));
      }),
    );
  });

  test("leaves only single steps, each with a draw from 0 up to 1 and a label", () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 5 }), fc.nat(), (steps, seed) => {
        for (const planned of planSteps(steps, seed)) {
          expect(["kill", "start"]).toContain(planned.action.verb);
          expect(planned.draw >= 0 && planned.draw < 1 && planned.label !== "").toBe(true);
        }
      }),
    );
  });

  test("another seed draws others", () => {
    const steps: Step[] = [
      {
        within,
        action: {
          verb: "mix",
          times: 40,
          of: [
            { within, action: { verb: "kill", node: "any", count: 1 } },
            { within, action: { verb: "kill", container: "any", count: 1 } },
          ],
        },
      },
    ];
    expect(planSteps(steps, 1)).not.toEqual(planSteps(steps, 2));
    const drawn = planSteps(steps, 1).map(({ action }) => "node" in action);
    expect(new Set(drawn).size).toBe(2);
  });

  test("unrolls a repeat in order and gives its timing to its first step", () => {
    const steps: Step[] = [
      {
        within,
        at: 2_000,
        action: {
          verb: "repeat",
          times: 2,
          steps: [
            { within, action: { verb: "kill", pod: "any", count: 1 } },
            { within: 9, when: { recovered: true }, action: { verb: "wait", recovered: true } },
          ],
        },
      },
    ];
    expect(planSteps(steps, 1).map(({ label, at, action }) => [label, at, action.verb])).toEqual([
      ["1.1 (1 of 2)", 2_000, "kill"],
      ["1.2 (1 of 2)", undefined, "wait"],
      ["1.1 (2 of 2)", undefined, "kill"],
      ["1.2 (2 of 2)", undefined, "wait"],
    ]);
  });
});

describe("pickSome", () => {
  test("picks so many different ones, the same for the same draw", () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.nat(), { maxLength: 20 }),
        fc.nat(25),
        fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
        (from, count, draw) => {
          const picked = pickSome(from, count, draw);
          expect(picked).toHaveLength(Math.min(count, from.length));
          expect(new Set(picked).size).toBe(picked.length);
          expect(picked.every((one) => from.includes(one))).toBe(true);
          expect(pickSome(from, count, draw)).toEqual(picked);
        },
      ),
    );
  });
});
