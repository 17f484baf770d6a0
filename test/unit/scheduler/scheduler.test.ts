import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Pod } from "../../../src/api/generated/types.ts";
import { TAINT_NOT_READY } from "../../../src/api/names.ts";
import { statusError } from "../../../src/api/status-error.ts";
import type { RunningController } from "../../../src/controllers/runtime/context.ts";
import { type SchedulerOptions, startScheduler } from "../../../src/scheduler/scheduler.ts";
import { createTestContext, settle, type TestContext, until } from "../controllers/context.ts";
import { makeNode, makePod, makeService } from "../controllers/objects.ts";
import { seeded } from "./cluster.ts";

let context: TestContext;
let scheduler: RunningController;

beforeEach(() => {
  context = createTestContext();
});

afterEach(async () => {
  await scheduler.stop();
  await context.stop();
});

const start = (options: SchedulerOptions = {}) => {
  scheduler = startScheduler(context, { random: seeded(1), ...options });
};
const nodeOf = (name: string) => context.api.get<Pod>("pods", `default/${name}`)?.spec.nodeName;
const scheduledCondition = (name: string) =>
  context.api
    .get<Pod>("pods", `default/${name}`)
    ?.status?.conditions?.find(({ type }) => type === "PodScheduled");

describe("the scheduler", () => {
  it("binds pods that were there before it and pods that come later, and says so", async () => {
    context.api.put("nodes", makeNode("n1"));
    context.api.put("pods", makePod("early"));
    start();
    await until(() => nodeOf("early") === "n1");
    context.api.put("pods", makePod("late"));
    await until(() => nodeOf("late") === "n1" && context.events("late").length > 0);
    expect(context.events("late")).toEqual(["Scheduled: Successfully assigned default/late to n1"]);
  });

  it("spreads a burst before the API has confirmed any of it", async () => {
    for (const name of ["n1", "n2", "n3"])
      context.api.put("nodes", makeNode(name, { allocatable: { pods: "100" } }));
    for (let i = 0; i < 300; i++) context.api.put("pods", makePod(`p${i}`));
    start();
    await until(() => context.api.list<Pod>("pods").every(({ spec }) => spec.nodeName));
    const counts = ["n1", "n2", "n3"].map(
      (name) => context.api.list<Pod>("pods").filter(({ spec }) => spec.nodeName === name).length,
    );
    expect(counts).toEqual([100, 100, 100]);
  });

  it("spreads what is there at a cluster's start over all nodes that start with it, not over those that came first", async () => {
    const names = ["n1", "n2", "n3"];
    for (const name of names) context.api.put("pods", makePod(`on-${name}`));
    start({ startingNodes: names });
    const notReady = { spec: { taints: [{ key: TAINT_NOT_READY, effect: "NoSchedule" }] } };
    context.api.put("nodes", makeNode("n1"));
    context.api.put("nodes", makeNode("n2"));
    context.api.put("nodes", makeNode("n3", notReady));
    await settle();
    expect(names.map((name) => nodeOf(`on-${name}`))).toEqual([undefined, undefined, undefined]);
    context.api.put("nodes", makeNode("n3"));
    await until(() => names.every((name) => nodeOf(`on-${name}`)));
    expect(names.map((name) => nodeOf(`on-${name}`)).sort()).toEqual(names);
  });

  it("does without a node that does not come with the others", async () => {
    context.api.put("nodes", makeNode("n1"));
    context.api.put("pods", makePod("p"));
    start({ startingNodes: ["n1", "n2"] });
    await settle();
    expect(nodeOf("p")).toBeUndefined();
    context.clock.advance(3_000);
    await until(() => nodeOf("p") === "n1");
  });

  it("says why a pod waits, and places it as soon as a node can take it", async () => {
    context.api.put("nodes", makeNode("n1", { spec: { unschedulable: true } }));
    start();
    context.api.put("pods", makePod("p"));
    const message =
      "0/1 nodes are available: 1 node(s) were unschedulable. preemption: 0/1 nodes are available: 1 Preemption is not helpful for scheduling.";
    await until(() => scheduledCondition("p") !== undefined && context.events("p").length > 0);
    expect(scheduledCondition("p")).toMatchObject({ status: "False", reason: "Unschedulable", message });
    expect(context.events("p")).toEqual([`FailedScheduling: ${message}`]);

    context.api.put("nodes", makeNode("n1"));
    await settle();
    context.clock.advance(context.timing.scheduleBackoffMs);
    await until(() => nodeOf("p") === "n1");
  });

  it("gives what a finished or deleted pod held to the next", async () => {
    const wide = { requests: { cpu: "3" } };
    context.api.put("nodes", makeNode("n1"));
    context.api.put("pods", makePod("done", { ...wide, node: "n1" }));
    start();
    context.api.put("pods", makePod("next", wide));
    await until(() => scheduledCondition("next") !== undefined);
    context.clock.advance(context.timing.scheduleBackoffMs);
    context.api.put("pods", makePod("done", { ...wide, node: "n1", phase: "Succeeded" }));
    await until(() => nodeOf("next") === "n1");
  });

  it("leaves pods alone that are gated, leaving, or somebody else's", async () => {
    context.api.put("nodes", makeNode("n1"));
    context.api.put("pods", makePod("gated", { spec: { schedulingGates: [{ name: "wait" }] } }));
    context.api.put("pods", makePod("leaving", { terminating: true }));
    context.api.put("pods", makePod("other", { spec: { schedulerName: "mine" } }));
    start();
    context.api.put("pods", makePod("plain"));
    await until(() => nodeOf("plain") === "n1");
    await settle();
    expect(["gated", "leaving", "other"].map(nodeOf)).toEqual([undefined, undefined, undefined]);
    context.api.put("pods", makePod("gated"));
    await until(() => nodeOf("gated") === "n1");
  });

  it("puts the pods of one Service and owner on different nodes, even where one has far more room", async () => {
    const web = { app: "web" };
    context.api.put("nodes", makeNode("big", { allocatable: { cpu: "64", memory: "256Gi" } }));
    context.api.put("nodes", makeNode("small"));
    const owner = { apiVersion: "apps/v1", kind: "ReplicaSet", name: "web-1", uid: "u", controller: true };
    context.api.put("replicasets", {
      metadata: { name: "web-1", namespace: "default" },
      spec: { selector: { matchLabels: web } },
    } as never);
    context.api.put("services", makeService("api"));
    context.api.put("pods", makePod("w1", { labels: web, node: "big" }));
    context.api.put("pods", makePod("a1", { labels: { app: "api" }, node: "big" }));
    start();
    const owned = makePod("w2", { labels: web });
    context.api.put("pods", { ...owned, metadata: { ...owned.metadata, ownerReferences: [owner] } });
    await until(() => nodeOf("w2") === "small");
    context.api.put("pods", makePod("a2", { labels: { app: "api" } }));
    await until(() => nodeOf("a2") === "small");
  });

  it("tries a failed binding again, and gives back what it had counted", async () => {
    context.api.put("nodes", makeNode("n1"));
    let failures = 0;
    context.api.refuse = (write) =>
      write.endsWith("/p/binding") && failures++ === 0 ? statusError("InternalError", "no") : undefined;
    start();
    context.api.put("pods", makePod("p", { requests: { cpu: "4" } }));
    await until(() => failures === 1);
    await settle();
    context.clock.advance(context.timing.scheduleBackoffMs);
    await until(() => nodeOf("p") === "n1");
  });

  it("makes lower priorities leave, keeps the node for whom they left, and tells both", async () => {
    const all = { requests: { cpu: "4" } };
    context.api.put("nodes", makeNode("n1"));
    context.api.put("pods", makePod("low", { ...all, node: "n1", spec: { priority: 1 } }));
    start();
    context.api.put("pods", makePod("high", { ...all, spec: { priority: 5 } }));
    const pod = (name: string) => context.api.get<Pod>("pods", `default/${name}`);
    await until(() => pod("low")?.metadata.deletionTimestamp !== undefined);
    expect(pod("low")?.status?.conditions).toMatchObject([
      {
        type: "DisruptionTarget",
        status: "True",
        reason: "PreemptionByScheduler",
        message: "default-scheduler: preempting to accommodate a higher priority pod",
      },
    ]);
    expect(pod("high")?.status?.nominatedNodeName).toBe("n1");
    await until(() => context.events("low").length > 0 && context.events("high").length > 0);
    expect(context.events("low")).toEqual([
      `Preempted: Preempted by pod ${pod("high")?.metadata.uid} on node n1`,
    ]);
    expect(context.events("high")).toEqual([
      "FailedScheduling: 0/1 nodes are available: 1 Insufficient cpu.",
    ]);
    // Whoever comes meanwhile must not take the place of the pod that it was made for.
    context.api.put("pods", makePod("late", { ...all, spec: { priority: 1 } }));
    context.clock.advance(context.timing.scheduleBackoffMaxMs);
    context.api.remove("pods", "default/low");
    await until(() => nodeOf("high") === "n1");
    await settle();
    expect(nodeOf("late")).toBeUndefined();
    expect(context.api.writes.filter((write) => write.startsWith("DELETE pods"))).toHaveLength(1);
  });

  it("goes on with what it had begun before a restart, and gives the node up for a higher priority", async () => {
    const all = { requests: { cpu: "4" } };
    const waiting = makePod("waiting", { ...all, spec: { priority: 5 } });
    context.api.put("nodes", makeNode("n1"));
    context.api.put("pods", { ...waiting, status: { ...waiting.status, nominatedNodeName: "n1" } });
    const low = makePod("low", { ...all, node: "n1", spec: { priority: 1 }, terminating: true });
    const condition = { type: "DisruptionTarget", status: "True", reason: "PreemptionByScheduler" };
    context.api.put("pods", { ...low, status: { ...low.status, conditions: [condition] } });
    start();
    await until(() => context.events("waiting").length > 0);
    expect(context.events("waiting")).toEqual([
      "FailedScheduling: 0/1 nodes are available: 1 Insufficient cpu. preemption: not eligible due to a terminating pod on the nominated node.",
    ]);
    context.api.put("pods", makePod("higher", { ...all, spec: { priority: 9 } }));
    const nominated = (name: string) =>
      context.api.get<Pod>("pods", `default/${name}`)?.status?.nominatedNodeName;
    await until(() => nominated("higher") === "n1" && nominated("waiting") === undefined);
    context.api.remove("pods", "default/low");
    context.clock.advance(context.timing.scheduleBackoffMaxMs);
    await until(() => nodeOf("higher") === "n1");
  });
});
