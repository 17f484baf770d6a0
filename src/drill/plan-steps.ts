// From a drill's steps and its seed to the one list that is run: repeats and mixes unrolled, and with every step the number that decides
// whom it hits. The same seed gives the same list; what the cluster does meanwhile cannot change it.
import type { Action, Step } from "./drill.ts";
import { createRandom, type Random } from "./random.ts";

export type SingleAction = Exclude<Action, { verb: "repeat" | "mix" }>;

export interface PlannedStep extends Omit<Step, "action"> {
  /** Where it stands in the file, and in which round: `2`, `3.1 (2 of 5)`. */
  readonly label: string;
  readonly action: SingleAction;
  /** From 0 up to 1: which of those that may be hit is. */
  readonly draw: number;
}

export function planSteps(steps: readonly Step[], seed: number): PlannedStep[] {
  return unroll(steps, "", createRandom(seed));
}

/**
 * The timing of a repeat or mix is its first round's; a round's own steps have their own.
 *
 *     - {at: 2s, repeat: {times: 2, steps: [{kill: …}, {wait: …}]}}   →   kill at 2s, wait, kill, wait
 */
function unroll(steps: readonly Step[], above: string, random: Random): PlannedStep[] {
  return steps.flatMap((step, index) => {
    const place = `${above}${index + 1}`;
    const { action, ...timing } = step;
    if (action.verb !== "repeat" && action.verb !== "mix")
      return [{ ...timing, label: place, action, draw: random() }];
    const rounds = Array.from({ length: action.times }, (_, round) => {
      const chosen =
        action.verb === "repeat"
          ? action.steps
          : [action.of[Math.floor(random() * action.of.length)] as Step];
      return unroll(chosen, `${place}.`, random).map((each) => ({
        ...each,
        label: `${each.label} (${round + 1} of ${action.times})`,
      }));
    }).flat();
    const [first, ...rest] = rounds;
    return first ? [joined(timing, first), ...rest] : [];
  });
}

/** Whatever the outer step waits for, the first inner one waits for as well: its own `after` and `when` win. */
const joined = (outer: Omit<Step, "action">, inner: PlannedStep): PlannedStep => ({
  ...inner,
  ...(outer.at === undefined ? {} : { at: outer.at }),
  ...(inner.after === undefined && outer.after !== undefined ? { after: outer.after } : {}),
  ...(inner.when === undefined && outer.when !== undefined ? { when: outer.when, within: outer.within } : {}),
  ...(inner.name === undefined && outer.name !== undefined ? { name: outer.name } : {}),
});
