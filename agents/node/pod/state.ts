// What the agent knows of a pod's containers: the memory that planPod decides on and that the status is made of. The
// worker alone writes it. Nothing of it outlives the agent: with the agent the processes are gone too.
import type { Container, Pod } from "../../../src/api/generated/types.ts";
import type { ResizePlan } from "./resize.ts";

export interface Waiting {
  readonly reason: string;
  readonly message?: string;
}

/** How one run of a container ended. Times in milliseconds since the epoch. */
export interface Termination {
  readonly exitCode: number;
  readonly signal?: number;
  readonly reason: string;
  readonly message?: string;
  readonly startedAt: number;
  readonly finishedAt: number;
  readonly containerID: string;
}

export interface Running {
  readonly pid: number;
  readonly startedAt: number;
}

/** init: runs to its end before the next; sidecar: an init container with restartPolicy Always; ephemeral: added later, runs once. */
export type Role = "init" | "sidecar" | "app" | "ephemeral";

/** Init containers in the API's sense: those of `spec.initContainers`. */
export const isInit = ({ role }: { readonly role: Role }): boolean => role === "init" || role === "sidecar";

export interface ContainerState {
  readonly name: string;
  readonly role: Role;
  /** Set while a process runs. */
  running: Running | undefined;
  /** Why it does not run, where that is not simply its turn. Cleared by a start. */
  waiting: Waiting | undefined;
  /** The newest run that ended. */
  last: Termination | undefined;
  /** The run before the newest ended one. */
  beforeLast: Termination | undefined;
  restartCount: number;
  /** A run of it has been started, in this life of the agent or an earlier one: the next start is a restart. */
  ran: boolean;
  /** The restart back-off: how long after `last.finishedAt` the next start may be; undefined: at once. */
  backoffMs: number | undefined;
  /** The startup probe has succeeded, or there is none. Meaningful while running. */
  started: boolean;
  /** The readiness probe's result; true where there is none. Meaningful while running. */
  ready: boolean;
  /** A stop has been ordered. */
  stopping: boolean;
  imageID: string;
}

export interface PodState {
  containers: readonly ContainerState[];
  /** All init containers have ended well once: they do not run again. */
  initialized: boolean;
  /** Set once the pod's sandbox (address, ports, volumes) is there. */
  sandbox: boolean;
  podIP: string | undefined;
  startTime: number | undefined;
  /** Undefined until the pod is admitted. */
  resize: ResizePlan | undefined;
  /** The pod was refused or its deadline passed: Failed, with this reason. */
  failure: { readonly reason: string; readonly message: string } | undefined;
}

/** The containers of a pod in the order in which they start, none of them run yet. */
export function createPodState(pod: Readonly<Pod>): PodState {
  const init = (pod.spec?.initContainers ?? []).map((container) =>
    createContainerState(container, container.restartPolicy === "Always" ? "sidecar" : "init"),
  );
  const app = (pod.spec?.containers ?? []).map((container) => createContainerState(container, "app"));
  return {
    containers: [...init, ...app],
    initialized: !init.some(({ role }) => role === "init"),
    sandbox: false,
    podIP: undefined,
    startTime: undefined,
    resize: undefined,
    failure: undefined,
  };
}

/** Takes up the containers that were added to a pod after its start. They stay in its spec for ever. */
export function noteEphemeral(pod: Readonly<Pod>, state: PodState): void {
  const added = (pod.spec?.ephemeralContainers ?? []).filter(
    ({ name }) => !state.containers.some((one) => one.name === name),
  );
  if (added.length > 0)
    state.containers = [...state.containers, ...added.map((one) => createContainerState(one, "ephemeral"))];
}

function createContainerState(container: { readonly name: string }, role: Role): ContainerState {
  return {
    name: container.name,
    role,
    running: undefined,
    waiting: undefined,
    last: undefined,
    beforeLast: undefined,
    restartCount: 0,
    ran: false,
    backoffMs: undefined,
    started: false,
    ready: false,
    stopping: false,
    imageID: "",
  };
}

/** The container's part of the pod's spec. */
export function containerSpec(pod: Readonly<Pod>, name: string): Container | undefined {
  const { initContainers = [], containers = [], ephemeralContainers = [] } = pod.spec ?? {};
  // An ephemeral container has the fields of any other, some of which validation forbids it.
  const all = [...initContainers, ...containers, ...(ephemeralContainers as Container[])];
  return all.find((container) => container.name === name);
}

/** True when a container that ended with `exitCode` is to run again. */
export function shouldRestart(pod: Readonly<Pod>, container: ContainerState, exitCode: number): boolean {
  if (container.role === "sidecar") return true;
  if (container.role === "ephemeral") return false;
  const spec = containerSpec(pod, container.name);
  const rule = spec?.restartPolicyRules?.find(({ exitCodes }) => {
    if (!exitCodes) return false;
    const listed = exitCodes.values?.includes(exitCode) ?? false;
    return exitCodes.operator === "In" ? listed : !listed;
  });
  if (rule) return rule.action === "Restart";
  const policy = spec?.restartPolicy ?? pod.spec?.restartPolicy ?? "Always";
  // An init container that succeeded is done whatever the policy.
  if (container.role === "init") return exitCode !== 0 && policy !== "Never";
  return policy === "Always" || (policy === "OnFailure" && exitCode !== 0);
}

/**
 * What an earlier life of the agent wrote of a pod: its processes are dead and its sandbox gone, so what ran counts as
 * ended with an unknown result and init containers run again, as after a node's reboot.
 */
export function restorePodState(pod: Readonly<Pod>, now: number): PodState {
  const state = createPodState(pod);
  noteEphemeral(pod, state);
  const { status } = pod;
  if (status?.startTime) state.startTime = Date.parse(status.startTime);
  const written = [
    ...(status?.initContainerStatuses ?? []),
    ...(status?.containerStatuses ?? []),
    ...(status?.ephemeralContainerStatuses ?? []),
  ];
  for (const container of state.containers) {
    const before = written.find(({ name }) => name === container.name);
    if (!before) continue;
    container.restartCount = before.restartCount;
    container.imageID = before.imageID;
    const { running, terminated } = before.state ?? {};
    const ended = terminated ?? before.lastState?.terminated;
    container.ran = running !== undefined || ended !== undefined;
    if (isInit(container)) continue;
    if (running)
      container.last = {
        exitCode: 255,
        reason: "Unknown",
        startedAt: Date.parse(running.startedAt ?? "") || now,
        finishedAt: now,
        containerID: before.containerID ?? "",
      };
    else if (ended)
      container.last = {
        exitCode: ended.exitCode,
        reason: ended.reason ?? "Error",
        ...(ended.message ? { message: ended.message } : {}),
        startedAt: Date.parse(ended.startedAt ?? "") || now,
        finishedAt: Date.parse(ended.finishedAt ?? "") || now,
        containerID: ended.containerID ?? "",
      };
  }
  return state;
}
