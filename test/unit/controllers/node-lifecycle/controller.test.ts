import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Node, Pod } from "../../../../src/api/generated/types.ts";
import { timingOf } from "../../../../src/base/timing.ts";
import { startNodeLifecycleController } from "../../../../src/controllers/node-lifecycle/controller.ts";
import type { RunningController } from "../../../../src/controllers/runtime/context.ts";
import { createTestContext, settle, type TestContext, until } from "../context.ts";
import { makeNode, makePod } from "../objects.ts";

let context: TestContext;
let controller: RunningController;
let beats = 0;

const GRACE_MS = timingOf("fast").nodeGraceMs;
const TOLERATIONS = ["not-ready", "unreachable"].map((key) => ({
  key: `node.kubernetes.io/${key}`,
  operator: "Exists",
  effect: "NoExecute",
  tolerationSeconds: 15,
}));

const renew = (node: string) =>
  context.api.put("leases", {
    metadata: { name: node, namespace: "kube-node-lease" },
    spec: { renewTime: `beat ${beats++}` },
  } as never);
const node = (name: string) => context.api.get<Node>("nodes", name) as Node;
const pod = (name: string) => context.api.get<Pod>("pods", `default/${name}`);
const readyOf = (name: string) => node(name).status?.conditions?.find(({ type }) => type === "Ready")?.status;
const podReady = (name: string) =>
  pod(name)?.status?.conditions?.find(({ type }) => type === "Ready")?.status;
const taintsOf = (name: string) =>
  (node(name).spec?.taints ?? []).map(({ key, effect }) => `${key}:${effect}`);
const setNode = (name: string, options: Parameters<typeof makeNode>[1]) =>
  context.api.put("nodes", makeNode(name, options));

/** Time passes in small steps, while the named nodes stay alive. */
async function pass(ms: number, alive: readonly string[]): Promise<void> {
  for (let passed = 0; passed < ms; passed += 250) {
    for (const name of alive) renew(name);
    await settle(4);
    context.clock.advance(250);
  }
  await settle();
}

beforeEach(async () => {
  context = createTestContext();
  for (const name of ["n1", "n2"]) {
    context.api.put("nodes", makeNode(name));
    renew(name);
  }
  context.api.put(
    "pods",
    makePod("p", { node: "n1", ip: "127.20.1.2", ready: true, spec: { tolerations: TOLERATIONS } }),
  );
  context.api.put(
    "pods",
    makePod("q", { node: "n2", ip: "127.20.2.2", ready: true, spec: { tolerations: TOLERATIONS } }),
  );
  controller = startNodeLifecycleController(context);
  await until(() => context.events("n2").length > 0);
});

afterEach(async () => {
  await controller.stop();
  await context.stop();
});

