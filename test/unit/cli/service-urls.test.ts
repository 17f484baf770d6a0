import { describe, expect, test } from "vitest";
import type { Node, Service } from "../../../src/api/generated/types.ts";
import { PUBLISHED_PORTS } from "../../../src/api/names.ts";
import { type Reach, viewService } from "../../../src/cli/service-urls.ts";

const node = (address: string) =>
  ({ metadata: { name: address }, status: { addresses: [{ type: "InternalIP", address }] } }) as Node;
const reach: Reach = {
  nodes: [node("127.20.1.1"), node("127.20.2.1")],
  lowestPort: 1024,
  singleAddress: false,
};

function service(
  spec: object,
  more: { annotations?: Record<string, string>; balancer?: string } = {},
): Service {
  return {
    apiVersion: "v1",
    kind: "Service",
    metadata: {
      name: "web",
      namespace: "shop",
      ...(more.annotations ? { annotations: more.annotations } : {}),
    },
    spec: { type: "ClusterIP", clusterIP: "127.20.192.7", ...spec },
    ...(more.balancer ? { status: { loadBalancer: { ingress: [{ ip: more.balancer }] } } } : {}),
  } as Service;
}
const published = (map: unknown) => ({ annotations: { [PUBLISHED_PORTS]: JSON.stringify(map) } });

describe("the URLs of a Service", () => {
  test("are its ClusterIP where the port may be bound", () => {
    const view = viewService(service({ ports: [{ port: 8080 }] }), reach);
    expect(view).toEqual({
      namespace: "shop",
      name: "web",
      type: "ClusterIP",
      urls: { host: ["http://127.20.192.7:8080"], cluster: ["http://127.20.192.7:8080"], node: [] },
    });
  });

  test("are the published port where it may not, and port 80 needs no number", () => {
    const web = service(
      { ports: [{ port: 80 }] },
      published({ "80/TCP": { host: "127.20.224.1", port: 41080 } }),
    );
    expect(viewService(web, reach).urls).toEqual({
      host: ["http://127.20.224.1:41080"],
      cluster: ["http://127.20.192.7"],
      node: [],
    });
    expect(viewService(service({ ports: [{ port: 80 }] }), reach).urls.host).toEqual([]);
    expect(viewService(service({ ports: [{ port: 80 }] }), { ...reach, lowestPort: 0 }).urls.host).toEqual([
      "http://127.20.192.7",
    ]);
  });

  test("begin with the load balancer and end with the node ports", () => {
    const web = service(
      { type: "LoadBalancer", ports: [{ port: 8080, nodePort: 30080 }] },
      { balancer: "127.20.224.3" },
    );
    expect(viewService(web, reach).urls).toEqual({
      host: ["http://127.20.224.3:8080", "http://127.20.1.1:30080", "http://127.20.2.1:30080"],
      cluster: ["http://127.20.192.7:8080"],
      node: ["http://127.20.1.1:30080", "http://127.20.2.1:30080"],
    });
  });

  test("say https for 443 and for what is called so", () => {
    const ports = [
      { name: "secure", port: 443 },
      { name: "https", port: 8443 },
      { name: "other", port: 9443, appProtocol: "https" },
    ];
    expect(viewService(service({ ports }), reach).urls.cluster).toEqual([
      "https://127.20.192.7",
      "https://127.20.192.7:8443",
      "https://127.20.192.7:9443",
    ]);
  });

  test.each<[string, object, string]>([
    ["DNS by its name", { name: "dns-tcp", port: 53 }, "127.20.192.7:53"],
    ["DNS by its number", { port: 53 }, "127.20.192.7:53"],
    ["a database by its number", { name: "main", port: 5432 }, "127.20.192.7:5432"],
    ["a database by its name", { name: "redis", port: 9000 }, "127.20.192.7:9000"],
    [
      "another appProtocol",
      { name: "http", port: 8080, appProtocol: "example.com/own" },
      "127.20.192.7:8080",
    ],
    ["plain TCP", { name: "tcp-sync", port: 8080 }, "127.20.192.7:8080"],
    ["HTTP by its name", { name: "http-admin", port: 5432 }, "http://127.20.192.7:5432"],
    ["WebSocket over TLS", { port: 8443, appProtocol: "kubernetes.io/wss" }, "https://127.20.192.7:8443"],
    ["HTTP by its appProtocol", { name: "tcp", port: 5432, appProtocol: "HTTP" }, "http://127.20.192.7:5432"],
    ["what says nothing", { name: "web", port: 3000 }, "http://127.20.192.7:3000"],
  ])("tell HTTP from the rest: %s", (_what, port, expected) => {
    expect(viewService(service({ ports: [port] }), { ...reach, lowestPort: 0 }).urls).toEqual({
      host: [expected],
      cluster: [expected],
      node: [],
    });
  });

  test("are none for headless Services and for UDP", () => {
    const none = { host: [], cluster: [], node: [] };
    expect(viewService(service({ clusterIP: "None", ports: [{ port: 8080 }] }), reach).urls).toEqual(none);
    expect(viewService(service({ ports: [{ port: 8053, protocol: "UDP" }] }), reach).urls).toEqual(none);
    expect(viewService(service({ type: "ExternalName", clusterIP: undefined }), reach).urls).toEqual(none);
  });

  test("in single-address mode are published ports and each node port once", () => {
    const alone = { nodes: [node("127.0.0.1"), node("127.0.0.1")], lowestPort: 0, singleAddress: true };
    const web = service(
      { type: "NodePort", clusterIP: "10.96.0.7", ports: [{ port: 8080, nodePort: 30080 }] },
      published({ "8080/TCP": { host: "127.0.0.1", port: 42000 } }),
    );
    expect(viewService(web, alone).urls).toEqual({
      host: ["http://127.0.0.1:42000", "http://127.0.0.1:30080"],
      cluster: ["http://10.96.0.7:8080"],
      node: ["http://127.0.0.1:30080"],
    });
  });

  test.each(["null", "5", "{", '{"8080/TCP":null}', '{"8080/TCP":{}}'])(
    "do not suffer from an annotation that a user wrote: %s",
    (text) => {
      const web = service({ ports: [{ port: 8080 }] }, { annotations: { [PUBLISHED_PORTS]: text } });
      expect(viewService(web, reach).urls.host).toEqual(["http://127.20.192.7:8080"]);
    },
  );
});
