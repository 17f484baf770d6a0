import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Endpoint, EndpointSlice } from "../../../../src/api/generated/types.ts";
import { startEndpointSliceController } from "../../../../src/controllers/endpoint-slice/controller.ts";
import {
  type EndpointGroup,
  planSlices,
  type SlicePlan,
} from "../../../../src/controllers/endpoint-slice/plan.ts";
import type { RunningController } from "../../../../src/controllers/runtime/context.ts";
import { createTestContext, settle, type TestContext, until } from "../context.ts";
import { makeNode, makePod, makeService } from "../objects.ts";

const endpoint = (n: number, ready = true): Endpoint => ({
  addresses: [`127.20.1.${n}`],
  conditions: { ready, serving: ready, terminating: false },
});
const group = (port: number, ...endpoints: Endpoint[]): EndpointGroup => ({
  ports: [{ name: "", port, protocol: "TCP" }],
  endpoints,
});
let named = 0;
const slice = (port: number, ...endpoints: Endpoint[]): EndpointSlice => ({
  metadata: {
    name: `s${named++}`,
    namespace: "default",
    uid: `u${named}`,
    resourceVersion: "1",
    creationTimestamp: "",
  },
  addressType: "IPv4",
  ...group(port, ...endpoints),
  ports: [{ name: "", port, protocol: "TCP" }],
  endpoints,
});

/** The slices after the plan has been carried out. */
function after(plan: SlicePlan): EndpointSlice[] {
  return [
    ...plan.keep,
    ...plan.update.map(({ slice: old, content }) => ({
      ...old,
      ports: [...content.ports],
      endpoints: [...content.endpoints],
    })),
    ...plan.create.map(({ ports, endpoints }) => ({
      ...slice(0),
      ports: [...ports],
      endpoints: [...endpoints],
    })),
  ];
}

describe("planSlices", () => {
  it("touches one slice only: what stays stays where it is, what is new goes where something changes anyway", () => {
    const first = slice(80, endpoint(1), endpoint(2), endpoint(3));
    const second = slice(80, endpoint(4));
    const plan = planSlices(
      [group(80, endpoint(1), endpoint(2), endpoint(4), endpoint(5), endpoint(6))],
      [first, second],
    );
    expect(plan).toMatchObject({ create: [], remove: [], keep: [second] });
    expect(plan.update).toEqual([
      { slice: first, content: group(80, endpoint(1), endpoint(2), endpoint(5), endpoint(6)) },
    ]);
  });

  it("keeps one empty slice for a Service without endpoints", () => {
    expect(planSlices([], []).create).toEqual([{ ports: [], endpoints: [] }]);
    const empty = { ...slice(80), ports: [], endpoints: [] };
    expect(planSlices([], [empty])).toMatchObject({ create: [], update: [], remove: [], keep: [empty] });
  });

  it("changes an endpoint's readiness in place", () => {
    const old = slice(80, endpoint(1), endpoint(2));
    const plan = planSlices([group(80, endpoint(1, false), endpoint(2))], [old]);
    expect(plan.update).toEqual([{ slice: old, content: group(80, endpoint(1, false), endpoint(2)) }]);
  });

  it("reaches exactly the wanted endpoints from anything, within the size, and then rests", () => {
    const numbers = fc.uniqueArray(fc.integer({ min: 1, max: 12 }), { maxLength: 12 });
    const wantedArbitrary = fc.record({ a: numbers, b: numbers });
    const existingArbitrary = fc.array(fc.record({ port: fc.constantFrom(80, 81), held: numbers }), {
      maxLength: 4,
    });
    fc.assert(
      fc.property(
        wantedArbitrary,
        existingArbitrary,
        fc.integer({ min: 1, max: 4 }),
        (wanted, existing, max) => {
          const groups = [
            group(80, ...wanted.a.map((n) => endpoint(n))),
            group(81, ...wanted.b.map((n) => endpoint(n, false))),
          ];
          const plan = planSlices(
            groups,
            existing.map(({ port, held }) => slice(port, ...held.map((n) => endpoint(n)))),
            max,
          );
          const result = after(plan);
          const listed = result.flatMap(({ ports, endpoints }) =>
            (endpoints ?? []).map(({ addresses }) => `${ports?.[0]?.port} ${addresses[0]}`),
          );
          const expected = groups.flatMap(({ ports, endpoints }) =>
            endpoints.map(({ addresses }) => `${ports[0]?.port} ${addresses[0]}`),
          );
          expect(listed.sort()).toEqual(expected.sort());
          for (const { endpoints } of result) expect((endpoints ?? []).length).toBeLessThanOrEqual(max);
          const again = planSlices(groups, result, max);
          expect([again.create, again.update, again.remove]).toEqual([[], [], []]);
        },
      ),
    );
  });
});

