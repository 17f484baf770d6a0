import { describe, expect, it } from "vitest";
import type {
  ContainerState,
  ContainerStatus,
  Pod,
  PodStatus,
} from "../../../../../src/api/generated/types.ts";
import { podKind } from "../../../../../src/api/kinds/pod.ts";
import { cells, pod } from "../examples.ts";

const container = (
  name: string,
  state: ContainerState,
  more: Partial<ContainerStatus> = {},
): ContainerStatus => ({
  name,
  state,
  image: "i",
  imageID: "",
  ready: false,
  restartCount: 0,
  ...more,
});
const running: ContainerState = { running: {} };
const ended = (exitCode: number, reason?: string): ContainerState => ({
  terminated: { exitCode, ...(reason ? { reason } : {}) },
});
const row = (status: PodStatus, more: Partial<Pod["spec"]> = {}, metadata: Partial<Pod["metadata"]> = {}) => {
  const object = pod(more);
  const now = Date.parse("2026-01-02T03:04:15Z");
  return cells(podKind, { ...object, metadata: { ...object.metadata, ...metadata }, status }, now);
};
const init = [{ name: "i", image: "i" }];
const sidecar = [{ name: "s", image: "s", restartPolicy: "Always" }];

describe("kubectl get pods", () => {
  it.each<[string, PodStatus, Partial<Pod["spec"]>, string, string]>([
    ["Pending", { phase: "Pending" }, {}, "0/1", "Pending"],
    [
      "a container being made",
      {
        phase: "Pending",
        containerStatuses: [container("web", { waiting: { reason: "ContainerCreating" } })],
      },
      {},
      "0/1",
      "ContainerCreating",
    ],
    [
      "running",
      { phase: "Running", containerStatuses: [container("web", running, { ready: true })] },
      {},
      "1/1",
      "Running",
    ],
    [
      "crashing",
      {
        phase: "Running",
        containerStatuses: [container("web", { waiting: { reason: "CrashLoopBackOff" } })],
      },
      {},
      "0/1",
      "CrashLoopBackOff",
    ],
    [
      "done",
      { phase: "Succeeded", containerStatuses: [container("web", ended(0, "Completed"))] },
      {},
      "0/1",
      "Completed",
    ],
    [
      "failed",
      { phase: "Failed", containerStatuses: [container("web", ended(1, "Error"))] },
      {},
      "0/1",
      "Error",
    ],
    [
      "exit code without reason",
      { phase: "Failed", containerStatuses: [container("web", ended(7))] },
      {},
      "0/1",
      "ExitCode:7",
    ],
    ["evicted", { phase: "Failed", reason: "Evicted" }, {}, "0/1", "Evicted"],
    [
      "initializing",
      { phase: "Pending", initContainerStatuses: [container("i", running)] },
      { initContainers: init },
      "0/1",
      "Init:0/1",
    ],
    [
      "init failing",
      { phase: "Pending", initContainerStatuses: [container("i", ended(1, "Error"))] },
      { initContainers: init },
      "0/1",
      "Init:Error",
    ],
    [
      "init crashing",
      {
        phase: "Pending",
        initContainerStatuses: [container("i", { waiting: { reason: "CrashLoopBackOff" } })],
      },
      { initContainers: init },
      "0/1",
      "Init:CrashLoopBackOff",
    ],
    [
      "initialized",
      {
        phase: "Pending",
        initContainerStatuses: [container("i", ended(0, "Completed"))],
        containerStatuses: [container("web", { waiting: { reason: "PodInitializing" } })],
      },
      { initContainers: init },
      "0/1",
      "PodInitializing",
    ],
    [
      "a sidecar beside it",
      {
        phase: "Running",
        conditions: [{ type: "Initialized", status: "True" }],
        initContainerStatuses: [container("s", running, { ready: true, started: true })],
        containerStatuses: [container("web", running, { ready: true })],
      },
      { initContainers: sidecar },
      "2/2",
      "Running",
    ],
  ])("%s", (_what, status, spec, ready, expected) => {
    expect(row(status, spec)).toMatchObject({ Ready: ready, Status: expected });
  });

  it("says Terminating while a pod is going, unless it has ended or its node is lost", () => {
    const going = { deletionTimestamp: "2026-01-02T03:04:06Z" };
    expect(row({ phase: "Running" }, {}, going)["Status"]).toBe("Terminating");
    expect(row({ phase: "Succeeded" }, {}, going)["Status"]).toBe("Succeeded");
    expect(row({ phase: "Running", reason: "NodeLost" }, {}, going)["Status"]).toBe("Unknown");
  });

  it("says how long ago the last restart was", () => {
    const lastState = { terminated: { exitCode: 1, finishedAt: "2026-01-02T03:04:10Z" } };
    const status = {
      containerStatuses: [container("web", running, { restartCount: 2, lastState, ready: true })],
    };
    expect(row({ phase: "Running", ...status })).toMatchObject({ Restarts: "2 (5s ago)", Age: "10s" });
    expect(row({ phase: "Running" })["Restarts"]).toBe("0");
  });

  it("has kubectl's wide columns", () => {
    expect(podKind.columns.filter(({ priority }) => priority === 1).map(({ name }) => name)).toEqual([
      "IP",
      "Node",
      "Nominated Node",
      "Readiness Gates",
    ]);
    expect(
      row({ podIP: "127.20.1.2", podIPs: [{ ip: "127.20.1.2" }] }, { nodeName: "node-1" }),
    ).toMatchObject({
      IP: "127.20.1.2",
      Node: "node-1",
      "Nominated Node": "<none>",
      "Readiness Gates": "<none>",
    });
  });
});
