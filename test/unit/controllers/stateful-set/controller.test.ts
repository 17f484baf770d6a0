import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type {
  ControllerRevision,
  PersistentVolumeClaim,
  Pod,
  StatefulSet,
} from "../../../../src/api/generated/types.ts";
import { statusError } from "../../../../src/api/status-error.ts";
import type { RunningController } from "../../../../src/controllers/runtime/context.ts";
import { startStatefulSetController } from "../../../../src/controllers/stateful-set/controller.ts";
import { createTestContext, settle, type TestContext } from "../context.ts";
import { makePod } from "../objects.ts";
import { createKubelet, type Kubelet, makeStatefulSet } from "../workloads.ts";

let context: TestContext;
let kubelet: Kubelet;
let controller: RunningController | undefined;
beforeEach(() => {
  context = createTestContext();
  kubelet = createKubelet(context);
});
afterEach(async () => {
  await controller?.stop();
  await context.stop();
});

const start = (set: StatefulSet = makeStatefulSet("web")) => {
  context.api.put("statefulsets", set);
  controller = startStatefulSetController(context);
};
const web = () => context.api.get<StatefulSet>("statefulsets", "default/web")!;
const podList = () => context.api.list<Pod>("pods");
const imageOf = (name: string) => context.api.get<Pod>("pods", `default/${name}`)?.spec.containers[0]?.image;
const images = () => ["web-0", "web-1", "web-2"].map(imageOf);
const revisions = () => context.api.list<ControllerRevision>("controllerrevisions");
const posts = (plural: string) => context.api.writes.filter((write) => write.startsWith(`POST ${plural}`));

function change(spec: Parameters<typeof makeStatefulSet>[1] & object, annotations?: Record<string, string>) {
  const before = web();
  const { metadata } = before;
  const after = makeStatefulSet("web", spec);
  context.api.put("statefulsets", {
    ...after,
    metadata: {
      ...metadata,
      generation: (metadata.generation ?? 0) + 1,
      ...(annotations ? { annotations } : {}),
    },
    status: before.status,
  });
}

/** Lets controller and kubelet go on until nothing moves; `check` is asked at every step. */
async function rest(check: () => void = () => {}) {
  for (let step = 0; step < 200; step++) {
    await settle(60);
    check();
    if (!kubelet.step()) return;
  }
  throw new Error("does not come to rest");
}

test("makes the pods one after the other, says so, and ends with a status that names its revision", async () => {
  start();
  let most = 0;
  await rest(() => {
    const waiting = podList().filter(({ status }) => !status?.phase).length;
    most = Math.max(most, waiting);
  });
  expect(most).toBe(1);
  expect(posts("pods")).toEqual(["web-0", "web-1", "web-2"].map((name) => `POST pods/default/${name}`));
  expect(context.events("web")).toEqual(
    ["web-0", "web-1", "web-2"].map(
      (name) => `SuccessfulCreate: create Pod ${name} in StatefulSet web successful`,
    ),
  );
  const name = revisions()[0]?.metadata.name ?? "";
  expect(name).toMatch(/^web-[a-z0-9]+$/);
  expect(web().status).toEqual({
    availableReplicas: 3,
    collisionCount: 0,
    currentReplicas: 3,
    currentRevision: name,
    observedGeneration: 1,
    readyReplicas: 3,
    replicas: 3,
    updateRevision: name,
    updatedReplicas: 3,
  });
});

test("scales down from the highest ordinal, one at a time", async () => {
  start();
  await rest();
  change({ replicas: 1 });
  const seen: string[] = [];
  await rest(() => {
    for (const { metadata } of podList())
      if (metadata.deletionTimestamp && !seen.includes(metadata.name)) seen.push(metadata.name);
  });
  expect(seen).toEqual(["web-2", "web-1"]);
  expect(podList().map(({ metadata }) => metadata.name)).toEqual(["web-0"]);
  expect(context.events("web")).toContain("SuccessfulDelete: delete Pod web-2 in StatefulSet web successful");
});

