import { describe, expect, test } from "vitest";
import { planFrontends } from "../../../../agents/proxy/service-table.ts";
import type { EndpointSlice, Service } from "../../../../src/api/generated/types.ts";
import { PUBLISHED_PORTS } from "../../../../src/api/names.ts";

const settings = { singleAddress: false, lowestPort: 0 };
const nodes = [
  { name: "a", address: "127.16.1.1", zone: "east" },
  { name: "b", address: "127.16.2.1", zone: "west" },
];

const service = (spec: object, more: object = {}): Service =>
  ({
    metadata: { name: "web", namespace: "default" },
    spec: { type: "ClusterIP", clusterIP: "127.16.192.5", ports: [{ port: 80, protocol: "TCP" }], ...spec },
    ...more,
  }) as Service;

const slice = (endpoints: object[], ports: object[] = [{ name: "", port: 8080, protocol: "TCP" }]) =>
  ({ addressType: "IPv4", metadata: { name: "web-x" }, endpoints, ports }) as unknown as EndpointSlice;

const endpoint = (address: string, conditions: object = { ready: true }, nodeName = "a") => ({
  addresses: [address],
  conditions,
  nodeName,
});

const plan = (spec: object, slices: EndpointSlice[] = [], more: object = {}, other: object = {}) =>
  planFrontends(service(spec, more), slices, { settings: { ...settings, ...other }, nodes });
const places = (...args: Parameters<typeof plan>) => plan(...args).map(({ key }) => key);
const backends = (...args: Parameters<typeof plan>) => plan(...args)[0]?.backends.map(({ key }) => key);

describe("where a Service listens", () => {
  test("at its cluster address, and nowhere when it is headless or a name", () => {
    expect(places({})).toEqual(["127.16.192.5:80"]);
    expect(places({ clusterIP: "None" })).toEqual([]);
    expect(places({ type: "ExternalName", externalName: "example.com" })).toEqual([]);
  });

  test("at the load balancer, at every node's port, and at loopback addresses of its own", () => {
    const spec = {
      type: "LoadBalancer",
      ports: [{ port: 80, nodePort: 30080 }],
      externalIPs: ["127.9.9.9", "192.0.2.1"],
    };
    const status = { status: { loadBalancer: { ingress: [{ ip: "127.16.224.1" }] } } };
    expect(places(spec, [], status)).toEqual([
      "127.16.192.5:80",
      "127.9.9.9:80",
      "127.16.224.1:80",
      "127.16.1.1:30080",
      "127.16.2.1:30080",
      "127.0.0.1:30080",
    ]);
  });

  test("at the published port where its own may not be bound", () => {
    const annotations = { [PUBLISHED_PORTS]: '{"80/TCP":{"host":"127.16.224.1","port":41080}}' };
    const metadata = { metadata: { name: "web", namespace: "default", annotations } };
    expect(places({}, [], metadata, { lowestPort: 1024 })).toEqual(["127.16.224.1:41080"]);
    const broken = { metadata: { ...metadata.metadata, annotations: { [PUBLISHED_PORTS]: "{" } } };
    expect(places({}, [], broken)).toEqual(["127.16.192.5:80"]);
  });

  test("at 127.0.0.1 alone where there is one address", () => {
    const spec = {
      clusterIP: "10.96.0.7",
      ports: [{ port: 80, nodePort: 30080 }],
      externalTrafficPolicy: "Local",
    };
    expect(places(spec, [], {}, { singleAddress: true })).toEqual(["127.0.0.1:30080"]);
  });

  test("for TCP ports only", () => {
    expect(places({ ports: [{ port: 53, protocol: "UDP", name: "dns" }] })).toEqual([]);
  });
});

