// One step, done. What it says and what is to be watched afterwards is the result.
import type { TrackedFault } from "../observe/observe.ts";
import type { PlannedStep } from "../plan-steps.ts";
import type { StepContext } from "./context.ts";
import { killPods, killProgram } from "./kill.ts";
import { degrade, delayEndpoints, restore } from "./links.ts";
import { onNode } from "./nodes.ts";
import { apply, deletePods, patch, rolloutRestart, rolloutUndo, scale, setImage } from "./objects.ts";

export interface Performed {
  /** For the timeline: `killed web-abc`. */
  readonly text: string;
  /** What is followed until the cluster has recovered. */
  readonly fault?: TrackedFault;
  /** The workload whose rollout began. */
  readonly rollout?: string;
}

/** Does it; what cannot be done is thrown in one line. */
export function perform(context: StepContext, { action, draw }: PlannedStep): Promise<Performed> {
  switch (action.verb) {
    case "kill": {
      const { pod, container, node, program, count } = action;
      if (program !== undefined) return killProgram(context, { program, count, draw });
      if (node !== undefined) return onNode(context, { verb: "kill", node, draw });
      const target = pod ?? container ?? "any";
      return killPods(context, { target, whole: pod !== undefined, count, draw });
    }
    case "delete":
      return deletePods(context, action, draw);
    case "apply":
      return apply(context, action);
    case "patch":
      return patch(context, action);
    case "scale":
      return scale(context, action);
    case "setImage":
      return setImage(context, action);
    case "rolloutRestart":
      return rolloutRestart(context, action);
    case "rolloutUndo":
      return rolloutUndo(context, action);
    case "degrade":
      return degrade(context, action, draw);
    case "delayEndpoints":
      return delayEndpoints(context, action);
    case "restore":
      return restore(context);
    case "wait":
      return Promise.resolve({ text: "waited" });
    default:
      return onNode(context, { verb: action.verb, node: action.node, draw });
  }
}
