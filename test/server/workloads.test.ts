// The workload controllers against the real API server, with a stand-in for the node agents only.
import { afterEach, beforeEach, expect, test } from "vitest";
import type { Deployment, Namespace, Pod, ReplicaSet } from "../../src/api/generated/types.ts";
import { configMaps } from "../../src/api/kinds/config-map.ts";
import { deployments } from "../../src/api/kinds/deployment.ts";
import { events } from "../../src/api/kinds/event.ts";
import { namespaces } from "../../src/api/kinds/namespace.ts";
import { nodes } from "../../src/api/kinds/node.ts";
import { pods } from "../../src/api/kinds/pod.ts";
import { replicaSets } from "../../src/api/kinds/replica-set.ts";
import { serviceAccounts } from "../../src/api/kinds/service-account.ts";
import { hasReason } from "../../src/api/status-error.ts";
import { systemClock, timestamp } from "../../src/base/clock.ts";
import { silentLog } from "../../src/base/log.ts";
import { timingOf } from "../../src/base/timing.ts";
import { createClient } from "../../src/client/create-client.ts";
import type { LiveInformer } from "../../src/client/informer.ts";
import { createInformers } from "../../src/client/informers.ts";
import { startInformer } from "../../src/client/start-informer.ts";
import { startDeploymentController } from "../../src/controllers/deployment/controller.ts";
import { startGarbageCollector } from "../../src/controllers/garbage-collector/controller.ts";
import { startNamespaceController } from "../../src/controllers/namespace/controller.ts";
import { startReplicaSetController } from "../../src/controllers/replica-set/controller.ts";
import type { ControllerContext, RunningController } from "../../src/controllers/runtime/context.ts";
import { startServiceAccountController } from "../../src/controllers/service-account/controller.ts";
import { startTestServer, type TestServer } from "./harness.ts";

let server: TestServer;
let context: ControllerContext;
let running: RunningController[];
let agents: { stop(): void };

beforeEach(async () => {
  server = await startTestServer();
  const client = createClient(server.server.transport("system:kube-controller-manager", ["system:masters"]));
  const clock = systemClock;
  const informers = createInformers(client, { log: silentLog, clock });
  const addresses = { slot: 16, singleAddress: false, lowestPort: 1024 };
  context = { client, informers, log: silentLog, clock, timing: timingOf("fast"), addresses };
  const resources = () => server.registry.all().map(({ resource }) => resource);
  running = [
    startDeploymentController(context),
    startReplicaSetController(context),
    startGarbageCollector(context, { resources }),
    startNamespaceController(context, { resources }),
    startServiceAccountController(context, { ca: "a certificate" }),
  ];
  agents = startAgents();
  await informers.synced();
});
afterEach(async () => {
  agents.stop();
  await Promise.all(running.map((controller) => controller.stop()));
  await context.informers.stop();
  await server.stop();
});

/** Makes pods Ready as they come, and ends those that are to go. */
function startAgents(): { stop(): void } {
  const { client } = server;
  const gone = (error: unknown) => {
    if (!hasReason(error, "NotFound") && !hasReason(error, "Conflict")) throw error;
  };
  const act = async (pod: Readonly<Pod>) => {
    const at = pod.metadata;
    if (at.deletionTimestamp) return client.delete(pods, at, { gracePeriodSeconds: 0 });
    if (pod.status?.phase === "Running") return;
    const ready = { type: "Ready", status: "True", lastTransitionTime: timestamp(Date.now()) };
    await client.patch(
      pods,
      at,
      "merge",
      { status: { phase: "Running", conditions: [ready] } },
      { subresource: "status" },
    );
  };
  const stop = context.informers.of(pods).onChange((pod) => {
    if (pod) act(pod).catch(gone);
  });
  return { stop };
}

const web = (namespace = "default", replicas = 3) =>
  server.client.create<Deployment>(deployments, {
    metadata: { name: "web", namespace },
    spec: {
      replicas,
      selector: { matchLabels: { app: "web" } },
      template: {
        metadata: { labels: { app: "web" } },
        spec: { containers: [{ name: "web", image: "nginx:1.27" }] },
      },
    },
  });