describe("the node lifecycle controller", () => {
  it("announces nodes that come and go", async () => {
    expect(context.events("n1")).toEqual(["RegisteredNode: Node n1 event: Registered Node n1 in Controller"]);
    context.api.remove("nodes", "n1");
    await until(() => context.events("n1").length === 2);
    expect(context.events("n1")[1]).toBe("RemovingNode: Node n1 event: Removing Node n1 from Controller");
  });

  it("notices a silent node, takes its pods out, and moves them when their toleration ends", async () => {
    await pass(GRACE_MS - 250, ["n2"]);
    expect(readyOf("n1")).toBe("True");
    await pass(1250, ["n2"]);
    expect(readyOf("n1")).toBe("Unknown");
    expect(readyOf("n2")).toBe("True");
    expect(podReady("p")).toBe("False");
    expect(podReady("q")).toBe("True");
    expect(taintsOf("n1")).toEqual([
      "node.kubernetes.io/unreachable:NoSchedule",
      "node.kubernetes.io/unreachable:NoExecute",
    ]);
    expect(context.events("n1")).toContain("NodeNotReady: Node n1 status is now: NodeNotReady");
    expect(context.events("p")).toEqual(["NodeNotReady: Node is not ready"]);
    await pass(13_000, ["n2"]);
    expect(pod("p")?.metadata.deletionTimestamp).toBeUndefined();
    await pass(3_000, ["n2"]);
    expect(pod("p")?.metadata.deletionTimestamp).toBeDefined();
    expect(pod("q")?.metadata.deletionTimestamp).toBeUndefined();
    expect(context.events("p")).toContain("TaintManagerEviction: Marking for deletion Pod default/p");
    expect(pod("p")?.status?.conditions).toContainEqual(
      expect.objectContaining({ type: "DisruptionTarget", status: "True", reason: "DeletionByTaintManager" }),
    );
  });

  it("acts at once when somebody else says that a node is gone for good", async () => {
    const outOfService = {
      key: "node.kubernetes.io/out-of-service",
      value: "nodeshutdown",
      effect: "NoExecute",
    };
    setNode("n1", { ready: "Unknown", spec: { taints: [outOfService] } });
    await until(() => pod("p")?.metadata.deletionTimestamp !== undefined);
    expect(podReady("p")).toBe("False");
    expect(taintsOf("n1")).toContain("node.kubernetes.io/out-of-service:NoExecute");
    expect(pod("q")?.metadata.deletionTimestamp).toBeUndefined();
  });

  it("takes the taints away and cancels the eviction when the node is back in time", async () => {
    setNode("n1", { ready: "Unknown" });
    await until(() => taintsOf("n1").length === 2);
    await pass(5_000, ["n1", "n2"]);
    setNode("n1", { ready: "True", spec: node("n1").spec });
    await until(() => taintsOf("n1").length === 0);
    await pass(20_000, ["n1", "n2"]);
    expect(pod("p")?.metadata.deletionTimestamp).toBeUndefined();
    expect(context.events("p")).toContain("TaintManagerEviction: Cancelling deletion of Pod default/p");
  });

  it("evicts nobody while every node is silent", async () => {
    await pass(GRACE_MS + 1500, []);
    expect([readyOf("n1"), readyOf("n2")]).toEqual(["Unknown", "Unknown"]);
    expect([...taintsOf("n1"), ...taintsOf("n2")].filter((taint) => taint.endsWith("NoExecute"))).toEqual([]);
    await pass(20_000, []);
    expect(pod("p")?.metadata.deletionTimestamp).toBeUndefined();
    renew("n2");
    setNode("n2", { spec: node("n2").spec });
    await until(() => taintsOf("n1").includes("node.kubernetes.io/unreachable:NoExecute"));
    await pass(16_000, ["n2"]);
    expect(pod("p")?.metadata.deletionTimestamp).toBeDefined();
  });

  it("gives nodes a new chance when it was away itself", async () => {
    context.clock.jump(60_000);
    await pass(GRACE_MS - 500, []);
    expect([readyOf("n1"), readyOf("n2")]).toEqual(["True", "True"]);
    await pass(1500, ["n2"]);
    expect([readyOf("n1"), readyOf("n2")]).toEqual(["Unknown", "True"]);
  });

  it("calls no node silent at a look that was held up, before what came meanwhile is read", async () => {
    await pass(GRACE_MS - 750, []);
    context.clock.jump(2_000);
    await pass(1500, ["n2"]);
    expect([readyOf("n1"), readyOf("n2")]).toEqual(["Unknown", "True"]);
  });

  it("notices a node that falls silent long after the last look, within a period", async () => {
    await pass(GRACE_MS * 3 + 250, ["n1", "n2"]);
    await pass(GRACE_MS - 500, ["n2"]);
    expect(readyOf("n1")).toBe("True");
    await pass(timingOf("fast").nodeMonitorMs + 500, ["n2"]);
    expect([readyOf("n1"), readyOf("n2")]).toEqual(["Unknown", "True"]);
  });

  it("marks a cordoned node with its taint", async () => {
    setNode("n1", { spec: { unschedulable: true } });
    await until(() => taintsOf("n1").length === 1);
    expect(taintsOf("n1")).toEqual(["node.kubernetes.io/unschedulable:NoSchedule"]);
    expect(podReady("p")).toBe("True");
  });
});
