import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { EndpointSubset, Endpoints } from "../../../../src/api/generated/types.ts";
import { startEndpointsController } from "../../../../src/controllers/endpoints/controller.ts";
import { planEndpoints } from "../../../../src/controllers/endpoints/plan.ts";
import type { RunningController } from "../../../../src/controllers/runtime/context.ts";
import { createTestContext, settle, type TestContext, until } from "../context.ts";
import { makePod, makeService } from "../objects.ts";

const web = { app: "web" };
const readyPod = (name: string, ip: string, more: object = {}) =>
  makePod(name, { labels: web, ip, ready: true, node: "n1", ...more });
const ips = (subsets: readonly EndpointSubset[], which: "addresses" | "notReadyAddresses" = "addresses") =>
  subsets.flatMap((subset) => (subset[which] ?? []).map(({ ip }) => ip));

describe("planEndpoints", () => {
  it("lists ready and unready addresses under the target port", () => {
    const service = makeService("web", {
      ports: [{ name: "http", port: 80, targetPort: 8080, protocol: "TCP" }],
    });
    const pods = [readyPod("b", "127.20.1.3"), readyPod("a", "127.20.1.2", { ready: false })];
    expect(planEndpoints(service, pods).subsets).toEqual([
      {
        addresses: [
          {
            ip: "127.20.1.3",
            nodeName: "n1",
            targetRef: { kind: "Pod", namespace: "default", name: "b", uid: "uid-default-b" },
          },
        ],
        notReadyAddresses: [
          {
            ip: "127.20.1.2",
            nodeName: "n1",
            targetRef: { kind: "Pod", namespace: "default", name: "a", uid: "uid-default-a" },
          },
        ],
        ports: [{ name: "http", port: 8080, protocol: "TCP" }],
      },
    ]);
  });

  it("shows the port where the pod really listens, and packs pods by it", () => {
    const service = makeService("web");
    const mapped = (port: number) => ({ annotations: { "kubemu.dev/port-map": `{"80":${port}}` } });
    const pods = [
      readyPod("a", "127.0.0.1", mapped(10080)),
      readyPod("b", "127.0.0.1", mapped(10081)),
      readyPod("c", "127.20.1.4", mapped(10080)),
    ];
    const { subsets } = planEndpoints(service, pods);
    expect(subsets.map(({ ports }) => ports?.[0]?.port)).toEqual([10080, 10081]);
    expect(subsets.map((subset) => ips([subset]))).toEqual([["127.0.0.1", "127.20.1.4"], ["127.0.0.1"]]);
  });

  it("resolves a named port per pod, and leaves out pods without one of that name and protocol", () => {
    const service = makeService("web", { ports: [{ port: 80, targetPort: "http", protocol: "TCP" }] });
    const named = (containerPort: number, protocol = "TCP") => ({
      ports: [{ name: "http", containerPort, protocol }],
    });
    const pods = [
      readyPod("a", "127.20.1.2", named(8080)),
      readyPod("b", "127.20.1.3", named(9090)),
      readyPod("c", "127.20.1.4", named(53, "UDP")),
      readyPod("d", "127.20.1.5"),
    ];
    const { subsets } = planEndpoints(service, pods);
    expect(subsets.map((subset) => [ips([subset])[0], subset.ports?.[0]?.port])).toEqual([
      ["127.20.1.2", 8080],
      ["127.20.1.3", 9090],
    ]);
  });

  it("lists a port once, with everyone behind it, ready or not; ports that lead to the same pods share a subset", () => {
    const service = makeService("web", {
      ports: [
        { name: "http", port: 80, targetPort: "http", protocol: "TCP" },
        { name: "metrics", port: 81, targetPort: 9000, protocol: "TCP" },
        { name: "admin", port: 82, targetPort: 9001, protocol: "TCP" },
      ],
    });
    const http = (containerPort: number) => ({
      ports: [{ name: "http", containerPort, protocol: "TCP" }],
    });
    const pods = [
      readyPod("a", "127.20.1.2", http(8080)),
      readyPod("b", "127.20.1.3", { ...http(8081), ready: false }),
      readyPod("c", "127.20.1.4", http(8080)),
      readyPod("d", "127.20.1.5"),
    ];
    const { subsets } = planEndpoints(service, pods);
    const shown = subsets.map((subset) => [
      subset.ports?.map(({ port }) => port),
      ips([subset]),
      ips([subset], "notReadyAddresses"),
    ]);
    expect(shown).toEqual([
      [[8080], ["127.20.1.2", "127.20.1.4"], []],
      [[8081], [], ["127.20.1.3"]],
      [[9000, 9001], ["127.20.1.2", "127.20.1.4", "127.20.1.5"], ["127.20.1.3"]],
    ]);
  });

  it("leaves out terminating pods, unless the Service publishes addresses that are not ready", () => {
    const pods = [
      readyPod("a", "127.20.1.2", { terminating: true }),
      readyPod("b", "127.20.1.3", { ready: false }),
    ];
    expect(planEndpoints(makeService("web"), pods).subsets).toMatchObject([
      { notReadyAddresses: [{ ip: "127.20.1.3" }] },
    ]);
    const published = planEndpoints(makeService("web", { publishNotReadyAddresses: true }), pods).subsets;
    expect(ips(published)).toEqual(["127.20.1.2", "127.20.1.3"]);
  });

  it("gives a headless Service without ports bare addresses, and a pod of its subdomain its hostname", () => {
    const service = makeService("web", { clusterIP: "None", ports: [] });
    const pods = [readyPod("a", "127.20.1.2", { spec: { hostname: "first", subdomain: "web" } })];
    expect(planEndpoints(service, pods).subsets).toMatchObject([
      { addresses: [{ ip: "127.20.1.2", hostname: "first" }] },
    ]);
    expect(planEndpoints(service, pods).subsets[0]).not.toHaveProperty("ports");
    expect(planEndpoints(makeService("web", { ports: [] }), pods).subsets).toEqual([]);
  });

  it("cuts off what is over capacity, unready addresses first", () => {
    const pods = [
      readyPod("a", "127.20.1.2", { ready: false }),
      readyPod("b", "127.20.1.3"),
      readyPod("c", "127.20.1.4"),
    ];
    const { subsets, overCapacity } = planEndpoints(makeService("web"), pods, 2);
    expect(overCapacity).toBe(true);
    expect(ips(subsets)).toEqual(["127.20.1.3", "127.20.1.4"]);
    expect(ips(subsets, "notReadyAddresses")).toEqual([]);
  });

  it("names every pod exactly once, whatever order they come in", () => {
    const shape = fc.record({ ready: fc.boolean(), port: fc.integer({ min: 10_000, max: 10_002 }) });
    fc.assert(
      fc.property(fc.array(shape, { maxLength: 20 }), (shapes) => {
        const pods = shapes.map(({ ready, port }, i) =>
          readyPod(`p${i}`, `127.20.1.${i + 2}`, {
            ready,
            annotations: { "kubemu.dev/port-map": `{"80":${port}}` },
          }),
        );
        const { subsets } = planEndpoints(makeService("web"), pods);
        const listed = [...ips(subsets), ...ips(subsets, "notReadyAddresses")];
        expect(listed.sort()).toEqual(pods.map(({ status }) => status?.podIP).sort());
        expect(ips(subsets).length).toBe(shapes.filter(({ ready }) => ready).length);
        expect(new Set(subsets.map(({ ports }) => JSON.stringify(ports))).size).toBe(subsets.length);
        expect(planEndpoints(makeService("web"), [...pods].reverse()).subsets).toEqual(subsets);
      }),
    );
  });
});

