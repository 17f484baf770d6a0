// ResourceQuotas, LimitRanges and class defaults through the real API server, the quota controller beside it.
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Pod, ResourceQuota } from "../../src/api/generated/types.ts";
import { configMaps } from "../../src/api/kinds/config-map.ts";
import { ingresses } from "../../src/api/kinds/ingress.ts";
import { ingressClasses } from "../../src/api/kinds/ingress-class.ts";
import { limitRanges } from "../../src/api/kinds/limit-range.ts";
import { namespaces } from "../../src/api/kinds/namespace.ts";
import { persistentVolumeClaims } from "../../src/api/kinds/persistent-volume-claim.ts";
import { pods } from "../../src/api/kinds/pod.ts";
import { resourceQuotas } from "../../src/api/kinds/resource-quota.ts";
import { runtimeClasses } from "../../src/api/kinds/runtime-class.ts";
import { services } from "../../src/api/kinds/service.ts";
import { serviceAccounts } from "../../src/api/kinds/service-account.ts";
import type { Draft, KubeObject } from "../../src/api/object.ts";
import type { Resource } from "../../src/api/resource.ts";
import { StatusError } from "../../src/api/status-error.ts";
import { systemClock } from "../../src/base/clock.ts";
import { silentLog } from "../../src/base/log.ts";
import { timingOf } from "../../src/base/timing.ts";
import { createClient } from "../../src/client/create-client.ts";
import { createInformers, type InformerFactory } from "../../src/client/informers.ts";
import { startResourceQuotaController } from "../../src/controllers/resource-quota/controller.ts";
import type { RunningController } from "../../src/controllers/runtime/context.ts";
import { SLOT, startTestServer, type TestServer } from "./harness.ts";

let server: TestServer;
let informers: InformerFactory;
let controller: RunningController;
let spaces = 0;

beforeAll(async () => {
  server = await startTestServer();
  const client = createClient(server.server.transport("system:kube-controller-manager", ["system:masters"]));
  informers = createInformers(client, { log: silentLog });
  controller = startResourceQuotaController(
    {
      client,
      informers,
      log: silentLog,
      clock: systemClock,
      timing: timingOf("kubernetes"),
      addresses: { slot: SLOT, singleAddress: false, lowestPort: 1024 },
    },
    { resources: () => server.registry.stored().map(({ resource }) => resource) },
  );
});
afterAll(async () => {
  await controller.stop();
  await informers.stop();
  expect(server.errors).toEqual([]);
  await server.stop();
});

/** A namespace of its own for each test. */
async function space(): Promise<string> {
  const name = `space-${++spaces}`;
  await server.client.create(namespaces, { metadata: { name } });
  await server.client.create(serviceAccounts, { metadata: { name: "default", namespace: name } });
  return name;
}
const create = <T extends KubeObject>(
  resource: Resource<T>,
  namespace: string,
  name: string,
  more: object = {},
) => server.client.create(resource, { metadata: { namespace, name }, ...more } as unknown as Draft<T>);
const container = (name: string, resources: object = {}) => ({ name, image: "nginx", resources });
const pod = (namespace: string, name: string, resources: object = {}, spec: object = {}) =>
  create<Pod>(pods, namespace, name, { spec: { containers: [container("c", resources)], ...spec } });

async function refusal(pending: Promise<unknown>): Promise<string> {
  const error = await pending.then(
    () => undefined,
    (why: unknown) => why,
  );
  expect(error).toBeInstanceOf(StatusError);
  expect((error as StatusError).status).toMatchObject({ reason: "Forbidden", code: 403 });
  return (error as StatusError).message;
}

async function used(namespace: string, expected: Record<string, string>): Promise<ResourceQuota> {
  const informer = informers.of(resourceQuotas);
  const key = `${namespace}/q`;
  await informer.when(() =>
    Object.entries(expected).every(([name, value]) => informer.get(key)?.status?.used?.[name] === value),
  );
  return server.client.get(resourceQuotas, { namespace, name: "q" });
}

