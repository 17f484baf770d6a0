// Whether a condition of a drill holds now.
import { rolloutProgress } from "../../client/rollout.ts";
import type { Condition } from "../drill.ts";
import { isComplete, podsOf } from "../observe/world.ts";
import type { StepContext } from "./context.ts";

/** Throws where it cannot come to hold any more: a rollout that has failed. */
export function holds(context: StepContext, condition: Condition): boolean {
  const { observer, traffic } = context;
  const { recovered, rolledOut, ready, nodeReady, nodeNotReady, sent } = condition;
  if (recovered === true) return hasRecovered(context);
  if (rolledOut !== undefined) return isRolledOut(context, rolledOut);
  if (ready !== undefined) {
    const world = observer.world();
    const workload = world.workloads.find(({ name }) => name === ready.workload);
    return (
      workload !== undefined &&
      podsOf(world, workload).filter(({ isReady }) => isReady).length === ready.replicas
    );
  }
  const named = (node: string) => (node === "last" ? (context.lastNode ?? "") : node);
  if (nodeReady !== undefined) return observer.world().readyNodes.has(named(nodeReady));
  if (nodeNotReady !== undefined) return !observer.world().readyNodes.has(named(nodeNotReady));
  return sent === undefined || traffic.counts.sent >= sent;
}

export function hasRecovered({ observer, generations }: StepContext): boolean {
  const isSeen = [...generations].every(([key]) => isCurrent({ observer, generations }, key));
  return (
    isSeen &&
    observer.faults.every(({ recovery }) => recovery.fullReplicas ?? recovery.back) &&
    isComplete(observer.world())
  );
}

const place = (key: string): [string, string] => {
  const slash = key.indexOf("/");
  return [key.slice(0, slash), key.slice(slash + 1)];
};

/** The watch has seen what a step wrote. */
function isCurrent({ observer, generations }: Pick<StepContext, "observer" | "generations">, key: string) {
  const found = observer.workload(...place(key));
  return found === undefined || (found.object.metadata.generation ?? 0) >= (generations.get(key) ?? 0);
}

export function isRolledOut(
  context: Pick<StepContext, "observer" | "generations" | "namespace">,
  target: string,
): boolean {
  const found = context.observer.workload(context.namespace, target);
  if (!found) throw new Error(`there is no ${target} in ${context.namespace}`);
  if (!isCurrent(context, `${context.namespace}/${target}`)) return false;
  const { done, failed, message } = rolloutProgress(found.kind, found.object);
  if (failed) throw new Error(message);
  return done;
}