describe("the endpoints controller", () => {
  let context: TestContext;
  let controller: RunningController;
  const stored = () => context.api.get<Endpoints>("endpoints", "default/web");

  beforeEach(() => {
    context = createTestContext();
    controller = startEndpointsController(context);
  });
  afterEach(async () => {
    await controller.stop();
    await context.stop();
  });

  it("follows the Service and its pods", async () => {
    context.api.put("services", makeService("web", {}, { tier: "front" }));
    await until(() => stored() !== undefined);
    expect(stored()?.subsets ?? []).toEqual([]);
    expect(stored()?.metadata.labels).toEqual({
      tier: "front",
      "endpoints.kubernetes.io/managed-by": "endpoint-controller",
    });

    context.api.put("pods", readyPod("a", "127.20.1.2", { ready: false }));
    await until(() => ips(stored()?.subsets ?? [], "notReadyAddresses").length === 1);
    context.api.put("pods", readyPod("a", "127.20.1.2"));
    await until(() => ips(stored()?.subsets ?? []).length === 1);
    expect(stored()?.metadata.annotations?.["endpoints.kubernetes.io/last-change-trigger-time"]).toBe(
      "2026-01-01T00:00:05Z",
    );
    context.api.put("pods", readyPod("a", "127.20.1.2", { terminating: true }));
    await until(() => stored()?.subsets?.length === 0);
    context.api.remove("services", "default/web");
    await until(() => stored() === undefined);
  });

  it("writes nothing for changes that its endpoints do not show", async () => {
    context.api.put("services", makeService("web"));
    context.api.put("pods", readyPod("a", "127.20.1.2"));
    await until(() => ips(stored()?.subsets ?? []).length === 1);
    const before = context.api.writes.length;
    context.api.put("pods", readyPod("a", "127.20.1.2", { annotations: { note: "x" } }));
    context.api.put("pods", makePod("stranger", { labels: { app: "other" }, ip: "127.20.1.9", ready: true }));
    context.api.put("services", makeService("web"));
    await settle();
    expect(context.api.writes.length).toBe(before);
  });

  it("leaves the Endpoints of Services without a selector alone", async () => {
    const mine = {
      apiVersion: "v1",
      kind: "Endpoints",
      metadata: { namespace: "default", name: "web" },
      subsets: [],
    };
    context.api.put("endpoints", mine);
    context.api.put("services", makeService("web", { selector: {} }));
    await settle();
    context.api.remove("services", "default/web");
    await settle();
    expect(context.api.writes).toEqual([]);
  });
});
