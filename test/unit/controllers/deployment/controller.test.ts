import { afterEach, beforeEach, expect, test } from "vitest";
import type { Deployment, Pod, ReplicaSet } from "../../../../src/api/generated/types.ts";
import { conflict } from "../../../../src/api/status-error.ts";
import { startDeploymentController } from "../../../../src/controllers/deployment/controller.ts";
import { startReplicaSetController } from "../../../../src/controllers/replica-set/controller.ts";
import type { RunningController } from "../../../../src/controllers/runtime/context.ts";
import { templateHash } from "../../../../src/controllers/shared/template-hash.ts";
import { createTestContext, settle, type TestContext } from "../context.ts";
import { createKubelet, type Kubelet, makeDeployment, makeReplicaSet } from "../workloads.ts";

let context: TestContext;
let kubelet: Kubelet;
let running: RunningController[] = [];
beforeEach(() => {
  context = createTestContext();
  kubelet = createKubelet(context);
});
afterEach(async () => {
  await Promise.all(running.map((controller) => controller.stop()));
  await context.stop();
});

const start = () => {
  running = [startDeploymentController(context), startReplicaSetController(context)];
};
const web = () => context.api.get<Deployment>("deployments", "default/web")!;
const sets = () => context.api.list<ReplicaSet>("replicasets");
const setOf = (image: string) =>
  sets().find(({ spec }) => spec.template?.spec?.containers[0]?.image === image);
const condition = (type: string) => web().status?.conditions?.find((each) => each.type === type);
const podList = () => context.api.list<Pod>("pods");

/** What a user changes; the server counts the generation. */
function change(
  spec: Partial<Deployment["spec"]> & { image?: string },
  annotations?: Record<string, string>,
) {
  const { image, ...rest } = spec;
  const before = web();
  const template = image ? makeDeployment("web", { image }).spec.template : before.spec.template;
  const generation = (before.metadata.generation ?? 0) + 1;
  const metadata = {
    ...before.metadata,
    generation,
    annotations: { ...before.metadata.annotations, ...annotations },
  };
  context.api.put("deployments", { ...before, metadata, spec: { ...before.spec, template, ...rest } });
}

/** Lets controllers and kubelet go on until nothing moves; `check` is asked at every step. */
async function rest(check: () => void = () => {}) {
  for (let step = 0; step < 200; step++) {
    await settle(60);
    check();
    if (!kubelet.step()) return;
  }
  throw new Error("does not come to rest");
}

test("a new Deployment becomes one ReplicaSet, named and annotated as Kubernetes does, and reports every stage", async () => {
  context.api.put("deployments", makeDeployment("web"));
  start();
  await rest();
  const [set] = sets();
  const hash = templateHash(web().spec.template);
  expect(sets()).toHaveLength(1);
  expect(set?.metadata).toMatchObject({
    name: `web-${hash}`,
    labels: { app: "web", "pod-template-hash": hash },
    annotations: {
      "deployment.kubernetes.io/desired-replicas": "3",
      "deployment.kubernetes.io/max-replicas": "4",
      "deployment.kubernetes.io/revision": "1",
    },
    ownerReferences: [{ kind: "Deployment", name: "web", uid: "uid-web", controller: true }],
  });
  expect(set?.spec.selector.matchLabels).toEqual({ app: "web", "pod-template-hash": hash });
  expect(podList()).toHaveLength(3);
  expect(web().metadata.annotations?.["deployment.kubernetes.io/revision"]).toBe("1");
  expect(web().status).toMatchObject({
    observedGeneration: 1,
    replicas: 3,
    updatedReplicas: 3,
    readyReplicas: 3,
    availableReplicas: 3,
  });
  expect(web().status?.unavailableReplicas).toBeUndefined();
  expect(condition("Available")).toMatchObject({
    status: "True",
    reason: "MinimumReplicasAvailable",
    message: "Deployment has minimum availability.",
  });
  expect(condition("Progressing")).toMatchObject({
    status: "True",
    reason: "NewReplicaSetAvailable",
    message: `ReplicaSet "web-${hash}" has successfully progressed.`,
  });
  expect(context.events("web")).toEqual([`ScalingReplicaSet: Scaled up replica set web-${hash} from 0 to 3`]);
});

