// Ends one container: preStop hook and SIGTERM within the grace period, SIGKILL after it. The whole process group is
// meant each time; what escaped the group is swept when the pod has ended.
import type { NodeContext, PodRecord } from "../context.ts";
import type { PodEvents } from "../events.ts";
import { type ContainerState, containerSpec } from "../pod/state.ts";
import { runHook } from "./hooks.ts";

// The kubelet's minimumGracePeriodInSeconds: what is left for SIGTERM when a preStop hook has used up the grace period.
const LEAST_AFTER_HOOK_MS = 2_000;

export interface StopOptions {
  readonly state: ContainerState;
  /** 0: SIGKILL at once. */
  readonly graceMs: number;
  /** Where given, `Stopping container …` is recorded. */
  readonly events: PodEvents | undefined;
  /** Aborts the wait: SIGKILL at once. */
  readonly signal?: AbortSignal;
}

/** Resolves when the process has ended. */
export async function stopContainer(
  context: NodeContext,
  record: PodRecord,
  { state, graceMs, events, signal }: StopOptions,
): Promise<void> {
  const run = record.runs.get(state.name)?.at(-1);
  if (!run || (!state.running && state.last?.containerID === `process://${run.process.pid}`)) return;
  state.stopping = true;
  run.stopProbes();
  events?.stopping();
  const ended = run.process.exited.then(() => true);
  const aborted = new Promise<boolean>((resolve) => {
    if (signal?.aborted) resolve(false);
    signal?.addEventListener("abort", () => resolve(false), { once: true });
  });
  const until = async (limitMs: number) => {
    const timer = new AbortController();
    const result = await Promise.race([
      ended,
      aborted,
      context.clock.sleep(limitMs, timer.signal).then(() => false),
    ]);
    timer.abort();
    return result;
  };
  const deadline = context.clock.now() + graceMs;
  const container = containerSpec(record.pod, state.name);
  const hook = container?.lifecycle?.preStop;
  if (hook && container && graceMs > 0 && state.running) {
    const done = runHook(hook, { context, record, container, run }).then((failure) => {
      if (failure !== undefined) events?.hookFailed("PreStop", "PreStopHook failed");
    });
    await Promise.race([done, until(graceMs)]);
  }
  if (graceMs > 0 && !signal?.aborted) {
    run.process.signal("SIGTERM");
    const left = Math.max(deadline - context.clock.now(), hook ? LEAST_AFTER_HOOK_MS : 0);
    if (await until(left)) return;
  }
  run.process.signal("SIGKILL");
  await ended;
}