test("an update with a partition converges: first only the ordinals from it on, then all", async () => {
  start();
  await rest();
  change({ image: "nginx:2", partition: 1 });
  const serving: number[] = [];
  await rest(() => {
    serving.push(podList().filter((pod) => pod.status?.phase && !pod.metadata.deletionTimestamp).length);
    // Never a new one below an old one that is still to be replaced.
    const [, one, two] = images();
    if (one === "nginx:2") expect([undefined, "nginx:2"]).toContain(two);
  });
  expect(Math.min(...serving)).toBe(2);
  expect(images()).toEqual(["nginx:1", "nginx:2", "nginx:2"]);
  expect(web().status).toMatchObject({ currentReplicas: 1, updatedReplicas: 2, readyReplicas: 3 });
  expect(web().status?.currentRevision).not.toBe(web().status?.updateRevision);
  context.api.remove("pods", "default/web-0");
  await rest();
  // Whoever deleted it by name can see that nothing has it, before the successor has.
  expect(images()).toEqual([undefined, "nginx:2", "nginx:2"]);
  context.clock.advance(200);
  await rest();
  expect(images()).toEqual(["nginx:1", "nginx:2", "nginx:2"]);
  change({ image: "nginx:2", partition: 0 });
  await rest();
  expect(images()).toEqual(["nginx:2", "nginx:2", "nginx:2"]);
  expect(web().status?.currentRevision).toBe(web().status?.updateRevision);
});

test("a rollback takes the old revision up again under a new number, and the history is cut", async () => {
  start(makeStatefulSet("web", { revisionHistoryLimit: 1 }));
  await rest();
  const first = web().status?.updateRevision;
  for (const image of ["nginx:2", "nginx:3"]) {
    change({ image, revisionHistoryLimit: 2 }, { "kubernetes.io/change-cause": `to ${image}` });
    await rest();
  }
  change({ revisionHistoryLimit: 2 });
  await rest();
  expect(web().status?.updateRevision).toBe(first);
  expect(revisions().find(({ metadata }) => metadata.name === first)?.revision).toBe(4);
  expect(revisions().map(({ metadata }) => metadata.annotations?.["kubernetes.io/change-cause"])).toEqual([
    undefined,
    "to nginx:2",
    "to nginx:3",
  ]);
  change({ image: "nginx:4", revisionHistoryLimit: 1 });
  await rest();
  expect(
    revisions()
      .map(({ revision }) => revision)
      .sort(),
  ).toEqual([4, 5]);
});

test("a revision whose name another has gets another name, and the collision is counted", async () => {
  start();
  await rest();
  const [mine] = revisions();
  const name = mine?.metadata.name ?? "";
  await controller?.stop();
  context.api.remove("controllerrevisions", `default/${name}`);
  const stranger = { ...mine!, metadata: { name, namespace: "default" }, data: { other: true } };
  context.api.put("controllerrevisions", stranger);
  controller = startStatefulSetController(context);
  await rest();
  expect(web().status?.collisionCount).toBe(1);
  expect(web().status?.updateRevision).not.toBe(name);
  expect(images()).toEqual(["nginx:1", "nginx:1", "nginx:1"]);
});

test("replaces a pod that has failed under the same name, and says so", async () => {
  start();
  await rest();
  const failed = context.api.get<Pod>("pods", "default/web-1")!;
  context.api.put("pods", { ...failed, status: { phase: "Failed" } });
  await rest();
  const now = context.api.get<Pod>("pods", "default/web-1")!;
  expect(now.metadata.uid).not.toBe(failed.metadata.uid);
  expect(context.events("web")).toContain(
    "RecreatingFailedPod: StatefulSet default/web is recreating failed Pod web-1",
  );
});

test("leaves a pod alone that only has the labels, and takes an orphan of its own name", async () => {
  context.api.put("pods", makePod("stray", { labels: { app: "web" }, node: "n1", ready: true }));
  context.api.put("pods", makePod("web-0", { labels: { app: "web" }, node: "n1", ready: true }));
  start(makeStatefulSet("web", { replicas: 1, updateStrategy: { type: "OnDelete" } }));
  await rest();
  const owner = (name: string) =>
    context.api.get<Pod>("pods", `default/${name}`)?.metadata.ownerReferences?.[0]?.name;
  expect([owner("stray"), owner("web-0")]).toEqual([undefined, "web"]);
  expect(posts("pods")).toEqual([]);
  expect(context.api.get<Pod>("pods", "default/web-0")?.metadata.labels).toMatchObject({
    "statefulset.kubernetes.io/pod-name": "web-0",
  });
});