test("a rolling update keeps its limits at every step and says each of them", async () => {
  context.api.put("deployments", makeDeployment("web", { replicas: 4 }));
  start();
  await rest();
  change({ image: "nginx:2" });
  await rest(() => {
    const alive = podList().filter(({ metadata }) => !metadata.deletionTimestamp);
    const ready = alive.filter(({ status }) => status?.conditions?.[0]?.status === "True");
    expect(alive.length).toBeLessThanOrEqual(5);
    expect(ready.length).toBeGreaterThanOrEqual(3);
  });
  const [before, after] = [setOf("nginx:1"), setOf("nginx:2")];
  expect([before?.spec.replicas, after?.spec.replicas]).toEqual([0, 4]);
  expect(after?.metadata.annotations?.["deployment.kubernetes.io/revision"]).toBe("2");
  expect(condition("Progressing")?.reason).toBe("NewReplicaSetAvailable");
  const events = context.events("web");
  expect(events).toContain(`ScalingReplicaSet: Scaled up replica set ${after?.metadata.name} from 0 to 1`);
  expect(events).toContain(`ScalingReplicaSet: Scaled down replica set ${before?.metadata.name} from 4 to 3`);
});

test("a rollback takes the old ReplicaSet up again as a new revision that remembers its past", async () => {
  context.api.put("deployments", makeDeployment("web"));
  start();
  await rest();
  change({ image: "nginx:2" }, { "kubernetes.io/change-cause": "update to 2" });
  await rest();
  expect(setOf("nginx:2")?.metadata.annotations?.["kubernetes.io/change-cause"]).toBe("update to 2");
  expect(setOf("nginx:1")?.metadata.annotations?.["kubernetes.io/change-cause"]).toBeUndefined();
  change({ image: "nginx:1" });
  await rest();
  expect(sets()).toHaveLength(2);
  expect(setOf("nginx:1")?.spec.replicas).toBe(3);
  expect(setOf("nginx:1")?.metadata.annotations).toMatchObject({
    "deployment.kubernetes.io/revision": "3",
    "deployment.kubernetes.io/revision-history": "1",
  });
  expect(web().metadata.annotations?.["deployment.kubernetes.io/revision"]).toBe("3");
});

test("Recreate lets every old pod go before a new one comes", async () => {
  context.api.put("deployments", makeDeployment("web", { strategy: { type: "Recreate" } }));
  start();
  await rest();
  change({ image: "nginx:2" });
  await rest(() => {
    const images = new Set(podList().map(({ spec }) => spec.containers[0]?.image));
    expect(images.size).toBeLessThanOrEqual(1);
  });
  expect(podList().map(({ spec }) => spec.containers[0]?.image)).toEqual(["nginx:2", "nginx:2", "nginx:2"]);
});

test("while paused a new template waits and a new size does not", async () => {
  context.api.put("deployments", makeDeployment("web"));
  start();
  await rest();
  change({ paused: true });
  await rest();
  expect(condition("Progressing")).toMatchObject({
    status: "Unknown",
    reason: "DeploymentPaused",
    message: "Deployment is paused",
  });
  change({ image: "nginx:2", replicas: 5 });
  await rest();
  expect(sets()).toHaveLength(1);
  expect(podList()).toHaveLength(5);
  change({ paused: false });
  await rest();
  expect(setOf("nginx:2")?.spec.replicas).toBe(5);
  expect(condition("Progressing")?.reason).toBe("NewReplicaSetAvailable");
});

test("a rollout that gets nowhere misses its deadline, keeps serving, and recovers", async () => {
  context.api.put("deployments", makeDeployment("web", { progressDeadlineSeconds: 60 }));
  start();
  await rest();
  kubelet.broken.add("nginx:bad");
  change({ image: "nginx:bad" });
  await rest();
  expect(condition("Progressing")).toMatchObject({ status: "True", reason: "ReplicaSetUpdated" });
  context.clock.advance(62_000);
  await rest();
  expect(condition("Progressing")).toMatchObject({
    status: "False",
    reason: "ProgressDeadlineExceeded",
    message: `ReplicaSet "${setOf("nginx:bad")?.metadata.name}" has timed out progressing.`,
  });
  expect(condition("Available")?.status).toBe("True");
  expect(web().status?.availableReplicas).toBe(3);
  change({ image: "nginx:1" });
  await rest();
  expect(condition("Progressing")?.reason).toBe("NewReplicaSetAvailable");
  expect(setOf("nginx:bad")?.spec.replicas).toBe(0);
});