describe("a ResourceQuota", () => {
  it("counts pods and what they ask for, and refuses what goes beyond in Kubernetes' words", async () => {
    const namespace = await space();
    const hard = { pods: 2, "requests.cpu": "1", "requests.memory": "1Gi", "limits.cpu": "2" };
    await create(resourceQuotas, namespace, "q", { spec: { hard } });
    const small = { requests: { cpu: "400m", memory: "256Mi" }, limits: { cpu: "500m" } };
    await pod(namespace, "a", small);
    expect(await refusal(pod(namespace, "silent"))).toBe(
      'pods "silent" is forbidden: failed quota: q: must specify limits.cpu for: c; requests.cpu for: c; requests.memory for: c',
    );
    expect(
      await refusal(
        pod(namespace, "big", { ...small, requests: { cpu: "700m", memory: "1Gi" }, limits: { cpu: "1" } }),
      ),
    ).toBe(
      'pods "big" is forbidden: exceeded quota: q, requested: requests.cpu=700m,requests.memory=1Gi, used: requests.cpu=400m,requests.memory=256Mi, limited: requests.cpu=1,requests.memory=1Gi',
    );
    await pod(namespace, "b", small);
    expect(await refusal(pod(namespace, "c", { ...small, requests: { cpu: "1m", memory: "1Mi" } }))).toBe(
      'pods "c" is forbidden: exceeded quota: q, requested: pods=1, used: pods=2, limited: pods=2',
    );
    const { status } = await used(namespace, { pods: "2", "requests.cpu": "800m" });
    expect(status).toEqual({
      hard: { pods: "2", "requests.cpu": "1", "requests.memory": "1Gi", "limits.cpu": "2" },
      used: { pods: "2", "requests.cpu": "800m", "requests.memory": "512Mi", "limits.cpu": "1" },
    });
    await server.client.delete(pods, { namespace, name: "a" }, { gracePeriodSeconds: 0 });
    await used(namespace, { pods: "1", "requests.cpu": "400m" });
    await pod(namespace, "c", small);
  });

  it("lets in exactly as many as it allows, however many come at once", async () => {
    const namespace = await space();
    await create(resourceQuotas, namespace, "q", { spec: { hard: { configmaps: 7, "count/secrets": 1 } } });
    const dry = server.client.create(
      configMaps,
      { metadata: { namespace, name: "dry" } } as Draft<KubeObject>,
      { dryRun: true },
    );
    const tries = Array.from({ length: 30 }, (_, index) => create(configMaps, namespace, `c${index}`));
    const ends = await Promise.allSettled([...tries, dry]);
    expect(ends.slice(0, 30).filter(({ status }) => status === "fulfilled")).toHaveLength(7);
    await used(namespace, { configmaps: "7", "count/secrets": "0" });
    expect(await refusal(create(configMaps, namespace, "more"))).toContain(
      "exceeded quota: q, requested: configmaps=1, used: configmaps=7, limited: configmaps=7",
    );
  });

  it("charges an update for what it adds", async () => {
    const namespace = await space();
    const hard = { services: 2, "services.nodeports": 1, "services.loadbalancers": 0 };
    await create(resourceQuotas, namespace, "q", { spec: { hard } });
    const ports = [{ name: "a", port: 80 }];
    await create(services, namespace, "s", { spec: { ports } });
    const change = (spec: object) =>
      server.client.patch(services, { namespace, name: "s" }, "merge", { spec });
    await change({ type: "NodePort" });
    expect(await refusal(change({ ports: [...ports, { name: "b", port: 81 }] }))).toBe(
      'services "s" is forbidden: exceeded quota: q, requested: services.nodeports=1, used: services.nodeports=1, limited: services.nodeports=1',
    );
    expect(await refusal(change({ type: "LoadBalancer" }))).toContain("services.loadbalancers=1");
    await used(namespace, { services: "1", "services.nodeports": "1", "services.loadbalancers": "0" });
  });

  it("applies to what is in its scopes only", async () => {
    const namespace = await space();
    await create(resourceQuotas, namespace, "q", { spec: { hard: { pods: 1 }, scopes: ["BestEffort"] } });
    await pod(namespace, "a");
    expect(await refusal(pod(namespace, "b"))).toContain("exceeded quota: q, requested: pods=1");
    await pod(namespace, "c", { requests: { cpu: "1m" } });
    await used(namespace, { pods: "1" });
  });

  it("does not stand in the way of a namespace that is emptied, nor of other namespaces", async () => {
    const [full, other] = [await space(), await space()];
    await create(resourceQuotas, full, "q", { spec: { hard: { configmaps: 0 } } });
    expect(await refusal(create(configMaps, full, "a"))).toContain("exceeded quota");
    await create(configMaps, other, "a");
    await server.client.delete(resourceQuotas, { namespace: full, name: "q" });
    await create(configMaps, full, "a");
  });
});

