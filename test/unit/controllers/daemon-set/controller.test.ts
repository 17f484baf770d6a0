import { afterEach, beforeEach, expect, test } from "vitest";
import type { ControllerRevision, DaemonSet, Pod } from "../../../../src/api/generated/types.ts";
import { startDaemonSetController } from "../../../../src/controllers/daemon-set/controller.ts";
import { nodeOf } from "../../../../src/controllers/daemon-set/placement.ts";
import type { RunningController } from "../../../../src/controllers/runtime/context.ts";
import { createTestContext, settle, type TestContext } from "../context.ts";
import { makeNode } from "../objects.ts";
import { createKubelet, type Kubelet, makeDaemonSet } from "../workloads.ts";

let context: TestContext;
let kubelet: Kubelet;
let controller: RunningController | undefined;
beforeEach(() => {
  context = createTestContext();
  kubelet = createKubelet(context, nodeOf);
  for (const name of ["a", "b", "c"]) context.api.put("nodes", makeNode(name));
});
afterEach(async () => {
  await controller?.stop();
  await context.stop();
});

const start = (set: DaemonSet = makeDaemonSet("log")) => {
  context.api.put("daemonsets", set);
  controller = startDaemonSetController(context);
};
const log = () => context.api.get<DaemonSet>("daemonsets", "default/log")!;
const podList = () => context.api.list<Pod>("pods");
const places = () =>
  podList()
    .map(({ spec }) => spec.nodeName)
    .sort();
const images = () => podList().map(({ spec }) => spec.containers[0]?.image);
const revisions = () => context.api.list<ControllerRevision>("controllerrevisions");

function change(spec: Parameters<typeof makeDaemonSet>[1] & object) {
  const { metadata, status } = log();
  const generation = (metadata.generation ?? 0) + 1;
  context.api.put("daemonsets", {
    ...makeDaemonSet("log", spec),
    metadata: { ...metadata, generation },
    ...(status ? { status } : {}),
  });
}

async function rest(check: () => void = () => {}) {
  for (let step = 0; step < 200; step++) {
    await settle(60);
    check();
    if (!kubelet.step()) return;
  }
  throw new Error("does not come to rest");
}

test("has a pod on every node, on a new one as well, and reports them", async () => {
  start();
  await rest();
  expect(places()).toEqual(["a", "b", "c"]);
  expect(context.events("log")).toContain(`SuccessfulCreate: Created pod: ${podList()[0]?.metadata.name}`);
  context.api.put("nodes", makeNode("d"));
  await rest();
  expect(places()).toEqual(["a", "b", "c", "d"]);
  expect(log().status).toEqual({
    currentNumberScheduled: 4,
    desiredNumberScheduled: 4,
    numberAvailable: 4,
    numberMisscheduled: 0,
    numberReady: 4,
    observedGeneration: 1,
    updatedNumberScheduled: 4,
  });
});

test("leaves a node that comes to drive pods out", async () => {
  start();
  await rest();
  context.api.put("nodes", makeNode("b", { spec: { taints: [{ key: "x", effect: "NoExecute" }] } }));
  await rest();
  expect(places()).toEqual(["a", "c"]);
  expect(log().status).toMatchObject({ desiredNumberScheduled: 2, numberMisscheduled: 0 });
});

test("rolls a new template out node by node, and back to the revision it had before", async () => {
  start();
  await rest();
  const [first] = revisions();
  expect(first?.metadata.name).toBe(`log-${first?.metadata.labels?.["controller-revision-hash"]}`);
  const ready: number[] = [];
  change({ image: "nginx:2" });
  await rest(() => ready.push(podList().filter((pod) => pod.status?.phase === "Running").length));
  expect(images()).toEqual(["nginx:2", "nginx:2", "nginx:2"]);
  expect(Math.min(...ready)).toBe(2);
  change({ image: "nginx:1" });
  await rest();
  expect(images()).toEqual(["nginx:1", "nginx:1", "nginx:1"]);
  expect(
    revisions()
      .map(({ revision, metadata }) => [revision, metadata.name === first?.metadata.name])
      .sort(),
  ).toEqual([
    [2, false],
    [3, true],
  ]);
});

test("surges: the new pod is there before the old one goes", async () => {
  const updateStrategy = { type: "RollingUpdate", rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } };
  start(makeDaemonSet("log", { updateStrategy }));
  await rest();
  change({ image: "nginx:2", updateStrategy });
  const counts: number[] = [];
  await rest(() => counts.push(podList().filter((pod) => !pod.metadata.deletionTimestamp).length));
  expect([Math.min(...counts), Math.max(...counts)]).toEqual([3, 4]);
  expect(images()).toEqual(["nginx:2", "nginx:2", "nginx:2"]);
});

test("cuts its history, but for what still runs", async () => {
  start(makeDaemonSet("log", { revisionHistoryLimit: 0 }));
  await rest();
  const updateStrategy = { type: "OnDelete" };
  change({ image: "nginx:2", revisionHistoryLimit: 0, updateStrategy });
  await rest();
  expect(images()).toEqual(["nginx:1", "nginx:1", "nginx:1"]);
  expect(revisions()).toHaveLength(2);
  for (const { metadata } of podList()) context.api.remove("pods", `default/${metadata.name}`);
  await rest();
  expect(images()).toEqual(["nginx:2", "nginx:2", "nginx:2"]);
  expect(revisions().map(({ revision }) => revision)).toEqual([2]);
});

test("replaces a failed pod, says so, and each time later", async () => {
  start();
  await rest();
  const fail = () => {
    const victim = podList().find(({ spec }) => spec.nodeName === "a")!;
    context.api.put("pods", { ...victim, status: { phase: "Failed" } });
    return victim.metadata.name;
  };
  const name = fail();
  await rest();
  expect(context.events("log")).toContain(
    `FailedDaemonPod: Found failed daemon pod default/${name} on node a, will try to kill it`,
  );
  expect(places()).toEqual(["a", "b", "c"]);
  const second = fail();
  await rest();
  expect(context.api.get("pods", `default/${second}`)).toBeDefined();
  context.clock.advance(context.timing.daemonBackoffMs);
  await rest();
  expect(context.api.get("pods", `default/${second}`)).toBeUndefined();
  expect(places()).toEqual(["a", "b", "c"]);
});
