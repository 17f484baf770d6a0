// The status of a pod, made of its spec and what runs. Pure; the words and rules are the kubelet's (generateAPIPodStatus,
// getPhase, the Generate…Condition functions). Conditions that others own are left alone.
import type {
  ContainerState as ApiState,
  ContainerStateTerminated,
  ContainerStatus,
  Pod,
  PodCondition,
  PodStatus,
} from "../../../src/api/generated/types.ts";
import { timestamp } from "../../../src/base/clock.ts";
import { type ContainerState, containerSpec, isInit, type PodState, type Termination } from "./state.ts";

export interface StatusInput {
  readonly pod: Readonly<Pod>;
  readonly state: PodState;
  readonly hostIP: string;
  readonly now: number;
}

/** There while the pod waits for what pods/resize asked for. */
export const RESIZE_PENDING = "PodResizePending";

/** What the node has to say of a pod: the fields of its status that a kubelet owns. */
export function podStatus({ pod, state, hostIP, now }: StatusInput): PodStatus {
  const init = state.containers.filter(isInit);
  const ephemeral = state.containers.filter(({ role }) => role === "ephemeral");
  const apps = state.containers.filter(({ role }) => role === "app");
  const phase = podPhase(pod, state);
  const statuses = apps.map((container) =>
    containerStatus(pod, container, { state, hasInit: init.length > 0 }),
  );
  const initStatuses = init.map((container) => containerStatus(pod, container, { state, hasInit: true }));
  const status: PodStatus = {
    phase,
    ...(pod.metadata.generation ? { observedGeneration: pod.metadata.generation } : {}),
    hostIP,
    hostIPs: [{ ip: hostIP }],
    ...(state.podIP ? { podIP: state.podIP, podIPs: [{ ip: state.podIP }] } : {}),
    ...(state.startTime !== undefined ? { startTime: timestamp(state.startTime) } : {}),
    ...(state.failure ?? {}),
    ...(pod.status?.qosClass ? { qosClass: pod.status.qosClass } : {}),
    conditions: [],
    containerStatuses: statuses,
    ...(init.length > 0 ? { initContainerStatuses: initStatuses } : {}),
    ...(ephemeral.length > 0
      ? {
          ephemeralContainerStatuses: ephemeral.map((one) =>
            containerStatus(pod, one, { state, hasInit: false }),
          ),
        }
      : {}),
  };
  const conditions = conditionsOf(pod, state, { phase, statuses, initStatuses });
  return { ...status, conditions: conditions.map((condition) => withTimes(pod, condition, now)) };
}

/** The kubelet's getPhase. */
export function podPhase(
  pod: Readonly<Pod>,
  state: PodState,
): "Pending" | "Running" | "Succeeded" | "Failed" {
  if (state.failure) return "Failed";
  // A pod whose end was written stays ended, whatever happens to its node.
  const written = pod.status?.phase;
  if (written === "Succeeded" || written === "Failed") return written;
  const policy = pod.spec?.restartPolicy ?? "Always";
  const init = state.containers.filter(({ role }) => role === "init");
  if (!state.initialized && policy === "Never" && init.some((one) => one.last && one.last.exitCode !== 0)) {
    const ended = state.containers.every(({ running }) => !running);
    return ended ? "Failed" : "Pending";
  }
  const sidecarsStarted = state.containers.every(
    (one) => one.role !== "sidecar" || one.last !== undefined || (one.running && one.started),
  );
  if (!state.initialized || !sidecarsStarted) return "Pending";
  const apps = state.containers.filter(({ role }) => role === "app");
  if (apps.some(({ running, last }) => !running && !last)) return "Pending";
  if (apps.some(({ running }) => running)) return "Running";
  const ended = apps.every(({ last }) => last !== undefined);
  if (!ended || policy === "Always") return "Running";
  if (apps.every(({ last }) => last?.exitCode === 0))
    return state.containers.some(({ running }) => running) ? "Running" : "Succeeded";
  if (policy === "OnFailure") return "Running";
  return state.containers.some(({ running }) => running) ? "Running" : "Failed";
}

function containerStatus(
  pod: Readonly<Pod>,
  container: ContainerState,
  { state: podState, hasInit }: { state: PodState; hasInit: boolean },
): ContainerStatus {
  const given = podState.resize?.allocated.get(container.name);
  const { running, last, beforeLast, waiting } = container;
  const state: ApiState = running
    ? { running: { startedAt: timestamp(running.startedAt) } }
    : waiting
      ? { waiting: { ...waiting } }
      : last
        ? { terminated: terminated(last) }
        : { waiting: { reason: hasInit ? "PodInitializing" : "ContainerCreating" } };
  const shownLast = running || waiting ? last : beforeLast;
  const ready = isReady(container);
  const containerID = running ? `process://${running.pid}` : last?.containerID;
  return {
    name: container.name,
    state,
    lastState: shownLast ? { terminated: terminated(shownLast) } : {},
    ready,
    restartCount: container.restartCount,
    image: containerSpec(pod, container.name)?.image ?? "",
    imageID: container.imageID,
    ...(containerID ? { containerID } : {}),
    started: running !== undefined && container.started,
    ...(running && given?.requests ? { allocatedResources: given.requests } : {}),
    ...(running && (given?.requests || given?.limits) ? { resources: given } : {}),
  };
}