describe("a LimitRange", () => {
  it("gives containers what they do not say, and says so on the pod", async () => {
    const namespace = await space();
    const limits = [
      { type: "Container", default: { cpu: "500m" }, defaultRequest: { cpu: "250m", memory: "64Mi" } },
    ];
    await create(limitRanges, namespace, "l", { spec: { limits } });
    const made = await pod(
      namespace,
      "a",
      {},
      {
        containers: [container("x"), container("y", { requests: { cpu: "1m" }, limits: { cpu: "1" } })],
        initContainers: [container("i")],
      },
    );
    expect(made.spec.containers.map(({ resources }) => resources)).toEqual([
      { requests: { cpu: "250m", memory: "64Mi" }, limits: { cpu: "500m" } },
      { requests: { cpu: "1m", memory: "64Mi" }, limits: { cpu: "1" } },
    ]);
    expect(made.status?.qosClass).toBe("Burstable");
    expect(made.metadata.annotations?.["kubernetes.io/limit-ranger"]).toBe(
      "LimitRanger plugin set: cpu, memory request for container x; cpu limit for container x; memory request for container y; cpu, memory request for init container i; cpu limit for init container i",
    );
  });

  it.each<[string, object, object, string]>([
    [
      "a container above the maximum",
      { type: "Container", max: { memory: "1Gi" } },
      { requests: { memory: "1Gi" }, limits: { memory: "1536Mi" } },
      "maximum memory usage per Container is 1Gi, but limit is 1536Mi",
    ],
    [
      "a container below the minimum",
      { type: "Container", min: { memory: "500Mi" } },
      { requests: { memory: "100Mi" }, limits: { memory: "800Mi" } },
      "minimum memory usage per Container is 500Mi, but request is 100Mi",
    ],
    [
      "a wide ratio",
      { type: "Container", maxLimitRequestRatio: { cpu: "2" } },
      { requests: { cpu: "200m" }, limits: { cpu: "1" } },
      "cpu max limit to request ratio per Container is 2, but provided ratio is 5.000000",
    ],
    [
      "a pod as a whole, twice",
      { type: "Pod", max: { cpu: "500m" }, min: { memory: "1Gi" } },
      { requests: { cpu: "400m" }, limits: { cpu: "1" } },
      "[minimum memory usage per Pod is 1Gi.  No request is specified, maximum cpu usage per Pod is 500m, but limit is 1]",
    ],
  ])("refuses %s", async (_, item, resources, why) => {
    const namespace = await space();
    await create(limitRanges, namespace, "l", { spec: { limits: [item] } });
    expect(await refusal(pod(namespace, "a", resources))).toBe(`pods "a" is forbidden: ${why}`);
  });

  it("bounds claims, when they are made and when they grow", async () => {
    const namespace = await space();
    const limits = [{ type: "PersistentVolumeClaim", min: { storage: "1Gi" }, max: { storage: "2Gi" } }];
    await create(limitRanges, namespace, "l", { spec: { limits } });
    const claim = (name: string, storage: string) =>
      create(persistentVolumeClaims, namespace, name, {
        spec: { accessModes: ["ReadWriteOnce"], resources: { requests: { storage } } },
      });
    expect(await refusal(claim("small", "1Mi"))).toBe(
      'persistentvolumeclaims "small" is forbidden: minimum storage usage per PersistentVolumeClaim is 1Gi, but request is 1Mi',
    );
    expect(await refusal(claim("large", "3Gi"))).toBe(
      'persistentvolumeclaims "large" is forbidden: maximum storage usage per PersistentVolumeClaim is 2Gi, but request is 3Gi',
    );
    await claim("good", "2Gi");
  });

  it("leaves what is no quantity to validation", async () => {
    const namespace = await space();
    await create(limitRanges, namespace, "l", {
      spec: { limits: [{ type: "Container", max: { cpu: "1" } }] },
    });
    await expect(pod(namespace, "a", { limits: { cpu: "much" } })).rejects.toMatchObject({
      status: { code: expect.toSatisfy((code: number) => code === 400 || code === 422) },
    });
  });
});

describe("classes", () => {
  it("gives an Ingress without a class the newest default one", async () => {
    const namespace = await space();
    const annotations = { "ingressclass.kubernetes.io/is-default-class": "true" };
    for (const name of ["b", "a"])
      await server.client.create(ingressClasses, {
        metadata: { name, annotations },
        spec: { controller: "example.com/ingress" },
      } as Draft<KubeObject>);
    const spec = { defaultBackend: { service: { name: "web", port: { number: 80 } } } };
    const made = await create(ingresses, namespace, "i", { spec });
    expect(["a", "b"]).toContain(made.spec?.ingressClassName);
    const own = await create(ingresses, namespace, "own", { spec: { ...spec, ingressClassName: "mine" } });
    expect(own.spec?.ingressClassName).toBe("mine");
  });

  it("gives a pod what its RuntimeClass says, and refuses one that is not there", async () => {
    const namespace = await space();
    await server.client.create(runtimeClasses, {
      metadata: { name: "heavy" },
      handler: "heavy",
      overhead: { podFixed: { cpu: "250m" } },
      scheduling: { nodeSelector: { disk: "ssd" }, tolerations: [{ key: "heavy", operator: "Exists" }] },
    } as unknown as Draft<KubeObject>);
    const made = await pod(namespace, "a", {}, { runtimeClassName: "heavy" });
    expect(made.spec).toMatchObject({ overhead: { cpu: "250m" }, nodeSelector: { disk: "ssd" } });
    expect(made.spec.tolerations).toContainEqual({ key: "heavy", operator: "Exists" });
    expect(await refusal(pod(namespace, "b", {}, { runtimeClassName: "none" }))).toBe(
      'pods "b" is forbidden: pod rejected: RuntimeClass "none" not found',
    );
    expect(await refusal(pod(namespace, "c", {}, { overhead: { cpu: "1" } }))).toContain(
      "Pod Overhead set without corresponding RuntimeClass defined Overhead",
    );
  });
});
