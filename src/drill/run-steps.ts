// The steps of a drill, one after another, each when its time has come and its condition holds.
import { systemClock } from "../base/clock.ts";
import type { PlannedStep } from "./plan-steps.ts";
import type { StepDone } from "./report/report.ts";
import { holds, isRolledOut } from "./steps/conditions.ts";
import type { StepContext } from "./steps/context.ts";
import { perform } from "./steps/perform.ts";
import { preciseNow } from "./traffic/protocol.ts";

/** Ends with the first step that cannot be done, whose reason is the `problem`, and when the signal aborts. */
export async function runSteps(
  context: StepContext,
  steps: readonly PlannedStep[],
  progress: (doing: string) => void,
): Promise<{ steps: StepDone[]; problem?: string }> {
  const done: StepDone[] = [];
  for (const step of steps) {
    const title = step.name ?? step.action.verb;
    try {
      progress(`waiting to ${title}`);
      await awaitTurn(context, step);
      if (context.signal.aborted) break;
      progress(title);
      const finished = await runStep(context, step);
      if (step.action.verb !== "wait") {
        done.push(finished);
        context.observer.note("step", finished.text, finished.at);
      }
    } catch (error) {
      if (context.signal.aborted) break;
      return {
        steps: done,
        problem: `step ${step.label} (${title}): ${error instanceof Error ? error.message : String(error)}`,
      };
    }
  }
  return { steps: done };
}

async function awaitTurn(context: StepContext, { at, after, when, within }: PlannedStep): Promise<void> {
  const { signal, traffic, observer } = context;
  if (after !== undefined) await systemClock.sleep(after, signal);
  if (at !== undefined) await systemClock.sleep(traffic.startedAt + at - systemClock.now(), signal);
  if (!when) return;
  const limit = AbortSignal.any([signal, AbortSignal.timeout(within)]);
  if (when.sent !== undefined) void traffic.whenSent(when.sent).then(() => observer.look());
  const isMet = await observer.until(() => holds(context, when), limit);
  if (!isMet && !signal.aborted)
    throw new Error(`${JSON.stringify(when)} did not come to hold within ${within / 1_000} s`);
}

async function runStep(context: StepContext, step: PlannedStep): Promise<StepDone> {
  const at = preciseNow();
  const about = { label: step.label, at, ...(step.name === undefined ? {} : { name: step.name }) };
  const { action } = step;
  if (action.verb === "wait") {
    const { verb: _, ...when } = action;
    await awaitTurn(context, { ...step, when, at: undefined, after: undefined } as unknown as PlannedStep);
    return { ...about, text: "waited", victims: 0 };
  }
  const { text, fault, rollout } = await perform(context, step);
  if (fault) {
    const victims = fault.fault.victims.length;
    return { ...about, at: fault.fault.at, text, victims, recovery: fault.recovery };
  }
  if (!rollout) return { ...about, text, victims: 0 };
  const recovery = {};
  void followRollout(context, rollout, { at, recovery });
  return { ...about, text, victims: 0, recovery };
}

/** Says when the rollout is finished; one that fails, or that another overtakes, is the matter of whoever expects it. */
async function followRollout(
  context: StepContext,
  target: string,
  { at, recovery }: { readonly at: number; readonly recovery: { rolledOut?: number } },
): Promise<void> {
  const key = `${context.namespace}/${target}`;
  const own = context.generations.get(key);
  const isOvertaken = () => context.generations.get(key) !== own;
  try {
    await context.observer.until(() => isOvertaken() || isRolledOut(context, target), context.signal);
    if (!isOvertaken() && !context.signal.aborted) recovery.rolledOut = preciseNow() - at;
  } catch {
    // Its deadline has passed.
  }
}