describe("the endpoint slice controller", () => {
  let context: TestContext;
  let controller: RunningController;
  const slices = () => context.api.list<EndpointSlice>("endpointslices");
  const endpoints = () => slices().flatMap((one) => one.endpoints ?? []);

  beforeEach(() => {
    context = createTestContext();
    controller = startEndpointSliceController(context);
    context.api.put("nodes", makeNode("n1", { labels: { "topology.kubernetes.io/zone": "a" } }));
  });
  afterEach(async () => {
    await controller.stop();
    await context.stop();
  });

  it("describes the pods behind a Service", async () => {
    context.api.put("services", makeService("web", {}, { tier: "front" }));
    context.api.put(
      "pods",
      makePod("a", { labels: { app: "web" }, ip: "127.20.1.2", ready: true, node: "n1" }),
    );
    await until(() => endpoints().length === 1);
    expect(slices()).toHaveLength(1);
    expect(slices()[0]).toMatchObject({
      addressType: "IPv4",
      metadata: {
        generateName: "web-",
        labels: {
          tier: "front",
          "kubernetes.io/service-name": "web",
          "endpointslice.kubernetes.io/managed-by": "endpointslice-controller.k8s.io",
        },
        ownerReferences: [
          { apiVersion: "v1", kind: "Service", name: "web", controller: true, blockOwnerDeletion: true },
        ],
      },
      ports: [{ name: "", port: 80, protocol: "TCP" }],
      endpoints: [
        {
          addresses: ["127.20.1.2"],
          conditions: { ready: true, serving: true, terminating: false },
          nodeName: "n1",
          zone: "a",
          targetRef: { kind: "Pod", namespace: "default", name: "a", uid: "uid-default-a" },
        },
      ],
    });
  });

  it("marks a terminating pod as such while it still serves, and drops it when it or its node is gone", async () => {
    const pod = { labels: { app: "web" }, ip: "127.20.1.2", ready: true, node: "n1" };
    context.api.put("services", makeService("web"));
    context.api.put("pods", makePod("a", { ...pod, terminating: true }));
    await until(() => endpoints()[0]?.conditions?.terminating === true);
    expect(endpoints()[0]?.conditions).toEqual({ ready: false, serving: true, terminating: true });
    context.api.remove("nodes", "n1");
    await until(() => endpoints().length === 0);
    expect(slices()).toHaveLength(1);
  });

  it("makes one slice, not several, however fast pods come", async () => {
    context.api.put("services", makeService("web"));
    for (let i = 2; i < 42; i++)
      context.api.put(
        "pods",
        makePod(`p${i}`, { labels: { app: "web" }, ip: `127.20.1.${i}`, ready: true, node: "n1" }),
      );
    await until(() => endpoints().length === 40);
    await settle();
    expect(slices()).toHaveLength(1);
  });

  it("mirrors hand-written Endpoints of a Service without a selector", async () => {
    const subsets = [{ addresses: [{ ip: "10.1.2.3" }], ports: [{ port: 5432, protocol: "TCP" }] }];
    const annotations = {
      "example.com/owner": "dba",
      "endpoints.kubernetes.io/last-change-trigger-time": "2026-01-01T00:00:00Z",
      "kubectl.kubernetes.io/last-applied-configuration": "{}",
    };
    const metadata = { namespace: "default", name: "db", uid: "uid-ep", annotations };
    context.api.put("services", makeService("db", { selector: {} }));
    context.api.put("endpoints", { apiVersion: "v1", kind: "Endpoints", metadata, subsets } as never);
    await until(() => endpoints().length === 1);
    expect(slices()[0]?.metadata.labels).toMatchObject({
      "kubernetes.io/service-name": "db",
      "endpointslice.kubernetes.io/managed-by": "endpointslicemirroring-controller.k8s.io",
    });
    expect(slices()[0]?.metadata.annotations).toEqual({ "example.com/owner": "dba" });
    expect(slices()[0]).toMatchObject({
      ports: [{ name: "", port: 5432 }],
      endpoints: [{ addresses: ["10.1.2.3"] }],
    });
    const source = {
      apiVersion: "v1",
      kind: "Endpoints",
      metadata: { ...metadata, annotations: { b: "2" } },
    };
    context.api.put("endpoints", { ...source, subsets } as never);
    await until(() => slices()[0]?.metadata.annotations?.["b"] === "2");
    expect(slices()[0]?.metadata.annotations).toEqual({ b: "2" });
    context.api.remove("endpoints", "default/db");
    await until(() => slices().length === 0);
  });
});
