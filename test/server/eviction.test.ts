// Evictions against disruption budgets, on the real API server with the disruption controller beside it.
import { afterEach, beforeEach, expect, it } from "vitest";
import type { Pod, PodDisruptionBudget, ReplicaSet, Status } from "../../src/api/generated/types.ts";
import { events } from "../../src/api/kinds/event.ts";
import { pods } from "../../src/api/kinds/pod.ts";
import { podDisruptionBudgets } from "../../src/api/kinds/pod-disruption-budget.ts";
import { replicaSets } from "../../src/api/kinds/replica-set.ts";
import type { Draft, KubeObject } from "../../src/api/object.ts";
import { pathOf } from "../../src/api/resource.ts";
import { systemClock } from "../../src/base/clock.ts";
import { silentLog } from "../../src/base/log.ts";
import { timingOf } from "../../src/base/timing.ts";
import { createClient } from "../../src/client/create-client.ts";
import { createInformers, type InformerFactory } from "../../src/client/informers.ts";
import { startDisruptionController } from "../../src/controllers/disruption/controller.ts";
import type { RunningController } from "../../src/controllers/runtime/context.ts";
import { SLOT, startTestServer, type TestServer } from "./harness.ts";

let server: TestServer;
let informers: InformerFactory;
let controller: RunningController;

beforeEach(async () => {
  server = await startTestServer();
  const client = createClient(server.server.transport("system:kube-controller-manager", ["system:masters"]));
  informers = createInformers(client, { log: silentLog });
  controller = startDisruptionController(
    {
      client,
      informers,
      log: silentLog,
      clock: systemClock,
      timing: timingOf("kubernetes"),
      addresses: { slot: SLOT, singleAddress: false, lowestPort: 1024 },
    },
    { storedAs: server.registry.storedAs },
  );
});
afterEach(async () => {
  await controller.stop();
  await informers.stop();
  await server.stop();
});

const at = (name: string) => ({ namespace: "default", name });
const labels = { app: "web" };
const spec = { containers: [{ name: "c", image: "nginx" }], nodeName: "n1" };

async function addPod(name: string, ready: boolean, owner?: KubeObject): Promise<Pod> {
  const ownerReferences = owner
    ? [
        {
          apiVersion: "apps/v1",
          kind: owner.kind!,
          name: owner.metadata.name,
          uid: owner.metadata.uid,
          controller: true,
        },
      ]
    : [];
  await server.client.create<Pod>(pods, {
    metadata: { ...at(name), labels, ownerReferences },
    spec,
  } as Draft<Pod>);
  const status = { phase: "Running", conditions: [{ type: "Ready", status: ready ? "True" : "False" }] };
  return server.client.patch(pods, at(name), "strategic", { status }, { subresource: "status" });
}

const addBudget = (name: string, budget: Draft<PodDisruptionBudget["spec"]>) =>
  server.client.create<PodDisruptionBudget>(podDisruptionBudgets, {
    metadata: at(name),
    spec: { selector: { matchLabels: labels }, ...budget },
  } as Draft<PodDisruptionBudget>);

/** Waits until the budget's status says so. */
async function counted(name: string, expected: PodDisruptionBudget["status"]): Promise<PodDisruptionBudget> {
  const informer = informers.of(podDisruptionBudgets);
  await informer.when(() => {
    const status = informer.get(`default/${name}`)?.status;
    return Object.entries(expected ?? {}).every(([key, value]) => status?.[key as "expectedPods"] === value);
  });
  return server.client.get(podDisruptionBudgets, at(name));
}

const evict = async (name: string, more: object = {}, query: Record<string, string> = {}) => {
  const { status, body } = await server.transport.request({
    method: "POST",
    path: pathOf(pods, { ...at(name), subresource: "eviction" }),
    query,
    body: { apiVersion: "policy/v1", kind: "Eviction", metadata: at(name), ...more },
  });
  return { code: status, status: body as Status };
};
const find = (name: string) => server.client.find(pods, at(name));

it("evicts as long as the budget allows, then answers 429 in Kubernetes' words", async () => {
  for (const name of ["a", "b", "c"]) await addPod(name, true);
  await addBudget("web", { minAvailable: 2 });
  await counted("web", { disruptionsAllowed: 1, currentHealthy: 3, expectedPods: 3 });

  const answers = await Promise.all(["a", "b", "c"].map((name) => evict(name)));
  // The controller sees the first one go at any moment, which changes nothing: 2 of 2 are left.
  expect(answers.map(({ code }) => code).sort()).toEqual([201, 429, 429]);
  const refused = answers.find(({ code }) => code === 429);
  expect(refused?.status).toMatchObject({
    status: "Failure",
    reason: "TooManyRequests",
    code: 429,
    message: "Cannot evict pod as it would violate the pod's disruption budget.",
  });
  expect(refused?.status.details?.causes?.[0]).toMatchObject({
    reason: "DisruptionBudget",
    message: expect.stringMatching(/^The disruption budget web needs 2 healthy pods and has [23] currently$/),
  });
  const evicted = await find(["a", "b", "c"][answers.findIndex(({ code }) => code === 201)]!);
  expect(evicted?.metadata.deletionTimestamp).toBeDefined();
  expect(evicted?.status?.conditions).toContainEqual(
    expect.objectContaining({
      type: "DisruptionTarget",
      status: "True",
      reason: "EvictionByEvictionAPI",
      message: "Eviction API: evicting",
    }),
  );
  const { status } = await counted("web", { disruptionsAllowed: 0, currentHealthy: 2 });
  expect(status?.conditions).toEqual([
    expect.objectContaining({ type: "DisruptionAllowed", status: "False", reason: "InsufficientPods" }),
  ]);
  expect(server.errors).toEqual([]);
});