function isReady({ role, running, last, ready }: ContainerState): boolean {
  if (role === "init") return !running && last?.exitCode === 0;
  // Nothing is ever sent to an ephemeral container.
  return role !== "ephemeral" && running !== undefined && ready;
}

function terminated(end: Termination): ContainerStateTerminated {
  return {
    exitCode: end.exitCode,
    ...(end.signal ? { signal: end.signal } : {}),
    reason: end.reason,
    ...(end.message ? { message: end.message } : {}),
    startedAt: timestamp(end.startedAt),
    finishedAt: timestamp(end.finishedAt),
    containerID: end.containerID,
  };
}

interface Summary {
  readonly phase: string;
  readonly statuses: readonly ContainerStatus[];
  readonly initStatuses: readonly ContainerStatus[];
}

type Condition = Pick<PodCondition, "type" | "status" | "reason" | "message">;

function conditionsOf(pod: Readonly<Pod>, state: PodState, summary: Summary): Condition[] {
  const containersReady = containersReadyCondition(state, summary);
  return [
    { type: "PodReadyToStartContainers", status: state.sandbox ? "True" : "False" },
    initializedCondition(state, summary),
    readyCondition(pod, containersReady),
    containersReady,
    { type: "PodScheduled", status: "True" },
    ...(state.resize?.pending ? [{ type: RESIZE_PENDING, status: "True", ...state.resize.pending }] : []),
  ];
}

function initializedCondition(state: PodState, { phase, initStatuses }: Summary): Condition {
  const type = "Initialized";
  const incomplete = initStatuses.filter((status) => {
    const sidecar = state.containers.find(({ name }) => name === status.name)?.role === "sidecar";
    return sidecar ? !status.started : !status.ready;
  });
  if (phase === "Succeeded") return { type, status: "True", reason: "PodCompleted" };
  // Once the app containers have started, a sidecar that is down does not take it back.
  if (incomplete.length === 0 || (state.initialized && hasAppRun(state))) return { type, status: "True" };
  const names = incomplete.map(({ name }) => name).join(" ");
  return {
    type,
    status: "False",
    reason: "ContainersNotInitialized",
    message: `containers with incomplete status: [${names}]`,
  };
}

const hasAppRun = (state: PodState) =>
  state.containers.some(({ role, running, last }) => role === "app" && (running || last));

function containersReadyCondition(state: PodState, { phase, statuses, initStatuses }: Summary): Condition {
  const type = "ContainersReady";
  if (phase === "Succeeded") return { type, status: "False", reason: "PodCompleted" };
  if (phase === "Failed") return { type, status: "False", reason: "PodFailed" };
  const sidecars = initStatuses.filter(
    ({ name }) => state.containers.find((one) => one.name === name)?.role === "sidecar",
  );
  const unready = [...sidecars, ...statuses].filter(({ ready }) => !ready).map(({ name }) => name);
  if (unready.length === 0) return { type, status: "True" };
  return {
    type,
    status: "False",
    reason: "ContainersNotReady",
    message: `containers with unready status: [${unready.join(" ")}]`,
  };
}

function readyCondition(pod: Readonly<Pod>, containersReady: Condition): Condition {
  if (containersReady.status !== "True") return { ...containersReady, type: "Ready" };
  const messages: string[] = [];
  for (const { conditionType } of pod.spec?.readinessGates ?? []) {
    const found = pod.status?.conditions?.find(({ type }) => type === conditionType);
    if (!found)
      messages.push(`corresponding condition of pod readiness gate "${conditionType}" does not exist.`);
    else if (found.status !== "True")
      messages.push(`the status of pod readiness gate "${conditionType}" is not "True", but ${found.status}`);
  }
  if (messages.length === 0) return { type: "Ready", status: "True" };
  return { type: "Ready", status: "False", reason: "ReadinessGatesNotReady", message: messages.join(", ") };
}

/** Keeps the transition time of a condition whose status did not change. */
function withTimes(pod: Readonly<Pod>, condition: Condition, now: number): PodCondition {
  const before = pod.status?.conditions?.find(({ type }) => type === condition.type);
  const same = before?.status === condition.status && before.lastTransitionTime;
  return {
    type: condition.type,
    ...(pod.metadata.generation ? { observedGeneration: pod.metadata.generation } : {}),
    status: condition.status,
    ...(condition.reason ? { reason: condition.reason } : {}),
    ...(condition.message ? { message: condition.message } : {}),
    lastTransitionTime: same || timestamp(now),
  };
}
