import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { nextBackoff, planPod } from "../../../../../agents/node/pod/plan.ts";
import {
  createPodState,
  noteEphemeral,
  type PodState,
  type Termination,
} from "../../../../../agents/node/pod/state.ts";
import { podPhase } from "../../../../../agents/node/pod/status.ts";
import type { Container, Pod, PodSpec } from "../../../../../src/api/generated/types.ts";

const NOW = 1_000_000;

function pod(spec: Partial<PodSpec>): Pod {
  return {
    metadata: { name: "web", namespace: "default", uid: "u", creationTimestamp: "", resourceVersion: "1" },
    spec: { containers: [], ...spec },
  };
}
const container = (name: string, more: Partial<Container> = {}): Container => ({
  name,
  image: "nginx",
  ...more,
});
const ended = (exitCode: number, finishedAt = NOW): Termination => ({
  exitCode,
  reason: "Error",
  startedAt: finishedAt - 10,
  finishedAt,
  containerID: "process://1",
});
function of(state: PodState, name: string) {
  const found = state.containers.find((one) => one.name === name);
  if (!found) throw new Error(`no container ${name}`);
  return found;
}
const run = (state: PodState, name: string) =>
  Object.assign(of(state, name), { running: { pid: 1, startedAt: NOW }, started: true, ran: true });