async function when<T extends Deployment | ReplicaSet | Pod | Namespace>(
  informer: LiveInformer<T>,
  condition: (all: readonly Readonly<T>[]) => boolean,
): Promise<void> {
  await informer.when(() => condition(informer.list()));
}
const of = {
  deployments: () => context.informers.of(deployments),
  replicaSets: () => context.informers.of(replicaSets),
  pods: () => context.informers.of(pods),
};
const complete = ([first]: readonly Readonly<Deployment>[]) =>
  first?.status?.observedGeneration === first?.metadata.generation &&
  first?.status?.availableReplicas === first?.spec.replicas &&
  first?.status?.updatedReplicas === first?.spec.replicas &&
  first?.status?.replicas === first?.spec.replicas;

test("a Deployment becomes pods, rolls on and back, and says so in its Events", async () => {
  await web();
  await when(of.deployments(), complete);
  const image = (tag: string) => ({
    spec: { template: { spec: { containers: [{ name: "web", image: `nginx:${tag}` }] } } },
  });
  const at = { namespace: "default", name: "web" };
  await server.client.patch(deployments, at, "strategic", image("1.28"));
  await when(of.deployments(), (all) => complete(all) && all[0]?.metadata.generation === 2);
  expect(
    of
      .pods()
      .list()
      .filter(({ metadata }) => !metadata.deletionTimestamp),
  ).toHaveLength(3);
  expect(of.replicaSets().list()).toHaveLength(2);
  await server.client.patch(deployments, at, "strategic", image("1.27"));
  await when(of.deployments(), (all) => complete(all) && all[0]?.metadata.generation === 3);
  await when(
    of.deployments(),
    (all) => all[0]?.metadata.annotations?.["deployment.kubernetes.io/revision"] === "3",
  );
  expect(of.replicaSets().list()).toHaveLength(2);
  const told = async () =>
    (await server.client.list(events, { namespace: "default" })).items.map(({ message }) => message);
  await expect
    .poll(told)
    .toContainEqual(expect.stringMatching(/^Scaled up replica set web-\w+ from 0 to 3$/));
  expect(server.errors).toEqual([]);
});

test.each(["Background", "Foreground"] as const)(
  "deleting in the %s takes everything below along",
  async (propagationPolicy) => {
    await web();
    await when(of.deployments(), complete);
    await server.client.delete(deployments, { namespace: "default", name: "web" }, { propagationPolicy });
    await when(of.pods(), (all) => all.length === 0);
    await when(of.replicaSets(), (all) => all.length === 0);
    await when(of.deployments(), (all) => all.length === 0);
  },
);

test("an owner in another namespace holds nothing, one of what has no namespace is not looked for; both are told", async () => {
  const { client } = server;
  const owner = await client.create(configMaps, { metadata: { name: "owner", namespace: "kube-system" } });
  const ownerReferences = [{ apiVersion: "v1", kind: "ConfigMap", name: "owner", uid: owner.metadata.uid }];
  const informer = context.informers.of(configMaps);
  await informer.when(() => informer.get("kube-system/owner") !== undefined);
  await client.create(nodes, { metadata: { name: "n1", ownerReferences } });
  await client.create(configMaps, { metadata: { name: "stray", namespace: "default", ownerReferences } });
  const told = async () =>
    (await client.list(events, { namespace: "default" })).items
      .filter(({ reason }) => reason === "OwnerRefInvalidNamespace")
      .map(({ involvedObject, message }) => [involvedObject.name, message]);
  const text = (namespace: string) =>
    `ownerRef [v1/ConfigMap, namespace: ${namespace}, name: owner, uid: ${owner.metadata.uid}] does not exist in namespace "${namespace}"`;
  await expect.poll(async () => (await told()).length).toBe(2);
  expect(await told()).toEqual(
    expect.arrayContaining([
      ["n1", text("")],
      ["stray", text("default")],
    ]),
  );
  await expect.poll(() => client.find(configMaps, { namespace: "default", name: "stray" })).toBeUndefined();
  expect(await client.find(nodes, { name: "n1" })).toBeDefined();
});