test("says why a pod cannot be made, and goes on when it can", async () => {
  context.api.refuse = (write) =>
    write.startsWith("POST pods") ? statusError("Forbidden", "exceeded quota") : undefined;
  start();
  await rest();
  expect(context.events("web")).toContain(
    "FailedCreate: create Pod web-0 in StatefulSet web failed error: exceeded quota",
  );
  context.api.refuse = () => undefined;
  context.clock.advance(60_000);
  await rest();
  expect(podList()).toHaveLength(3);
});

describe("claims", () => {
  const claims = () => context.api.list<PersistentVolumeClaim>("persistentvolumeclaims");
  const owners = (name: string) =>
    claims()
      .find(({ metadata }) => metadata.name === name)
      ?.metadata.ownerReferences?.map(({ kind, name: of }) => `${kind}/${of}`);
  const withClaims = (spec: Parameters<typeof makeStatefulSet>[1] & object = {}) =>
    makeStatefulSet("web", {
      replicas: 2,
      volumeClaimTemplates: [
        {
          metadata: { name: "www" } as PersistentVolumeClaim["metadata"],
          spec: { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "1Gi" } } },
        },
      ],
      ...spec,
    });

  test("are made before the pod, named after template and pod, and stay when the pod goes", async () => {
    start(withClaims());
    await rest();
    expect(context.api.writes.filter((write) => /^POST (pods|persist)/.test(write))).toEqual([
      "POST persistentvolumeclaims/default/www-web-0",
      "POST pods/default/web-0",
      "POST persistentvolumeclaims/default/www-web-1",
      "POST pods/default/web-1",
    ]);
    expect(claims()[0]?.metadata.labels).toEqual({ app: "web" });
    expect(context.api.get<Pod>("pods", "default/web-1")?.spec.volumes).toEqual([
      { name: "www", persistentVolumeClaim: { claimName: "www-web-1" } },
    ]);
    expect(context.events("web")).toContain(
      "SuccessfulCreate: create Claim www-web-0 Pod web-0 in StatefulSet web success",
    );
    expect(owners("www-web-0")).toBeUndefined();
    change({ ...withClaims().spec, replicas: 1 });
    await rest();
    expect(claims()).toHaveLength(2);
  });

  test("go with the set where the policy says so", async () => {
    start(
      withClaims({ persistentVolumeClaimRetentionPolicy: { whenDeleted: "Delete", whenScaled: "Retain" } }),
    );
    await rest();
    expect([owners("www-web-0"), owners("www-web-1")]).toEqual([["StatefulSet/web"], ["StatefulSet/web"]]);
    change({ ...withClaims().spec });
    await rest();
    expect(owners("www-web-0")).toEqual([]);
  });

  test("go with the pod that a scale-down ends, and a new pod waits until the old claim is gone", async () => {
    const persistentVolumeClaimRetentionPolicy = { whenDeleted: "Retain", whenScaled: "Delete" };
    start(withClaims({ persistentVolumeClaimRetentionPolicy }));
    await rest();
    expect(owners("www-web-1")).toBeUndefined();
    change({ ...withClaims().spec, replicas: 1, persistentVolumeClaimRetentionPolicy });
    await rest();
    expect(owners("www-web-1")).toEqual(["Pod/web-1"]);
    change({ ...withClaims().spec, persistentVolumeClaimRetentionPolicy });
    await rest();
    expect(podList().map(({ metadata }) => metadata.name)).toEqual(["web-0"]);
    context.api.remove("persistentvolumeclaims", "default/www-web-1");
    await rest();
    expect(podList().map(({ metadata }) => metadata.name)).toEqual(["web-0", "web-1"]);
    expect(owners("www-web-1")).toBeUndefined();
  });
});
