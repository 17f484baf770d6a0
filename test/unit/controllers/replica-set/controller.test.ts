import { afterEach, beforeEach, expect, test } from "vitest";
import type { Pod, ReplicaSet, ReplicationController } from "../../../../src/api/generated/types.ts";
import { StatusError, statusError } from "../../../../src/api/status-error.ts";
import {
  startReplicaSetController,
  startReplicationControllerController,
} from "../../../../src/controllers/replica-set/controller.ts";
import type { RunningController } from "../../../../src/controllers/runtime/context.ts";
import { createTestContext, settle, type TestContext, until } from "../context.ts";
import { makePod } from "../objects.ts";
import { createKubelet, makeReplicaSet } from "../workloads.ts";

let context: TestContext;
let controller: RunningController | undefined;
beforeEach(() => {
  context = createTestContext();
});
afterEach(async () => {
  await controller?.stop();
  await context.stop();
});

const start = () => {
  controller = startReplicaSetController(context);
};
const podList = () => context.api.list<Pod>("pods");
const status = (name = "web") => context.api.get<ReplicaSet>("replicasets", `default/${name}`)?.status;
const resize = (replicas: number) => {
  const web = context.api.get<ReplicaSet>("replicasets", "default/web")!;
  context.api.put("replicasets", { ...web, spec: { ...web.spec, replicas } });
};
const rest = async () => {
  const kubelet = createKubelet(context);
  do await settle();
  while (kubelet.step());
};

test("creates exactly the wanted pods, one event each, and counts them", async () => {
  context.api.put("replicasets", makeReplicaSet("web", { replicas: 20, actual: 0 }));
  start();
  await rest();
  expect(podList()).toHaveLength(20);
  expect(status()).toEqual({
    replicas: 20,
    fullyLabeledReplicas: 20,
    readyReplicas: 20,
    availableReplicas: 20,
    observedGeneration: 1,
  });
  expect(context.events("web")).toContain(`SuccessfulCreate: Created pod: ${podList()[0]?.metadata.name}`);
});

test("replaces a pod that is deleted, and one that has failed", async () => {
  context.api.put("replicasets", makeReplicaSet("web", { replicas: 2, actual: 0 }));
  start();
  await rest();
  const [first, second] = podList();
  context.api.remove("pods", `default/${first?.metadata.name}`);
  context.api.put("pods", { ...second!, status: { phase: "Failed" } });
  await rest();
  const alive = podList().filter((pod) => pod.status?.phase === "Running");
  expect(alive).toHaveLength(2);
  expect(podList()).toHaveLength(3);
});

test("scales down and up again without ever having pods too many", async () => {
  context.api.put("replicasets", makeReplicaSet("web", { replicas: 6, actual: 0 }));
  start();
  await rest();
  resize(2);
  await rest();
  expect(podList()).toHaveLength(2);
  expect(
    context.events("web").filter((event) => event.startsWith("SuccessfulDelete: Deleted pod: web-")),
  ).toHaveLength(4);
  const before = context.api.writes.length;
  resize(5);
  await rest();
  expect(podList()).toHaveLength(5);
  expect(context.api.writes.slice(before).filter((write) => write.startsWith("POST pods"))).toHaveLength(3);
});

test("adopts orphans that it selects, and lets go of pods whose labels no longer fit", async () => {
  context.api.put("pods", makePod("stray", { labels: { app: "web" }, node: "n1", ready: true }));
  context.api.put("pods", makePod("other", { labels: { app: "other" }, node: "n1", ready: true }));
  context.api.put("replicasets", makeReplicaSet("web", { replicas: 2, actual: 0 }));
  start();
  await rest();
  const owner = (name: string) => context.api.get<Pod>("pods", `default/${name}`)?.metadata.ownerReferences;
  expect(owner("stray")).toMatchObject([
    { kind: "ReplicaSet", name: "web", uid: "uid-web", controller: true },
  ]);
  expect(owner("other")).toBeUndefined();
  expect(podList()).toHaveLength(3);
  const stray = context.api.get<Pod>("pods", "default/stray")!;
  context.api.put("pods", { ...stray, metadata: { ...stray.metadata, labels: { app: "debug" } } });
  await until(() => context.api.writes.at(-1) !== undefined && podList().length === 4);
  expect(context.api.writes.filter((write) => write === "PATCH pods/default/stray")).toHaveLength(2);
});

test("says why pods cannot be created, backs off, and recovers", async () => {
  let refused = 0;
  context.api.refuse = (write) => {
    if (!write.startsWith("POST pods")) return undefined;
    refused += 1;
    return statusError("Forbidden", "exceeded quota");
  };
  context.api.put("replicasets", makeReplicaSet("web", { replicas: 8, actual: 0 }));
  start();
  await until(() => status()?.conditions !== undefined);
  await settle();
  // Once, and once more because the status that says so is a change; then it waits for its back-off.
  expect(refused).toBe(2);
  expect(status()?.conditions).toMatchObject([
    { type: "ReplicaFailure", status: "True", reason: "FailedCreate", message: "exceeded quota" },
  ]);
  expect(context.events("web")).toContain("FailedCreate: Error creating: exceeded quota");
  context.api.refuse = () => undefined;
  context.clock.advance(60_000);
  await rest();
  expect(podList()).toHaveLength(8);
  expect(status()?.conditions).toBeUndefined();
});

test("is quiet about a namespace that is going", async () => {
  const { status: refusal } = statusError("Forbidden", "pods is forbidden");
  const causes = [{ reason: "NamespaceTerminating", message: "namespace default is being terminated" }];
  context.api.refuse = (write) =>
    write.startsWith("POST pods") ? new StatusError({ ...refusal, details: { causes } }) : undefined;
  context.api.put("replicasets", makeReplicaSet("web", { replicas: 2, actual: 0 }));
  start();
  await settle();
  expect(context.events("web")).toEqual([]);
});

test("waits out minReadySeconds before a pod counts as available", async () => {
  context.api.put("replicasets", makeReplicaSet("web", { replicas: 1, actual: 0, minReadySeconds: 10 }));
  start();
  await rest();
  expect(status()).toMatchObject({ readyReplicas: 1 });
  expect(status()?.availableReplicas).toBeUndefined();
  context.clock.advance(10_000);
  await rest();
  expect(status()?.availableReplicas).toBe(1);
});

test("serves ReplicationControllers as well", async () => {
  const { spec, metadata } = makeReplicaSet("old");
  const old: ReplicationController = {
    apiVersion: "v1",
    kind: "ReplicationController",
    metadata,
    spec: { replicas: 2, selector: { app: "old" }, template: spec.template! },
  };
  context.api.put("replicationcontrollers", old);
  controller = startReplicationControllerController(context);
  await rest();
  expect(podList()).toHaveLength(2);
  expect(podList()[0]?.metadata.ownerReferences).toMatchObject([
    { apiVersion: "v1", kind: "ReplicationController" },
  ]);
  expect(
    context.api.get<ReplicationController>("replicationcontrollers", "default/old")?.status,
  ).toMatchObject({
    replicas: 2,
    readyReplicas: 2,
  });
});
