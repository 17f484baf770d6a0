import { describe, expect, it } from "vitest";
import { planResize } from "../../../../../agents/node/pod/resize.ts";
import { createPodState } from "../../../../../agents/node/pod/state.ts";
import { podStatus } from "../../../../../agents/node/pod/status.ts";
import { statusPatch } from "../../../../../agents/node/pod/status-writer.ts";
import type { Pod } from "../../../../../src/api/generated/types.ts";

const asks = (cpu: string, name = "web"): Pod => ({
  metadata: { name, namespace: "default", uid: name, creationTimestamp: "", resourceVersion: "1" },
  spec: { containers: [{ name: "main", image: "nginx", resources: { requests: { cpu } } }] },
});
const room = (others: Pod[] = []) => ({ others, allocatable: { cpu: "2", memory: "1Gi", pods: "10" } });
const given = (cpu: string) => new Map([["main", { requests: { cpu } }]]);

describe("planResize", () => {
  it("gives a pod that is admitted what it asks for", () => {
    expect(planResize(asks("500m"), undefined, room())).toEqual({ allocated: given("500m") });
  });

  it.each([
    ["grows where there is room", "1500m", [], given("1500m"), undefined],
    ["shrinks", "100m", [asks("1900m", "other")], given("100m"), undefined],
    [
      "waits for others",
      "1500m",
      [asks("1", "other")],
      given("500m"),
      {
        reason: "Deferred",
        message: "Node didn't have enough resource: cpu, requested: 1500, used: 1000, capacity: 2000",
      },
    ],
    [
      "cannot outgrow the node",
      "3",
      [],
      given("500m"),
      {
        reason: "Infeasible",
        message: "Node didn't have enough capacity: cpu, requested: 3000, capacity: 2000",
      },
    ],
  ])("%s", (_what, cpu, others, allocated, pending) => {
    expect(planResize(asks(cpu), given("500m"), room(others))).toEqual({
      allocated,
      ...(pending ? { pending } : {}),
    });
  });

  it("is told in the pod's status, and taken back", () => {
    const pod = asks("3");
    const state = createPodState(pod);
    const input = { pod, state, hostIP: "127.0.0.1", now: 0 };
    state.resize = planResize(pod, given("500m"), room());
    const waiting = podStatus(input);
    expect(waiting.conditions?.at(-1)).toMatchObject({
      type: "PodResizePending",
      status: "True",
      reason: "Infeasible",
    });
    state.resize = planResize(asks("1"), given("500m"), room());
    expect(statusPatch(waiting, podStatus(input))).toEqual({
      conditions: [{ type: "PodResizePending", $patch: "delete" }],
    });
  });
});