describe("planPod", () => {
  it("starts all containers of a new pod", () => {
    const web = pod({ containers: [container("a"), container("b")] });
    expect(planPod(web, createPodState(web), NOW)).toMatchObject({
      start: ["a", "b"],
      stop: [],
      finished: false,
    });
  });

  it("starts an ephemeral container once, even before the init containers are done", () => {
    const ephemeralContainers = [{ name: "debug", image: "busybox" }];
    const web = pod({ initContainers: [container("i")], containers: [container("a")], ephemeralContainers });
    const state = createPodState(web);
    noteEphemeral(web, state);
    noteEphemeral(web, state);
    run(state, "i");
    expect(planPod(web, state, NOW).start).toEqual(["debug"]);
    of(state, "debug").last = ended(1);
    expect(planPod(web, state, NOW).start).toEqual([]);
    Object.assign(of(state, "i"), { running: undefined, last: ended(0) });
    expect(planPod(web, state, NOW).start).toEqual(["a"]);
  });

  it("ends an ephemeral container with the pod's work, before the sidecars", () => {
    const web = pod({
      restartPolicy: "Never",
      initContainers: [container("side", { restartPolicy: "Always" })],
      containers: [container("a")],
      ephemeralContainers: [{ name: "debug", image: "busybox" }],
    });
    const state = createPodState(web);
    noteEphemeral(web, state);
    run(state, "side");
    run(state, "debug");
    of(state, "a").last = ended(0);
    expect(planPod(web, state, NOW).stop).toEqual(["debug"]);
    expect(podPhase(web, state)).toBe("Running");
    Object.assign(of(state, "debug"), { running: undefined, last: ended(137) });
    expect(planPod(web, state, NOW).stop).toEqual(["side"]);
  });

  it("runs init containers one after another, and containers after them", () => {
    const web = pod({ initContainers: [container("i"), container("j")], containers: [container("a")] });
    const state = createPodState(web);
    expect(planPod(web, state, NOW).start).toEqual(["i"]);
    run(state, "i");
    expect(planPod(web, state, NOW).start).toEqual([]);
    Object.assign(of(state, "i"), { running: undefined, last: ended(0) });
    expect(planPod(web, state, NOW).start).toEqual(["j"]);
    of(state, "j").last = ended(0);
    expect(planPod(web, state, NOW).start).toEqual(["a"]);
  });

  it("waits for a sidecar's startup before going on", () => {
    const web = pod({
      initContainers: [container("side", { restartPolicy: "Always" }), container("i")],
      containers: [container("a")],
    });
    const state = createPodState(web);
    expect(planPod(web, state, NOW).start).toEqual(["side"]);
    run(state, "side").started = false;
    expect(planPod(web, state, NOW).start).toEqual([]);
    of(state, "side").started = true;
    expect(planPod(web, state, NOW).start).toEqual(["i"]);
  });

  it("fails a pod whose init container failed for good", () => {
    const web = pod({
      restartPolicy: "Never",
      initContainers: [container("i")],
      containers: [container("a")],
    });
    const state = createPodState(web);
    of(state, "i").last = ended(1);
    expect(planPod(web, state, NOW)).toMatchObject({ start: [], finished: true });
  });

  it.each([
    ["Always", 0, true],
    ["Always", 1, true],
    ["OnFailure", 0, false],
    ["OnFailure", 1, true],
    ["Never", 0, false],
    ["Never", 1, false],
  ])("with restartPolicy %s and exit code %i restarts: %s", (restartPolicy, exitCode, restarts) => {
    const web = pod({ restartPolicy, containers: [container("a")] });
    const state = createPodState(web);
    of(state, "a").last = ended(exitCode);
    const plan = planPod(web, state, NOW);
    expect(plan.start).toEqual(restarts ? ["a"] : []);
    expect(plan.finished).toBe(!restarts);
  });

  it("waits in back-off and says so in the kubelet's words", () => {
    const web = pod({ containers: [container("a")] });
    const state = createPodState(web);
    Object.assign(of(state, "a"), { last: ended(1, NOW - 1000), backoffMs: 10_000 });
    const plan = planPod(web, state, NOW);
    expect(plan.start).toEqual([]);
    expect(plan.wakeAt).toBe(NOW + 9_000);
    expect(plan.waiting.get("a")).toEqual({
      reason: "CrashLoopBackOff",
      message: "back-off 10s restarting failed container=a pod=web_default(u)",
    });
    expect(planPod(web, state, NOW + 9_000).start).toEqual(["a"]);
  });

  it("stops sidecars last, in reverse order, once the work is done", () => {
    const web = pod({
      restartPolicy: "Never",
      initContainers: [
        container("s1", { restartPolicy: "Always" }),
        container("s2", { restartPolicy: "Always" }),
      ],
      containers: [container("a")],
    });
    const state = createPodState(web);
    run(state, "s1");
    run(state, "s2");
    run(state, "a");
    expect(planPod(web, state, NOW).stop).toEqual([]);
    Object.assign(of(state, "a"), { running: undefined, last: ended(0) });
    expect(planPod(web, state, NOW).stop).toEqual(["s2"]);
    Object.assign(of(state, "s2"), { running: undefined, last: ended(143) });
    expect(planPod(web, state, NOW)).toMatchObject({ start: [], stop: ["s1"], finished: false });
    Object.assign(of(state, "s1"), { running: undefined, last: ended(143) });
    expect(planPod(web, state, NOW)).toMatchObject({ start: [], stop: [], finished: true });
  });

  it("ends a pod whose deadline has passed", () => {
    const web = pod({ activeDeadlineSeconds: 5, containers: [container("a")] });
    const state = createPodState(web);
    state.startTime = NOW;
    run(state, "a");
    expect(planPod(web, state, NOW).wakeAt).toBe(NOW + 5000);
    expect(planPod(web, state, NOW + 5000)).toMatchObject({
      stop: ["a"],
      failure: { reason: "DeadlineExceeded" },
    });
  });

  it("never starts what runs, never stops what does not, and never both at once", () => {
    const one = fc.record({
      role: fc.constantFrom("init", "sidecar", "app"),
      running: fc.boolean(),
      exit: fc.option(fc.constantFrom(0, 1, 137), { nil: undefined }),
      backoffMs: fc.option(fc.nat(20_000), { nil: undefined }),
    });
    const policy = fc.constantFrom("Always", "OnFailure", "Never");
    fc.assert(
      fc.property(fc.array(one, { minLength: 1, maxLength: 6 }), policy, (containers, restartPolicy) => {
        const named = containers.map((each, index) => ({ ...each, name: `c${index}` }));
        const web = pod({
          restartPolicy,
          initContainers: named
            .filter(({ role }) => role !== "app")
            .map(({ name, role }) => container(name, role === "sidecar" ? { restartPolicy: "Always" } : {})),
          containers: named.filter(({ role }) => role === "app").map(({ name }) => container(name)),
        });
        const state = createPodState(web);
        for (const { name, running, exit, backoffMs } of named) {
          const target = of(state, name);
          if (exit !== undefined) target.last = ended(exit);
          if (running) run(state, name);
          target.backoffMs = backoffMs;
        }
        const plan = planPod(web, state, NOW);
        for (const name of plan.start) expect(of(state, name).running).toBeUndefined();
        for (const name of plan.stop) expect(of(state, name).running).toBeDefined();
        expect(plan.start.length > 0 && plan.stop.length > 0).toBe(false);
        if (plan.finished) expect(state.containers.every(({ running }) => !running)).toBe(true);
        expect(planPod(web, state, NOW)).toEqual(plan);
      }),
    );
  });
});

describe("nextBackoff", () => {
  const timing = { crashBackoffMs: 10_000, crashBackoffMaxMs: 300_000, crashBackoffResetMs: 600_000 };
  it("doubles to its ceiling and starts over after a long run", () => {
    const waits: number[] = [];
    let wait: number | undefined;
    for (let crash = 0; crash < 7; crash += 1) {
      wait = nextBackoff(wait, 5, timing);
      waits.push(wait / 1000);
    }
    expect(waits).toEqual([10, 20, 40, 80, 160, 300, 300]);
    expect(nextBackoff(wait, 700_000, timing)).toBe(10_000);
  });
});
