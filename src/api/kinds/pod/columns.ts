// The columns of `kubectl get pods`. STATUS is not the phase: it is what a person wants to know of the containers,
// worked out in the order of kubernetes/pkg/printers (printPod).
import type { ContainerState, ContainerStatus, Pod } from "../../generated/types.ts";
import { ageColumn, type Column, humanDuration, nameColumn } from "../../kind.ts";

export interface PodSummary {
  readonly ready: number;
  readonly total: number;
  readonly reason: string;
  readonly restarts: number;
  /** Milliseconds since the epoch; undefined when nothing was restarted. */
  readonly lastRestartAt: number | undefined;
}

export const podColumns: readonly Column<Pod>[] = [
  /* @__PURE__ */ nameColumn(),
  {
    name: "Ready",
    type: "string",
    priority: 0,
    description: "Ready containers of all containers.",
    value: (pod) => {
      const { ready, total } = summarizePod(pod);
      return `${ready}/${total}`;
    },
  },
  {
    name: "Status",
    type: "string",
    priority: 0,
    description: "What the pod's containers are doing, taken together.",
    value: (pod) => summarizePod(pod).reason,
  },
  {
    name: "Restarts",
    type: "string",
    priority: 0,
    description: "How often the pod's containers were restarted, and when last.",
    value: (pod, nowMs) => {
      const { restarts, lastRestartAt } = summarizePod(pod);
      if (restarts === 0 || lastRestartAt === undefined) return String(restarts);
      return `${restarts} (${humanDuration(nowMs - lastRestartAt)} ago)`;
    },
  },
  /* @__PURE__ */ ageColumn(),
  {
    name: "IP",
    type: "string",
    priority: 1,
    description: "Address of the pod.",
    value: ({ status }) => status?.podIPs?.[0]?.ip || status?.podIP || "<none>",
  },
  {
    name: "Node",
    type: "string",
    priority: 1,
    description: "The node the pod is bound to.",
    value: (pod) => pod.spec.nodeName || "<none>",
  },
  {
    name: "Nominated Node",
    type: "string",
    priority: 1,
    description: "The node on which the pod may preempt others.",
    value: (pod) => pod.status?.nominatedNodeName || "<none>",
  },
  {
    name: "Readiness Gates",
    type: "string",
    priority: 1,
    description: "True conditions of those the pod's readiness waits for.",
    value: readinessGates,
  },
];

function readinessGates(pod: Pod): string {
  const gates = pod.spec.readinessGates ?? [];
  if (gates.length === 0) return "<none>";
  const met = gates.filter((gate) => hasCondition(pod, gate.conditionType));
  return `${met.length}/${gates.length}`;
}

const hasCondition = (pod: Pod, type: string): boolean =>
  pod.status?.conditions?.find((condition) => condition.type === type)?.status === "True";

/** READY, STATUS and RESTARTS of a pod. */
export function summarizePod(pod: Pod): PodSummary {
  const { status } = pod;
  const sidecars = new Set(
    pod.spec.initContainers?.filter((one) => one.restartPolicy === "Always").map((one) => one.name),
  );
  const init = summarizeInit(pod, sidecars);
  const total = pod.spec.containers.length + sidecars.size;
  let reason = init.reason ?? ownReason(pod);
  let { ready, restarts, lastRestartAt } = init.all;
  if (init.reason === undefined || hasCondition(pod, "Initialized")) {
    ({ restarts, lastRestartAt } = init.sidecars);
    let running = false;
    // Backwards, so that the first container's word counts.
    for (const container of [...(status?.containerStatuses ?? [])].reverse()) {
      restarts += container.restartCount;
      lastRestartAt = later(lastRestartAt, container);
      const said = stateReason(container.state);
      if (said !== undefined) reason = said;
      else if (container.ready && container.state?.running) {
        running = true;
        ready++;
      }
    }
    if (reason === "Completed" && running) reason = hasCondition(pod, "Ready") ? "Running" : "NotReady";
  }
  return { ready, total, reason: deletionReason(pod) ?? reason, restarts, lastRestartAt };
}

function ownReason(pod: Pod): string {
  const gated = pod.status?.conditions?.some(
    ({ type, reason }) => type === "PodScheduled" && reason === "SchedulingGated",
  );
  return gated ? "SchedulingGated" : pod.status?.reason || pod.status?.phase || "";
}

function deletionReason(pod: Pod): string | undefined {
  if (!pod.metadata.deletionTimestamp) return undefined;
  if (pod.status?.reason === "NodeLost") return "Unknown";
  const ended = pod.status?.phase === "Succeeded" || pod.status?.phase === "Failed";
  return ended ? undefined : "Terminating";
}

interface Restarts {
  ready: number;
  restarts: number;
  lastRestartAt: number | undefined;
}

/** Walks the init containers up to the one that holds the pod back; `reason` says what it does, if there is one. */
function summarizeInit(
  pod: Pod,
  sidecars: ReadonlySet<string>,
): { all: Restarts; sidecars: Restarts; reason: string | undefined } {
  const all: Restarts = { ready: 0, restarts: 0, lastRestartAt: undefined };
  const ofSidecars: Restarts = { ready: 0, restarts: 0, lastRestartAt: undefined };
  for (const [index, container] of (pod.status?.initContainerStatuses ?? []).entries()) {
    const isSidecar = sidecars.has(container.name);
    for (const sum of isSidecar ? [all, ofSidecars] : [all]) {
      sum.restarts += container.restartCount;
      sum.lastRestartAt = later(sum.lastRestartAt, container);
    }
    const { terminated, waiting } = container.state ?? {};
    if (terminated?.exitCode === 0) continue;
    if (isSidecar && container.started) {
      if (container.ready) all.ready++;
      continue;
    }
    const count = pod.spec.initContainers?.length ?? 0;
    let reason = `Init:${index}/${count}`;
    if (terminated) reason = `Init:${stateReason(container.state)}`;
    else if (waiting?.reason && waiting.reason !== "PodInitializing") reason = `Init:${waiting.reason}`;
    return { all, sidecars: ofSidecars, reason };
  }
  return { all, sidecars: ofSidecars, reason: undefined };
}

function stateReason(state: ContainerState | undefined): string | undefined {
  if (state?.waiting?.reason) return state.waiting.reason;
  if (!state?.terminated) return undefined;
  const { reason, signal, exitCode } = state.terminated;
  return reason || (signal ? `Signal:${signal}` : `ExitCode:${exitCode}`);
}

function later(at: number | undefined, { lastState }: ContainerStatus): number | undefined {
  const ended = lastState?.terminated?.finishedAt;
  if (!ended) return at;
  const endedAt = Date.parse(ended);
  return at === undefined || endedAt > at ? endedAt : at;
}
