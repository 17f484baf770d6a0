// Scheduler, endpoints, node lifecycle and service addresses on the real API server, in one process, with pretended node agents.
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Node, Pod, Service } from "../../src/api/generated/types.ts";
import { endpointSlices } from "../../src/api/kinds/endpoint-slice.ts";
import { endpoints } from "../../src/api/kinds/endpoints.ts";
import { events } from "../../src/api/kinds/event.ts";
import { nodes } from "../../src/api/kinds/node.ts";
import { pods } from "../../src/api/kinds/pod.ts";
import { services } from "../../src/api/kinds/service.ts";
import { systemClock } from "../../src/base/clock.ts";
import { silentLog } from "../../src/base/log.ts";
import { timingOf } from "../../src/base/timing.ts";
import { createClient } from "../../src/client/create-client.ts";
import { createInformers, type InformerFactory } from "../../src/client/informers.ts";
import { startEndpointSliceController } from "../../src/controllers/endpoint-slice/controller.ts";
import { startEndpointsController } from "../../src/controllers/endpoints/controller.ts";
import { startNodeLifecycleController } from "../../src/controllers/node-lifecycle/controller.ts";
import type { RunningController } from "../../src/controllers/runtime/context.ts";
import { startServiceAddressController } from "../../src/controllers/service-address/controller.ts";
import { startScheduler } from "../../src/scheduler/scheduler.ts";
import { SLOT, startTestServer, type TestServer } from "./harness.ts";

let test: TestServer;
let informers: InformerFactory;
let running: RunningController[];
let ties = 0;

beforeEach(async () => {
  test = await startTestServer();
  const client = createClient(test.server.transport("system:kube-controller-manager", ["system:masters"]));
  informers = createInformers(client, { log: silentLog });
  const context = {
    client,
    informers,
    log: silentLog,
    clock: systemClock,
    timing: timingOf("kubernetes"),
    addresses: { slot: SLOT, singleAddress: false, lowestPort: 1024 },
  };
  running = [
    // Ties go round in turn: with chance to decide them, how even 300 pods lie is a matter of luck.
    startScheduler(context, { random: () => (ties++ % 3) / 3 }),
    startEndpointsController(context),
    startEndpointSliceController(context),
    startNodeLifecycleController(context),
    startServiceAddressController(context, { isFree: async () => true }),
  ];
  await informers.synced();
  for (const index of [1, 2, 3]) await addNode(`node-${index}`);
});

afterEach(async () => {
  await Promise.all(running.map((controller) => controller.stop()));
  await informers.stop();
  await test.stop();
});

async function addNode(name: string): Promise<void> {
  const capacity = { cpu: "8", memory: "16Gi", pods: "110" };
  const metadata = { name, labels: { "kubernetes.io/hostname": name } };
  await test.client.create<Node>(nodes, { metadata });
  await setReady(name, "True", { capacity, allocatable: capacity });
}

async function setReady(name: string, status: string, more: object = {}): Promise<void> {
  const conditions = [
    { type: "Ready", status, reason: status === "True" ? "KubeletReady" : "NodeStatusUnknown" },
  ];
  await test.client.patch(
    nodes,
    { name },
    "strategic",
    { status: { conditions, ...more } },
    { subresource: "status" },
  );
}

const addPod = (name: string, spec: object = {}) =>
  test.client.create<Pod>(pods, {
    metadata: { name, namespace: "default", labels: { app: "web" } },
    spec: { containers: [{ name: "c", image: "nginx" }], ...spec },
  });

/** What an agent does once its pod runs. */
async function runPod(name: string, podIP: string): Promise<void> {
  const conditions = [{ type: "Ready", status: "True", lastTransitionTime: "2026-01-01T00:00:00Z" }];
  const status = { phase: "Running", podIP, podIPs: [{ ip: podIP }], conditions };
  await test.client.patch(
    pods,
    { namespace: "default", name },
    "strategic",
    { status },
    { subresource: "status" },
  );
}

/** Waits on the informers' steps for `condition`. */
const until = (condition: () => boolean): Promise<unknown> =>
  Promise.race(
    [pods, endpoints, endpointSlices, services, nodes].map((one) =>
      informers.of<never>(one as never).when(condition),
    ),
  );