test("deleting with orphans leaves what is below, and a new owner takes it over", async () => {
  await web();
  await when(of.deployments(), complete);
  const before = of
    .pods()
    .list()
    .map(({ metadata }) => metadata.uid)
    .sort();
  await server.client.delete(
    deployments,
    { namespace: "default", name: "web" },
    { propagationPolicy: "Orphan" },
  );
  await when(of.deployments(), (all) => all.length === 0);
  await when(of.replicaSets(), ([set]) => set !== undefined && !set.metadata.ownerReferences?.length);
  await web();
  await when(of.deployments(), complete);
  expect(of.replicaSets().list()).toHaveLength(1);
  expect(
    of
      .pods()
      .list()
      .map(({ metadata }) => metadata.uid)
      .sort(),
  ).toEqual(before);
});

test("a circle of owners that are deleted in the foreground goes, and does not wait for itself", async () => {
  const { client } = server;
  const names = ["first", "second", "third"];
  const made = await Promise.all(
    names.map((name) => client.create(configMaps, { metadata: { namespace: "default", name } })),
  );
  const uids = Object.fromEntries(made.map(({ metadata }) => [metadata.name, metadata.uid]));
  for (const [index, name] of names.entries()) {
    const owner = names.at(index - 1) as string;
    const reference = { apiVersion: "v1", kind: "ConfigMap", name: owner, uid: uids[owner] };
    const ownerReferences = [{ ...reference, controller: true, blockOwnerDeletion: true }];
    await client.patch(configMaps, { namespace: "default", name }, "merge", {
      metadata: { ownerReferences },
    });
  }
  await client.delete(
    configMaps,
    { namespace: "default", name: "first" },
    { propagationPolicy: "Foreground" },
  );
  const left = async () => {
    const { items } = await client.list(configMaps, { namespace: "default" });
    return items.map(({ metadata }) => metadata.name).filter((name) => names.includes(name));
  };
  await expect.poll(left, { timeout: 20_000 }).toEqual([]);
});

test("a pod whose label is changed is let go and replaced", async () => {
  await web();
  await when(of.deployments(), complete);
  const [pod] = of.pods().list();
  await server.client.patch(pods, pod!.metadata, "merge", { metadata: { labels: { app: "debug" } } });
  await when(of.pods(), (all) => all.length === 4);
  await when(of.deployments(), complete);
  const loose = await server.client.get(pods, pod!.metadata);
  expect(loose.metadata.ownerReferences ?? []).toEqual([]);
});

test("a namespace gets its account, and when it goes takes everything with it", async () => {
  await server.client.create(namespaces, { metadata: { name: "team" } });
  const accounts = context.informers.of(serviceAccounts);
  await accounts.when(() => accounts.get("team/default") !== undefined);
  await web("team", 2);
  await when(of.deployments(), complete);
  await server.client.delete(namespaces, { name: "team" });
  const all = context.informers.of(namespaces);
  await all.when(() => all.get("team") === undefined);
  expect(of.pods().inNamespace("team")).toEqual([]);
  expect(of.deployments().inNamespace("team")).toEqual([]);
});

test("an informer over HTTPS sees what one in the process sees", async () => {
  const transport = server.remote();
  const remote = startInformer(createClient(transport), pods, { log: silentLog });
  await remote.synced;
  await web();
  await when(of.deployments(), complete);
  await remote.when(() => remote.revision >= of.pods().revision);
  const states = (all: readonly Readonly<Pod>[]) =>
    all.map(({ metadata }) => `${metadata.name}@${metadata.resourceVersion}`).sort();
  expect(states(remote.list())).toEqual(states(of.pods().list()));
  expect(remote.list()[0]?.kind).toBe("Pod");
  await remote.stop();
  transport.close();
});
