// What a pod needs next. Pure: the pod as the API has it, what runs, and the time in; orders out. Called again after
// every change, so it never remembers anything. Source of the rules: the kubelet's computePodActions.
import type { Pod } from "../../../src/api/generated/types.ts";
import { goDuration } from "./go-duration.ts";
import { type ContainerState, isInit, type PodState, shouldRestart, type Waiting } from "./state.ts";

export interface PodPlan {
  /** Start these, in order. */
  readonly start: readonly string[];
  /** Stop these. */
  readonly stop: readonly string[];
  /** Why containers that have ended do not start yet. */
  readonly waiting: ReadonlyMap<string, Waiting>;
  /** Every container has ended and none is to run again. */
  readonly finished: boolean;
  /** The deadline has passed: the pod fails with this. */
  readonly failure?: { readonly reason: string; readonly message: string };
  /** Look again at this time (milliseconds since the epoch), if nothing happens before. */
  readonly wakeAt?: number;
}

interface Draft {
  start: string[];
  stop: string[];
  waiting: Map<string, Waiting>;
  wakeAt: number;
}

/** What must be started and stopped now. The pod is not being deleted (the worker ends such pods itself). */
export function planPod(pod: Readonly<Pod>, state: PodState, now: number): PodPlan {
  const draft: Draft = { start: [], stop: [], waiting: new Map(), wakeAt: Number.POSITIVE_INFINITY };
  const failure = state.failure ?? deadline(pod, state, draft, now);
  if (failure) return { ...planEnd(state, draft), failure };
  planEphemeral(state, draft);
  const init = state.containers.filter(isInit);
  const initResult = planInit(pod, init, { state, draft, now });
  if (initResult === "failed") return planEnd(state, draft);
  if (initResult === "done") {
    const apps = state.containers.filter(({ role }) => role === "app");
    for (const container of apps) planStart(pod, container, draft, now);
    const over = apps.every((container) => isOver(pod, container));
    if (over) return planEnd(state, { ...draft, start: [] });
  }
  return result(draft, false);
}

/** Each is started once, whatever state the pod is in. */
function planEphemeral(state: PodState, draft: Draft): void {
  for (const { name, role, running, last } of state.containers)
    if (role === "ephemeral" && !running && !last) draft.start.push(name);
}

const result = ({ start, stop, waiting, wakeAt }: Draft, finished: boolean): PodPlan => ({
  start,
  stop,
  waiting,
  finished,
  ...(Number.isFinite(wakeAt) ? { wakeAt } : {}),
});

/** Nothing is started any more; app containers stop first, then sidecars, the last one first. */
function planEnd(state: PodState, draft: Draft): PodPlan {
  const running = state.containers.filter(({ running }) => running);
  const others = running.filter(({ role }) => role !== "sidecar");
  const next = others.length > 0 ? others : running.slice(-1);
  return result({ ...draft, start: [], stop: next.map(({ name }) => name) }, running.length === 0);
}

function deadline(pod: Readonly<Pod>, state: PodState, draft: Draft, now: number): PodPlan["failure"] {
  const seconds = pod.spec?.activeDeadlineSeconds;
  if (seconds === undefined || state.startTime === undefined) return undefined;
  const at = state.startTime + seconds * 1000;
  if (now >= at)
    return {
      reason: "DeadlineExceeded",
      message: "Pod was active on the node longer than the specified deadline",
    };
  draft.wakeAt = Math.min(draft.wakeAt, at);
  return undefined;
}

/**
 * Init containers one after another; a sidecar counts as done once it has started (its startup probe included). Once
 * all init containers have ended well only the sidecars are looked after.
 */
function planInit(
  pod: Readonly<Pod>,
  init: readonly ContainerState[],
  { state, draft, now }: { state: PodState; draft: Draft; now: number },
): "done" | "waiting" | "failed" {
  if (state.initialized) {
    const apps = state.containers.filter(({ role }) => role === "app");
    // Sidecars are not brought back for a pod whose work is over.
    if (!apps.every((container) => isOver(pod, container)))
      for (const container of init) if (container.role === "sidecar") planStart(pod, container, draft, now);
    return init.every((container) => container.role === "init" || hasStarted(container) || apps.some(hasRun))
      ? "done"
      : "waiting";
  }
  for (const container of init) {
    if (container.role === "sidecar") {
      planStart(pod, container, draft, now);
      if (!hasStarted(container)) return "waiting";
      continue;
    }
    if (container.running) return "waiting";
    if (container.last?.exitCode === 0) continue;
    if (container.last && !shouldRestart(pod, container, container.last.exitCode)) return "failed";
    planStart(pod, container, draft, now);
    return "waiting";
  }
  return "done";
}

const hasStarted = (container: ContainerState) => container.running !== undefined && container.started;
const hasRun = (container: ContainerState) => container.running !== undefined || container.last !== undefined;

function isOver(pod: Readonly<Pod>, container: ContainerState): boolean {
  return (
    !container.running &&
    container.last !== undefined &&
    !shouldRestart(pod, container, container.last.exitCode)
  );
}

/** Orders a start, or says until when the back-off lasts. */
function planStart(pod: Readonly<Pod>, container: ContainerState, draft: Draft, now: number): void {
  if (container.running) return;
  const { last, backoffMs } = container;
  if (last && !shouldRestart(pod, container, last.exitCode)) return;
  const until = last && backoffMs !== undefined ? last.finishedAt + backoffMs : now;
  if (now >= until) {
    draft.start.push(container.name);
    return;
  }
  draft.wakeAt = Math.min(draft.wakeAt, until);
  draft.waiting.set(container.name, {
    reason: "CrashLoopBackOff",
    message: `back-off ${goDuration(backoffMs ?? 0)} restarting failed container=${container.name} pod=${podLabel(pod)}`,
  });
}

/** `web-x_default(uid)`: how the kubelet names a pod in messages. */
export function podLabel(pod: Readonly<Pod>): string {
  const { name, namespace, uid } = pod.metadata;
  return `${name}_${namespace}(${uid})`;
}

/**
 * The back-off that a restart leads to: none before the first, then doubling up to the ceiling; a run that lasted long
 * enough starts it over. Worked example (Kubernetes' numbers): ends 1, 2, 3 … of a container that dies at once are
 * followed by waits of 0 s, 10 s, 20 s, 40 s … 300 s.
 */
export function nextBackoff(
  before: number | undefined,
  ranMs: number,
  timing: { crashBackoffMs: number; crashBackoffMaxMs: number; crashBackoffResetMs: number },
): number {
  if (before === undefined || ranMs > timing.crashBackoffResetMs) return timing.crashBackoffMs;
  return Math.min(before * 2, timing.crashBackoffMaxMs);
}