const podOf = (name: string) => informers.of(pods).get(`default/${name}`);
const slicedIps = () =>
  informers
    .of(endpointSlices)
    .list()
    .filter(({ metadata }) => metadata.labels?.["kubernetes.io/service-name"] === "web")
    .flatMap((slice) => slice.endpoints ?? [])
    .filter(({ conditions }) => conditions?.ready)
    .flatMap(({ addresses }) => addresses)
    .sort();
const endpointIps = () =>
  (informers.of(endpoints).get("default/web")?.subsets ?? [])
    .flatMap(({ addresses }) => addresses ?? [])
    .map(({ ip }) => ip)
    .sort();

describe("placement on a real API server", () => {
  it("places, connects, and takes a lost node's pods out at once", async () => {
    await test.client.create<Service>(services, {
      metadata: { name: "web", namespace: "default" },
      spec: { type: "LoadBalancer", selector: { app: "web" }, ports: [{ port: 80 }] },
    });
    for (const name of ["a", "b", "c"]) await addPod(name);
    await until(() => ["a", "b", "c"].every((name) => podOf(name)?.spec.nodeName));
    expect(new Set(["a", "b", "c"].map((name) => podOf(name)?.spec.nodeName)).size).toBe(3);

    await Promise.all(["a", "b", "c"].map((name, i) => runPod(name, `127.${SLOT}.${i + 1}.2`)));
    const all = [1, 2, 3].map((i) => `127.${SLOT}.${i}.2`);
    await until(() => slicedIps().length === 3 && endpointIps().length === 3);
    expect([slicedIps(), endpointIps()]).toEqual([all, all]);
    const web = () => informers.of(services).get("default/web");
    await until(() => web()?.status?.loadBalancer?.ingress !== undefined);
    expect(web()?.status?.loadBalancer?.ingress).toEqual([
      { ip: `127.${SLOT}.224.1`, ipMode: "VIP", ports: [{ port: 40080, protocol: "TCP" }] },
    ]);
    expect(web()?.metadata.annotations?.["kubemu.dev/published-ports"]).toBe(
      `{"80/TCP":{"host":"127.${SLOT}.224.1","port":40080}}`,
    );

    const lost = podOf("a")?.spec.nodeName as string;
    const taints = [{ key: "node.kubernetes.io/out-of-service", value: "nodeshutdown", effect: "NoExecute" }];
    await setReady(lost, "Unknown");
    await test.client.patch(nodes, { name: lost }, "merge", { spec: { taints } });
    await until(() => !endpointIps().includes(all[0] as string) && !slicedIps().includes(all[0] as string));
    await until(() => podOf("a")?.metadata.deletionTimestamp !== undefined);
    expect(endpointIps()).toEqual(all.slice(1));
    expect(podOf("b")?.metadata.deletionTimestamp).toBeUndefined();
    expect(test.errors).toEqual([]);
  });

  it("says why a pod waits, on the pod and as an event", async () => {
    await addPod("greedy", {
      containers: [{ name: "c", image: "nginx", resources: { requests: { cpu: "100" } } }],
    });
    const condition = () => podOf("greedy")?.status?.conditions?.find(({ type }) => type === "PodScheduled");
    await until(() => condition()?.reason === "Unschedulable");
    const message =
      "0/3 nodes are available: 3 Insufficient cpu. preemption: 0/3 nodes are available: 3 Preemption is not helpful for scheduling.";
    expect(condition()).toMatchObject({ status: "False", message });
    const isTold = () =>
      informers
        .of(events)
        .list()
        .some((event) => event.message === message);
    await informers.of(events).when(isTold);
    expect(isTold()).toBe(true);
  });

  it("places 300 pods, each node about its share", async () => {
    await Promise.all(Array.from({ length: 300 }, (_, i) => addPod(`p${i}`)));
    await until(
      () =>
        informers
          .of(pods)
          .list()
          .filter(({ spec }) => spec.nodeName).length === 300,
    );
    const counts = [1, 2, 3].map(
      (i) =>
        informers
          .of(pods)
          .list()
          .filter(({ spec }) => spec.nodeName === `node-${i}`).length,
    );
    // Scores are whole numbers, as in Kubernetes: nodes that differ by less than one per cent are equally good.
    expect(Math.max(...counts) - Math.min(...counts)).toBeLessThanOrEqual(10);
    expect(test.errors).toEqual([]);
  });
});
