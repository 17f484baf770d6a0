import { describe, expect, it } from "vitest";
import type { ServiceSpec } from "../../../../../src/api/generated/types.ts";
import { serviceKind } from "../../../../../src/api/kinds/service.ts";
import type { Draft } from "../../../../../src/api/object.ts";
import { cells, service, told } from "../examples.ts";

/** The spec after an update of `before` to `after`, as the server makes it. */
function updated(before: Draft<ServiceSpec>, after: Draft<ServiceSpec>): ServiceSpec {
  const next = service(after);
  serviceKind.prepareUpdate?.(next, service(before), { subresource: "" });
  return next.spec;
}
const allocated = { clusterIP: "127.20.192.7", clusterIPs: ["127.20.192.7"] };
const nodePort = { ports: [{ port: 80, nodePort: 30_080 }], ...allocated };

describe("Service defaults", () => {
  it("are Kubernetes' own", () => {
    expect(service({ selector: { app: "web" } }).spec).toEqual({
      internalTrafficPolicy: "Cluster",
      ipFamilies: ["IPv4"],
      ipFamilyPolicy: "SingleStack",
      ports: [{ port: 80, protocol: "TCP", targetPort: 80 }],
      selector: { app: "web" },
      sessionAffinity: "None",
      type: "ClusterIP",
    });
    expect(service({ type: "LoadBalancer", sessionAffinity: "ClientIP" }).spec).toMatchObject({
      allocateLoadBalancerNodePorts: true,
      externalTrafficPolicy: "Cluster",
      sessionAffinityConfig: { clientIP: { timeoutSeconds: 10_800 } },
    });
    expect(service({ type: "ExternalName", externalName: "example.com" }).spec.ipFamilies).toBeUndefined();
  });
});

describe("Service validation", () => {
  it.each<[string, Draft<ServiceSpec>, string[]]>([
    ["nothing", {}, []],
    ["no ports", { ports: [] }, ["spec.ports: Required value"]],
    [
      "ports without names",
      { ports: [{ port: 80 }, { port: 443 }] },
      ["spec.ports[0].name: Required value", "spec.ports[1].name: Required value"],
    ],
    [
      "the same port twice",
      {
        ports: [
          { name: "a", port: 80 },
          { name: "b", port: 80 },
        ],
      },
      ['spec.ports[1]: Duplicate value: {"port":80,"protocol":"TCP"}'],
    ],
    [
      "a type that does not exist",
      { type: "Public" },
      [
        'spec.type: Unsupported value: "Public": supported values: "ClusterIP", "ExternalName", "LoadBalancer", "NodePort"',
      ],
    ],
    [
      "a node port of a ClusterIP",
      { ports: [{ port: 80, nodePort: 30_000 }] },
      ["spec.ports[0].nodePort: Forbidden: may not be used when `type` is 'ClusterIP'"],
    ],
    [
      "a headless load balancer",
      { type: "LoadBalancer", clusterIP: "None" },
      ["spec.clusterIPs[0]: Invalid value: \"None\": may not be set to 'None' for LoadBalancer services"],
    ],
    ["a name without a target", { type: "ExternalName", ports: [] }, ["spec.externalName: Required value"]],
  ])("says of %s what Kubernetes says", (_what, spec, expected) => {
    expect(told(serviceKind, service(spec))).toEqual(expected);
  });

  it("keeps a ClusterIP once set", () => {
    const changed = service({ clusterIP: "127.20.192.8", clusterIPs: ["127.20.192.8"] });
    expect(told(serviceKind, changed, service(allocated))).toEqual([
      'spec.clusterIPs[0]: Invalid value: ["127.20.192.8"]: may not change once set',
    ]);
  });
});

describe("Service updates", () => {
  it("keep what was allocated when a replacement leaves it out", () => {
    const spec = updated({ type: "NodePort", ...nodePort }, { type: "NodePort", ports: [{ port: 80 }] });
    expect(spec).toMatchObject({ ...allocated, ports: [{ port: 80, nodePort: 30_080 }] });
  });

  it("do not give one node port to two ports", () => {
    const spec = updated(
      { type: "NodePort", ...nodePort },
      {
        type: "NodePort",
        ports: [
          { name: "a", port: 80 },
          { name: "b", port: 81, nodePort: 30_080 },
        ],
      },
    );
    expect(spec.ports?.map((port) => port.nodePort)).toEqual([undefined, 30_080]);
  });

  it("drop what the new type has no use for", () => {
    const balancer = { type: "LoadBalancer", externalTrafficPolicy: "Cluster", ...nodePort };
    const spec = updated(balancer, { ...balancer, type: "ClusterIP", allocateLoadBalancerNodePorts: true });
    expect(spec).toMatchObject(allocated);
    expect(spec.ports?.[0]?.nodePort).toBeUndefined();
    expect(spec).not.toHaveProperty("externalTrafficPolicy");
    expect(spec).not.toHaveProperty("allocateLoadBalancerNodePorts");
    const named = updated(allocated, { type: "ExternalName", externalName: "example.com", ...allocated });
    expect(named).not.toHaveProperty("clusterIP");
    expect(named).not.toHaveProperty("clusterIPs");
  });
});

describe("kubectl get services", () => {
  it.each<[Draft<ServiceSpec>, string[], string, string, string]>([
    [{ ...allocated }, [], "127.20.192.7", "<none>", "80/TCP"],
    [{ clusterIP: "None", ports: [] }, [], "None", "<none>", "<none>"],
    [{ type: "LoadBalancer", ...nodePort }, [], "127.20.192.7", "<pending>", "80:30080/TCP"],
    [{ type: "LoadBalancer", ...nodePort }, ["127.20.224.1"], "127.20.192.7", "127.20.224.1", "80:30080/TCP"],
    [{ type: "ExternalName", externalName: "example.com", ports: [] }, [], "<none>", "example.com", "<none>"],
  ])("%o", (spec, balancers, clusterAddress, externalAddress, ports) => {
    const shown = {
      ...service(spec),
      status: { loadBalancer: { ingress: balancers.map((ip) => ({ ip })) } },
    };
    expect(cells(serviceKind, shown)).toMatchObject({
      "Cluster-IP": clusterAddress,
      "External-IP": externalAddress,
      "Port(s)": ports,
      Selector: "<none>",
    });
  });
});

it("warns of ports that no proxy forwards, but not where none has to", () => {
  const ports = [
    { name: "a", port: 53, protocol: "TCP" },
    { name: "b", port: 53, protocol: "UDP" },
  ];
  const warnings = (spec: Draft<ServiceSpec>) => serviceKind.warnings?.(service(spec), undefined);
  expect(warnings({ ports })).toEqual([
    "spec.ports[1].protocol: kubemu accepts UDP and does not forward it: it has TCP only",
  ]);
  expect(warnings({ ports, clusterIP: "None" })).toEqual([]);
  expect(warnings({ ports: ports.slice(0, 1) })).toEqual([]);
});
