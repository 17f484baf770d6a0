import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Endpoints, Service } from "../../src/api/generated/types.ts";
import { endpoints } from "../../src/api/kinds/endpoints.ts";
import { services } from "../../src/api/kinds/service.ts";
import type { Draft } from "../../src/api/object.ts";
import { startTestServer, type TestServer } from "./harness.ts";

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(async () => {
  expect(server.errors).toEqual([]);
  await server.stop();
});

const service = (name: string, spec: Draft<Service["spec"]> = {}): Draft<Service> => ({
  metadata: { name, namespace: "default" },
  spec: { ports: [{ port: 80 }], ...spec },
});
const create = (name: string, spec: Draft<Service["spec"]> = {}) =>
  server.client.create(services, service(name, spec));
const at = (name: string) => ({ namespace: "default", name });

describe("addresses of Services", () => {
  test("are the cluster's own, and no two are alike", async () => {
    const made = await Promise.all(Array.from({ length: 30 }, (_, i) => create(`many-${i}`)));
    const addresses = made.map(({ spec }) => spec.clusterIP);
    expect(new Set(addresses).size).toBe(30);
    for (const address of addresses) expect(address).toMatch(/^127\.16\.(19[2-9]|20\d|21\d|22[0-3])\.\d+$/);
  });

  // Chosen ones lie in the low band of each range, from which none is drawn at random.
  test("that are chosen are checked, and free again after a delete", async () => {
    await create("chosen", { clusterIP: "127.16.192.7" });
    await expect(create("thief", { clusterIP: "127.16.192.7" })).rejects.toThrow(
      'Service "thief" is invalid: spec.clusterIPs: Invalid value: ["127.16.192.7"]: failed to allocate IP 127.16.192.7: provided IP is already allocated',
    );
    await expect(create("outside", { clusterIP: "10.0.0.1" })).rejects.toThrow(
      "the provided IP (10.0.0.1) is not in the valid range. The range of valid IPs is 127.16.192.0/19",
    );
    await server.client.delete(services, at("chosen"));
    expect((await create("thief", { clusterIP: "127.16.192.7" })).spec.clusterIP).toBe("127.16.192.7");
  });

  test("are not given to headless and external ones", async () => {
    expect((await create("headless", { clusterIP: "None" })).spec.clusterIP).toBe("None");
    const external = await create("external", {
      type: "ExternalName",
      externalName: "example.com",
      ports: [],
    });
    expect(external.spec.clusterIP).toBeUndefined();
  });

  test.each(["127.16.192.9", "10.0.0.1", "None"])(
    "do not change to %s once they are set",
    async (clusterIP) => {
      const name = at(`fixed-${clusterIP.toLowerCase().replaceAll(".", "-")}`);
      const { spec } = await create(name.name);
      const why = `spec.clusterIPs[0]: Invalid value: ["${clusterIP}"]: may not change once set`;
      for (const change of [{ clusterIP }, { clusterIP, clusterIPs: [clusterIP] }])
        await expect(server.client.patch(services, name, "merge", { spec: change })).rejects.toThrow(
          `is invalid: ${why}`,
        );
      expect((await server.client.get(services, name)).spec.clusterIP).toBe(spec.clusterIP);
    },
  );

  test("a refused or dry create holds nothing", async () => {
    const ports = [{ port: 80, nodePort: 30_010 }];
    const spec = { type: "NodePort", ports, clusterIP: "127.16.192.8" };
    await server.client.create(services, service("dry", spec), { dryRun: true });
    await expect(create("Bad_Name", spec)).rejects.toThrow("is invalid");
    expect((await create("real", spec)).spec.ports?.[0]?.nodePort).toBe(30_010);
  });
});

describe("node ports", () => {
  test("are given out, kept by updates and checked when chosen", async () => {
    const made = await create("nodeport", { type: "NodePort" });
    const given = made.spec.ports?.[0]?.nodePort ?? 0;
    expect(given).toBeGreaterThanOrEqual(30_000);
    expect(given).toBeLessThanOrEqual(32_767);
    const replaced = service("nodeport", { type: "NodePort" }) as Service;
    const updated = await server.client.update(services, replaced);
    expect([updated.spec.ports?.[0]?.nodePort, updated.spec.clusterIP]).toEqual([given, made.spec.clusterIP]);
    const taken = { type: "NodePort", ports: [{ port: 80, nodePort: given }] };
    await expect(create("second", taken)).rejects.toThrow(
      `spec.ports[0].nodePort: Invalid value: ${given}: provided port is already allocated`,
    );
    await expect(create("low", { type: "NodePort", ports: [{ port: 80, nodePort: 80 }] })).rejects.toThrow(
      "provided port is not in the valid range. The range of valid ports is 30000-32767",
    );
    await server.client.patch(services, at("nodeport"), "merge", { spec: { type: "ClusterIP" } });
    expect((await create("second", taken)).spec.ports?.[0]?.nodePort).toBe(given);
  });

  test("TCP and UDP of one port share a number", async () => {
    const ports = [
      { name: "tcp", port: 53, protocol: "TCP" },
      { name: "udp", port: 53, protocol: "UDP" },
    ];
    const made = await create("dns", { type: "NodePort", ports });
    expect(made.spec.ports?.[0]?.nodePort).toBe(made.spec.ports?.[1]?.nodePort);
  });
});

test("the kubernetes Service leads to the API server", async () => {
  const { spec } = await server.client.get(services, at("kubernetes"));
  expect(spec.clusterIP).toBe("127.16.192.1");
  expect(spec.ports).toEqual([{ name: "https", port: 443, protocol: "TCP", targetPort: server.server.port }]);
  const { subsets } = await server.client.get<Endpoints>(endpoints, at("kubernetes"));
  expect(subsets?.[0]?.ports?.[0]?.port).toBe(server.server.port);
});
