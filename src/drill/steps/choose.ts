// Whom a step hits. Pure but for the reading: the step's draw decides among those that may be hit, in an order that is the same in every run.
import { labelMatcherOf } from "../../api/selectors.ts";
import { statusOf } from "../cluster.ts";
import { inPlace, type PodSeen, type World } from "../observe/world.ts";
import { pickSome } from "../random.ts";
import type { StepContext } from "./context.ts";

/** Ready pods first; one that is not is better than none. */
export async function choosePods(
  context: StepContext,
  target: string,
  { count, draw }: { readonly count: number; readonly draw: number },
): Promise<PodSeen[]> {
  const found = () => candidates(context, target);
  await context.observer.until(() => found().some(({ isReady }) => isReady), patience(context.signal));
  const all = found();
  const ready = all.filter(({ isReady }) => isReady);
  const from = ready.length > 0 ? ready : all;
  if (from.length === 0)
    throw new Error(target === "any" ? "no pod serves the traffic" : `there is no pod of ${target}`);
  return pickSome(inPlace(from), count, draw);
}

// A replacement may be on its way.
const PATIENCE_MS = 5_000;
const patience = (signal: AbortSignal) => AbortSignal.any([signal, AbortSignal.timeout(PATIENCE_MS)]);

function candidates(context: StepContext, target: string): PodSeen[] {
  const world = context.observer.world();
  if (target === "any") return world.pods.filter((pod) => servesTraffic(context, world, pod));
  const [type, name] = target.split("/");
  const own = world.pods.filter((pod) => pod.namespace === context.namespace && !pod.isEnding);
  if (type === "pod") return own.filter((pod) => pod.name === name);
  const workload = world.workloads.find(
    (each) => each.name === target && each.namespace === context.namespace,
  );
  return own.filter((pod) => workload?.matches(pod.labels));
}

function servesTraffic({ services }: StepContext, world: World, pod: PodSeen): boolean {
  if (pod.isEnding || !world.endpoints.has(pod.uid)) return false;
  return services.some(
    ({ namespace, selector }) => namespace === pod.namespace && labelMatcherOf(selector)(pod.labels),
  );
}

/** The node that a step means: named, the last one, or drawn from those that run. */
export async function chooseNode(context: StepContext, wanted: string, draw: number): Promise<string> {
  const { nodes } = await statusOf(context.cluster);
  const names = nodes.map(({ name }) => name);
  if (wanted === "last") {
    if (context.lastNode === undefined) throw new Error("no step before has chosen a node");
    return context.lastNode;
  }
  if (wanted !== "any" && wanted !== "serving") {
    if (!names.includes(wanted))
      throw new Error(`there is no node ${JSON.stringify(wanted)}; there are ${names.join(", ")}`);
    return wanted;
  }
  const running = nodes.filter(({ state }) => state === "running").map(({ name }) => name);
  const world = context.observer.world();
  const serving = new Set(
    world.pods.filter((pod) => servesTraffic(context, world, pod)).map(({ node }) => node),
  );
  const from = (wanted === "serving" ? running.filter((name) => serving.has(name)) : running).sort();
  const [chosen] = pickSome(from, 1, draw);
  if (!chosen) throw new Error(wanted === "serving" ? "no running node serves the traffic" : "no node runs");
  return chosen;
}