test("a new size in the middle of a rollout is shared by the old and the new", async () => {
  const strategy = { type: "RollingUpdate", rollingUpdate: { maxSurge: 3, maxUnavailable: 2 } };
  context.api.put("deployments", makeDeployment("web", { replicas: 10, strategy }));
  start();
  await rest();
  kubelet.broken.add("nginx:bad");
  change({ image: "nginx:bad" });
  await rest();
  expect([setOf("nginx:1")?.spec.replicas, setOf("nginx:bad")?.spec.replicas]).toEqual([8, 5]);
  change({ replicas: 15 });
  await rest();
  expect([setOf("nginx:1")?.spec.replicas, setOf("nginx:bad")?.spec.replicas]).toEqual([11, 7]);
});

test("a hash that is taken by another template is counted, and the next one used", async () => {
  const deployment = makeDeployment("web");
  const taken = `web-${templateHash(deployment.spec.template)}`;
  const stranger = makeReplicaSet(taken, { replicas: 0, image: "other" });
  stranger.spec.selector = { matchLabels: { app: "other" } };
  context.api.put("replicasets", stranger);
  context.api.put("deployments", deployment);
  start();
  await settle(60);
  context.clock.advance(1000);
  await rest();
  expect(web().status?.collisionCount).toBe(1);
  expect(setOf("nginx:1")?.metadata.name).toBe(`web-${templateHash(deployment.spec.template, 1)}`);
  expect(podList()).toHaveLength(3);
});

test("old ReplicaSets beyond the limit are deleted", async () => {
  context.api.put("deployments", makeDeployment("web", { revisionHistoryLimit: 1 }));
  start();
  for (const image of ["nginx:1", "nginx:2", "nginx:3", "nginx:4"]) {
    change({ image });
    await rest();
  }
  expect(sets().map(({ metadata }) => metadata.annotations?.["deployment.kubernetes.io/revision"])).toEqual([
    "3",
    "4",
  ]);
});

test("an existing ReplicaSet that is selected is adopted, not doubled", async () => {
  const orphan = makeReplicaSet("web-old", { replicas: 3, actual: 0 });
  orphan.metadata.labels = { app: "web", "pod-template-hash": "x" };
  const labels = { app: "web", "pod-template-hash": "x" };
  orphan.spec.selector = { matchLabels: labels };
  orphan.spec.template!.metadata!.labels = labels;
  context.api.put("replicasets", orphan);
  context.api.put("deployments", makeDeployment("web"));
  start();
  await rest();
  expect(sets()).toHaveLength(1);
  expect(sets()[0]?.metadata.ownerReferences).toMatchObject([{ name: "web", uid: "uid-web" }]);
  expect(condition("Progressing")?.reason).toBe("NewReplicaSetAvailable");
});

test("a failure to make the ReplicaSet is told", async () => {
  context.api.refuse = (write) =>
    write.startsWith("POST replicasets")
      ? conflict({ group: "apps", plural: "replicasets" }, "web-x", "no room")
      : undefined;
  context.api.put("deployments", makeDeployment("web"));
  start();
  await settle(60);
  expect(condition("Progressing")).toMatchObject({ status: "False", reason: "ReplicaSetCreateError" });
  expect(context.events("web")[0]).toMatch(
    /^ReplicaSetCreateError: Failed to create new replica set "web-\w+": .*no room$/,
  );
});

test("names use only the letters that Kubernetes' random names use, and depend on the template alone", () => {
  const { template } = makeDeployment("web").spec;
  const reordered = {
    spec: { containers: template.spec!.containers.map(({ image, name }) => ({ image, name })) as never },
    metadata: template.metadata!,
  };
  expect(templateHash(template)).toMatch(/^[bcdfghjklmnpqrstvwxz2456789]{1,10}$/);
  expect(templateHash(reordered)).toBe(templateHash(template));
  expect(templateHash(template, 1)).not.toBe(templateHash(template));
});
