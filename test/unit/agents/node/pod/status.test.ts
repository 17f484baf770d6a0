import { describe, expect, it } from "vitest";
import { createPodState, type PodState, restorePodState } from "../../../../../agents/node/pod/state.ts";
import { podStatus } from "../../../../../agents/node/pod/status.ts";
import { statusPatch } from "../../../../../agents/node/pod/status-writer.ts";
import type { Pod, PodSpec, PodStatus } from "../../../../../src/api/generated/types.ts";

const NOW = Date.parse("2026-01-02T03:04:05Z");

function pod(spec: Partial<PodSpec>, status: PodStatus = {}): Pod {
  return {
    metadata: { name: "web", namespace: "default", uid: "u", creationTimestamp: "", resourceVersion: "1" },
    spec: { containers: [{ name: "a", image: "nginx" }], ...spec },
    status,
  };
}
const statusOf = (of: Pod, state: PodState) => podStatus({ pod: of, state, hostIP: "127.16.1.1", now: NOW });
const condition = (status: PodStatus, type: string) => status.conditions?.find((one) => one.type === type);
const run = (state: PodState, index = 0) =>
  Object.assign(state.containers[index]!, {
    running: { pid: 7, startedAt: NOW },
    started: true,
    ready: true,
  });
const end = (state: PodState, exitCode: number, index = 0) =>
  Object.assign(state.containers[index]!, {
    running: undefined,
    last: {
      exitCode,
      reason: exitCode === 0 ? "Completed" : "Error",
      startedAt: NOW,
      finishedAt: NOW,
      containerID: "",
    },
  });

describe("podStatus", () => {
  it("shows a container that is being created", () => {
    const web = pod({});
    const status = statusOf(web, createPodState(web));
    expect(status.phase).toBe("Pending");
    expect(status.containerStatuses?.[0]?.state).toEqual({ waiting: { reason: "ContainerCreating" } });
    expect(condition(status, "Ready")).toMatchObject({
      status: "False",
      reason: "ContainersNotReady",
      message: "containers with unready status: [a]",
    });
  });

  it("shows a running pod as Ready", () => {
    const web = pod({});
    const state = createPodState(web);
    run(state);
    const status = statusOf(web, state);
    expect(status.phase).toBe("Running");
    expect(status.containerStatuses?.[0]).toMatchObject({ ready: true, containerID: "process://7" });
    expect(condition(status, "Ready")).toMatchObject({ status: "True" });
  });

  it("says which init containers are not complete", () => {
    const web = pod({ initContainers: [{ name: "i" }] });
    const status = statusOf(web, createPodState(web));
    expect(condition(status, "Initialized")).toMatchObject({
      status: "False",
      reason: "ContainersNotInitialized",
      message: "containers with incomplete status: [i]",
    });
    expect(status.containerStatuses?.[0]?.state).toEqual({ waiting: { reason: "PodInitializing" } });
  });

  it.each([
    ["Never", 0, "Succeeded"],
    ["Never", 1, "Failed"],
    ["OnFailure", 0, "Succeeded"],
    ["OnFailure", 1, "Running"],
    ["Always", 0, "Running"],
  ])("with restartPolicy %s after exit code %i is %s", (restartPolicy, exitCode, phase) => {
    const web = pod({ restartPolicy });
    const state = createPodState(web);
    end(state, exitCode);
    expect(statusOf(web, state).phase).toBe(phase);
  });

  it("moves the last end to lastState while it waits", () => {
    const web = pod({});
    const state = createPodState(web);
    end(state, 1).waiting = { reason: "CrashLoopBackOff", message: "back-off" };
    const [status] = statusOf(web, state).containerStatuses ?? [];
    expect(status?.state).toEqual({ waiting: { reason: "CrashLoopBackOff", message: "back-off" } });
    expect(status?.lastState?.terminated).toMatchObject({ exitCode: 1, reason: "Error" });
  });

  it("holds Ready back for readiness gates", () => {
    const web = pod({ readinessGates: [{ conditionType: "x/y" }] });
    const state = createPodState(web);
    run(state);
    expect(condition(statusOf(web, state), "Ready")).toMatchObject({
      status: "False",
      reason: "ReadinessGatesNotReady",
      message: 'corresponding condition of pod readiness gate "x/y" does not exist.',
    });
    const open = pod(
      { readinessGates: [{ conditionType: "x/y" }] },
      { conditions: [{ type: "x/y", status: "True" }] },
    );
    expect(condition(statusOf(open, state), "Ready")).toMatchObject({ status: "True" });
  });

  it("keeps the transition time of what did not change", () => {
    const before = "2020-01-01T00:00:00Z";
    const web = pod({}, { conditions: [{ type: "Ready", status: "False", lastTransitionTime: before }] });
    const status = statusOf(web, createPodState(web));
    expect(condition(status, "Ready")?.lastTransitionTime).toBe(before);
    expect(condition(status, "Initialized")?.lastTransitionTime).toBe("2026-01-02T03:04:05Z");
  });
});

describe("restorePodState", () => {
  it("counts what ran in an earlier life of the agent as ended with an unknown result", () => {
    const web = pod(
      {},
      {
        containerStatuses: [
          {
            name: "a",
            image: "nginx",
            imageID: "",
            ready: true,
            restartCount: 2,
            containerID: "process://9",
            state: { running: { startedAt: "2026-01-02T03:00:00Z" } },
          },
        ],
      },
    );
    const [container] = restorePodState(web, NOW).containers;
    expect(container).toMatchObject({
      restartCount: 2,
      ran: true,
      last: { exitCode: 255, reason: "Unknown" },
    });
  });
});

describe("statusPatch", () => {
  it("is empty where nothing changed, whatever the order of the fields", () => {
    const status: PodStatus = { phase: "Running", conditions: [{ type: "Ready", status: "True" }] };
    const same: PodStatus = { conditions: [{ status: "True", type: "Ready" }], phase: "Running" };
    expect(statusPatch(status, same)).toEqual({});
  });

  it("nulls what a condition no longer has", () => {
    const before: PodStatus = { conditions: [{ type: "Ready", status: "False", reason: "R", message: "m" }] };
    expect(statusPatch(before, { conditions: [{ type: "Ready", status: "True" }] })).toEqual({
      conditions: [{ type: "Ready", status: "True", reason: null, message: null }],
    });
  });

  it("replaces the addresses of a pod that got another one", () => {
    const patch = statusPatch({ podIPs: [{ ip: "1.1.1.1" }] }, { podIPs: [{ ip: "2.2.2.2" }] });
    expect(patch).toEqual({ podIPs: [{ $patch: "replace" }, { ip: "2.2.2.2" }] });
  });
});