describe("which endpoints take its connections", () => {
  test("the ready ones, of the port of the same name", () => {
    const ports = [
      { name: "admin", port: 9000 },
      { name: "http", port: 8080 },
    ];
    const slices = [slice([endpoint("127.16.1.2"), endpoint("127.16.1.3", { ready: false })], ports)];
    expect(backends({ ports: [{ port: 80, name: "http" }] }, slices)).toEqual(["127.16.1.2:8080"]);
    expect(backends({ ports: [{ port: 80, name: "other" }] }, slices)).toEqual([]);
  });

  test("those that end but serve, while no ready one is left", () => {
    const draining = endpoint("127.16.1.2", { ready: false, serving: true, terminating: true });
    const failing = endpoint("127.16.1.3", { ready: false, serving: false, terminating: true });
    expect(backends({}, [slice([draining, failing])])).toEqual(["127.16.1.2:8080"]);
    expect(backends({}, [slice([draining, failing, endpoint("127.16.1.4")])])).toEqual(["127.16.1.4:8080"]);
  });

  test("once each, whatever slices they are in, in one order", () => {
    const slices = [slice([endpoint("127.16.2.2")]), slice([endpoint("127.16.1.2"), endpoint("127.16.2.2")])];
    expect(backends({}, slices)).toEqual(["127.16.1.2:8080", "127.16.2.2:8080"]);
  });

  test("a node's own at its port, where the policy is Local", () => {
    const spec = { externalTrafficPolicy: "Local", ports: [{ port: 80, nodePort: 30080 }] };
    const slices = [slice([endpoint("127.16.1.2"), endpoint("127.16.2.2", { ready: true }, "b")])];
    const planned = Object.fromEntries(
      plan(spec, slices).map(({ key, backends }) => [key, backends.map((b) => b.host)]),
    );
    expect(planned).toEqual({
      "127.16.192.5:80": ["127.16.1.2", "127.16.2.2"],
      "127.16.1.1:30080": ["127.16.1.2"],
      "127.16.2.1:30080": ["127.16.2.2"],
      "127.0.0.1:30080": ["127.16.1.2", "127.16.2.2"],
    });
  });

  test("for as long as its affinity lasts", () => {
    const affinity = (spec: object) => plan(spec)[0]?.affinityMs;
    expect(affinity({})).toBe(0);
    expect(affinity({ sessionAffinity: "ClientIP" })).toBe(10_800_000);
    const sessionAffinityConfig = { clientIP: { timeoutSeconds: 5 } };
    expect(affinity({ sessionAffinity: "ClientIP", sessionAffinityConfig })).toBe(5000);
  });

  const choices = (spec: object, endpoints: object[]) => {
    const [frontend] = plan(spec, [slice(endpoints)]);
    const hosts = (backends: readonly { host: string }[] = []) => backends.map(({ host }) => host.slice(7));
    return {
      all: hosts(frontend?.backends),
      a: frontend?.byNode && hosts(frontend.byNode.get("a")),
      b: frontend?.byNode && hosts(frontend.byNode.get("b")),
    };
  };
  const onA = endpoint("127.16.1.2");
  const onB = endpoint("127.16.2.2", { ready: true }, "b");

  test("those of the client's node, be there any or not, where internal traffic is local", () => {
    const spec = { internalTrafficPolicy: "Local" };
    expect(choices(spec, [onA, onB])).toEqual({ all: ["1.2", "2.2"], a: ["1.2"], b: ["2.2"] });
    expect(choices(spec, [onA])).toEqual({ all: ["1.2"], a: ["1.2"], b: [] });
    expect(choices({}, [onA, onB])).toEqual({ all: ["1.2", "2.2"], a: undefined, b: undefined });
  });

  test("those hinted for the client's zone or node, where every endpoint has a hint and some are for it", () => {
    const zoned = (one: object, zone: string) => ({ ...one, hints: { forZones: [{ name: zone }] } });
    expect(choices({}, [zoned(onA, "east"), zoned(onB, "west")])).toMatchObject({ a: ["1.2"], b: ["2.2"] });
    expect(choices({}, [zoned(onA, "east"), onB])).toMatchObject({ a: ["1.2", "2.2"], b: ["1.2", "2.2"] });
    expect(choices({}, [zoned(onA, "east")])).toMatchObject({ a: ["1.2"], b: ["1.2"] });
    const noded = { ...onA, hints: { forZones: [{ name: "east" }], forNodes: [{ name: "a" }] } };
    const other = {
      ...endpoint("127.16.1.3"),
      hints: { forZones: [{ name: "east" }], forNodes: [{ name: "c" }] },
    };
    expect(choices({}, [noded, other])).toMatchObject({ a: ["1.2"], b: ["1.2", "1.3"] });
  });

  test("each node says at the health check's port how many of its own there are", () => {
    const spec = {
      type: "LoadBalancer",
      externalTrafficPolicy: "Local",
      healthCheckNodePort: 31000,
      ports: [{ port: 80 }],
    };
    const health = plan(spec, [slice([onA])]).filter(({ mode }) => mode === "health");
    expect(health.map(({ key, backends }) => [key, backends.length])).toEqual([
      ["127.16.1.1:31000", 1],
      ["127.16.2.1:31000", 0],
    ]);
  });

  test("as the annotations say, and as by default where they cannot be read", () => {
    const balancing = (annotations: Record<string, string>) =>
      plan({}, [], { metadata: { name: "web", namespace: "default", annotations } })[0]?.balancing;
    expect(balancing({})).toEqual({ mode: "round-robin", maxConnections: 0, idleMs: 0, problems: [] });
    expect(
      balancing({
        "kubemu.dev/balance": "least-connections",
        "kubemu.dev/max-connections": "100",
        "kubemu.dev/idle-timeout": "1m30s",
      }),
    ).toEqual({ mode: "least-connections", maxConnections: 100, idleMs: 90_000, problems: [] });
    expect(balancing({ "kubemu.dev/balance": "fair", "kubemu.dev/max-connections": "0" })).toEqual({
      mode: "round-robin",
      maxConnections: 0,
      idleMs: 0,
      problems: [
        'metadata.annotations[kubemu.dev/balance]: "fair" is ignored; allowed: round-robin, random, least-connections, source-address',
        'metadata.annotations[kubemu.dev/max-connections]: "0" is ignored; allowed: a whole number, 1 or more',
      ],
    });
  });
});