it("says when to come again while a changed budget has not been counted", async () => {
  await addPod("a", true);
  await addBudget("web", { minAvailable: 0 });
  await counted("web", { disruptionsAllowed: 1 });
  await controller.stop();
  await server.client.patch(podDisruptionBudgets, at("web"), "merge", { spec: { minAvailable: 1 } });
  const body = JSON.stringify({ apiVersion: "policy/v1", kind: "Eviction", metadata: at("a") });
  const answer = await server.https("POST", pathOf(pods, { ...at("a"), subresource: "eviction" }), {
    body,
    headers: { "content-type": "application/json" },
  });
  expect(answer.status).toBe(429);
  expect(answer.headers["retry-after"]).toBe("10");
  expect((answer.json() as Status).details).toMatchObject({
    retryAfterSeconds: 10,
    causes: [{ message: "The disruption budget web is still being processed by the server." }],
  });
});

it("keeps a dry run without effect, and passes deleteOptions on", async () => {
  await addPod("a", true);
  await addBudget("web", { minAvailable: 0 });
  const { metadata } = await counted("web", { disruptionsAllowed: 1 });
  expect((await evict("a", {}, { dryRun: "All" })).code).toBe(201);
  expect((await evict("a", { deleteOptions: { dryRun: ["All"] } })).code).toBe(201);
  expect((await find("a"))?.metadata.deletionTimestamp).toBeUndefined();
  expect((await server.client.get(podDisruptionBudgets, at("web"))).metadata.resourceVersion).toBe(
    metadata.resourceVersion,
  );
  const other = await evict("a", { deleteOptions: { preconditions: { uid: "other" } } });
  expect(other).toMatchObject({ code: 409, status: { reason: "Conflict" } });
  // What was taken off the budget stays off until the controller gives up on it.
  await server.client.delete(podDisruptionBudgets, at("web"));
  expect((await evict("a", { deleteOptions: { gracePeriodSeconds: 0 } })).code).toBe(201);
  expect(await find("a")).toBeUndefined();
});

it.each([
  ["IfHealthyBudget", 429],
  ["AlwaysAllow", 201],
])("lets a pod that is not ready go as %s has it", async (unhealthyPodEvictionPolicy, expected) => {
  await addPod("a", false);
  await addPod("b", true);
  await addBudget("web", { minAvailable: 2, unhealthyPodEvictionPolicy });
  await counted("web", { currentHealthy: 1, desiredHealthy: 2 });
  expect((await evict("a")).code).toBe(expected);
});

it("lets what is not ready go without spending while the ready ones are enough", async () => {
  await addPod("a", false);
  await addPod("b", true);
  await addBudget("web", { minAvailable: 1 });
  await counted("web", { currentHealthy: 1, disruptionsAllowed: 0 });
  expect((await evict("a")).code).toBe(201);
  expect((await evict("b")).code).toBe(429);
});

it("asks no budget about pods that have ended or not begun, and refuses two budgets", async () => {
  await addPod("a", true);
  await server.client.create<Pod>(pods, { metadata: { ...at("new"), labels }, spec } as Draft<Pod>);
  await addBudget("one", { minAvailable: 2 });
  await addBudget("two", { minAvailable: 2 });
  expect(await evict("a")).toMatchObject({
    code: 500,
    status: {
      message:
        "This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.",
    },
  });
  expect((await evict("new")).code).toBe(201);
  expect((await evict("none")).code).toBe(404);
  expect((await evict("a", { metadata: at("b") })).code).toBe(400);
});

it("counts shares of what the pods' controllers want, and allows nothing when that is not known", async () => {
  const owner = await server.client.create<ReplicaSet>(replicaSets, {
    metadata: at("web"),
    spec: {
      replicas: 4,
      selector: { matchLabels: labels },
      template: { metadata: { labels }, spec: { containers: spec.containers } },
    },
  } as Draft<ReplicaSet>);
  for (const name of ["a", "b"]) await addPod(name, true, owner);
  await addBudget("web", { maxUnavailable: "50%" });
  await counted("web", { expectedPods: 4, desiredHealthy: 2, currentHealthy: 2, disruptionsAllowed: 0 });
  await server.client.patch(replicaSets, at("web"), "merge", { spec: { replicas: 2 } });
  await addPod("c", true, owner);
  await counted("web", { expectedPods: 2, desiredHealthy: 1, currentHealthy: 3, disruptionsAllowed: 2 });

  const stranger = { kind: "ConfigMap", metadata: { name: "kube-root-ca.crt", uid: "1" } } as KubeObject;
  await addPod("d", true, stranger);
  const { status } = await counted("web", { disruptionsAllowed: 0 });
  expect(status?.conditions).toEqual([
    expect.objectContaining({
      status: "False",
      reason: "SyncFailed",
      message: 'found no controllers for pod "d"',
    }),
  ]);
  const told = informers.of(events);
  await told.when(() =>
    told
      .list()
      .some(
        ({ reason, message }) =>
          reason === "CalculateExpectedPodCountFailed" &&
          message === 'Failed to calculate the number of expected pods: found no controllers for pod "d"',
      ),
  );
});
