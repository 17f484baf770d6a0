import { createServer } from "node:net";
import fc from "fast-check";
import { afterEach, describe, expect, it } from "vitest";
import type { Service } from "../../../../src/api/generated/types.ts";
import { publishedPortsOf } from "../../../../src/api/published-ports.ts";
import type { RunningController } from "../../../../src/controllers/runtime/context.ts";
import { startServiceAddressController } from "../../../../src/controllers/service-address/controller.ts";
import { loadBalancerIpOf, planLoadBalancerIp } from "../../../../src/controllers/service-address/plan.ts";
import { portIsFree } from "../../../../src/controllers/service-address/port-is-free.ts";
import { createTestContext, settle, type TestContext, until } from "../context.ts";
import { makeService } from "../objects.ts";

const OPEN = { slot: 20, singleAddress: false, lowestPort: 0 };
const balanced = (name: string, ip?: string, more: Partial<Service["spec"]> = {}): Service => ({
  ...makeService(name, { type: "LoadBalancer", ...more }),
  status: { loadBalancer: ip ? { ingress: [{ ip }] } : {} },
});

describe("planLoadBalancerIp", () => {
  it("keeps what the Service has, gives what it asks for, passes over what cannot be had", () => {
    expect(planLoadBalancerIp(balanced("a"), [], OPEN)).toBe("127.20.224.1");
    expect(planLoadBalancerIp(balanced("a"), [balanced("b", "127.20.224.1")], OPEN)).toBe("127.20.224.2");
    expect(planLoadBalancerIp(balanced("a", "127.20.230.7"), [], OPEN)).toBe("127.20.230.7");
    expect(planLoadBalancerIp(balanced("a", "127.99.230.7"), [], OPEN)).toBe("127.20.224.1");
    const asking = balanced("a", "127.20.224.9", { loadBalancerIP: "127.20.224.50" });
    expect(planLoadBalancerIp(asking, [], OPEN)).toBe("127.20.224.50");
    expect(planLoadBalancerIp(asking, [balanced("b", "127.20.224.50")], OPEN)).toBe("127.20.224.9");
    expect(planLoadBalancerIp(balanced("a", undefined, { loadBalancerIP: "203.0.113.7" }), [], OPEN)).toBe(
      "127.20.224.1",
    );
    expect(
      planLoadBalancerIp(balanced("a", undefined, { loadBalancerClass: "x/y" }), [], OPEN),
    ).toBeUndefined();
    expect(planLoadBalancerIp(makeService("a"), [], OPEN)).toBeUndefined();
    expect(planLoadBalancerIp(balanced("a"), [], { ...OPEN, singleAddress: true })).toBe("127.0.0.1");
  });

  it("never gives two Services the same address", () => {
    const wish = fc.option(fc.integer({ min: 1, max: 5 }), { nil: undefined });
    fc.assert(
      fc.property(fc.array(wish, { maxLength: 20 }), (wishes) => {
        const placed: Service[] = [];
        wishes.forEach((last, i) => {
          const service = balanced(`s${i}`, undefined, last ? { loadBalancerIP: `127.20.224.${last}` } : {});
          const ip = planLoadBalancerIp(service, placed, OPEN);
          placed.push(balanced(`s${i}`, ip));
        });
        expect(new Set(placed.map(loadBalancerIpOf)).size).toBe(wishes.length);
      }),
    );
  });
});

describe("the service address controller", () => {
  let context: TestContext;
  let controller: RunningController;
  const start = (addresses: Parameters<typeof createTestContext>[0], taken: readonly string[] = []) => {
    context = createTestContext(addresses);
    controller = startServiceAddressController(context, {
      isFree: async (host, port) => !taken.includes(`${host}:${port}`),
    });
  };
  const service = (name: string) => context.api.get<Service>("services", `default/${name}`) as Service;
  const put = (object: Service) => context.api.put("services", object);

  afterEach(async () => {
    await controller.stop();
    await context.stop();
  });

  it("gives a load balancer its address, says so, and takes it back when the type changes", async () => {
    start(OPEN);
    put(balanced("web"));
    await until(() => context.events("web").length === 2);
    expect(service("web").status?.loadBalancer).toEqual({ ingress: [{ ip: "127.20.224.1", ipMode: "VIP" }] });
    expect(context.events("web")).toEqual([
      "EnsuringLoadBalancer: Ensuring load balancer",
      "EnsuredLoadBalancer: Ensured load balancer",
    ]);
    const writes = context.api.writes.length;
    await settle();
    expect(context.api.writes.length).toBe(writes);
    put({ ...service("web"), spec: { ...service("web").spec, type: "ClusterIP" } });
    await until(() => loadBalancerIpOf(service("web")) === undefined);
  });

  it("publishes a port that may not be bound, where the Service can be reached, and keeps it", async () => {
    start({ lowestPort: 1024 }, ["127.20.224.1:40080"]);
    const ports = [
      { port: 80, protocol: "TCP" },
      { port: 8080, protocol: "TCP" },
    ];
    put(balanced("web", undefined, { ports }));
    put(makeService("inner", { ports }));
    await until(() => Object.keys(publishedPortsOf(service("inner"))).length === 1);
    await until(() => loadBalancerIpOf(service("web")) !== undefined);
    expect(publishedPortsOf(service("web"))).toEqual({ "80/TCP": { host: "127.20.224.1", port: 40081 } });
    expect(service("web").status?.loadBalancer?.ingress).toEqual([
      { ip: "127.20.224.1", ipMode: "VIP", ports: [{ port: 40081, protocol: "TCP" }] },
    ]);
    expect(publishedPortsOf(service("inner"))).toEqual({ "80/TCP": { host: "127.20.192.20", port: 40080 } });
  });

  it("publishes every port in single-address mode, none twice, none for headless Services", async () => {
    start({ singleAddress: true, lowestPort: 0 });
    for (const name of ["a", "b", "c"])
      put(
        makeService(name, {
          ports: [
            { port: 80, protocol: "TCP" },
            { port: 443, protocol: "TCP" },
          ],
        }),
      );
    put(makeService("headless", { clusterIP: "None" }));
    const published = () => ["a", "b", "c"].flatMap((name) => Object.values(publishedPortsOf(service(name))));
    await until(() => published().length === 6);
    expect(new Set(published().map(({ port }) => port)).size).toBe(6);
    expect(
      published().every(({ host, port }) => host === "127.0.0.1" && port >= 42_000 && port < 42_100),
    ).toBe(true);
    expect(publishedPortsOf(service("headless"))).toEqual({});
  });

  it("takes the published port back when the Service no longer needs it", async () => {
    start({ lowestPort: 1024 });
    put(makeService("web"));
    await until(() => Object.keys(publishedPortsOf(service("web"))).length === 1);
    put({ ...service("web"), spec: { ...service("web").spec, ports: [{ port: 8080, protocol: "TCP" }] } });
    await until(() => service("web").metadata.annotations?.["kubemu.dev/published-ports"] === undefined);
  });
});

describe("portIsFree", () => {
  it("finds out by trying", async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as { port: number };
    expect(await portIsFree("127.0.0.1", port, "TCP")).toBe(false);
    await new Promise((resolve) => server.close(resolve));
    expect(await portIsFree("127.0.0.1", port, "TCP")).toBe(true);
    expect(await portIsFree("127.0.0.1", port, "UDP")).toBe(true);
  });
});
