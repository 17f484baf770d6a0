import { describe, expect, it } from "vitest";
import type {
  Ingress,
  IngressClass,
  LimitRange,
  NetworkPolicy,
  PodDisruptionBudget,
  ResourceQuota,
  RuntimeClass,
} from "../../../../src/api/generated/types.ts";
import { ingressKind } from "../../../../src/api/kinds/ingress.ts";
import { ingressClassKind } from "../../../../src/api/kinds/ingress-class.ts";
import { limitRangeKind } from "../../../../src/api/kinds/limit-range.ts";
import { networkPolicyKind } from "../../../../src/api/kinds/network-policy.ts";
import { podDisruptionBudgetKind } from "../../../../src/api/kinds/pod-disruption-budget.ts";
import { podTemplateKind } from "../../../../src/api/kinds/pod-template.ts";
import { resourceQuotaKind } from "../../../../src/api/kinds/resource-quota.ts";
import { runtimeClassKind } from "../../../../src/api/kinds/runtime-class.ts";
import type { Draft } from "../../../../src/api/object.ts";
import { cells, stored, told } from "./examples.ts";

const backend = { service: { name: "web", port: { number: 80 } } };

describe("PodDisruptionBudget", () => {
  const budget = (spec: Draft<PodDisruptionBudget["spec"]>) => stored(podDisruptionBudgetKind, "b", { spec });

  it("shows what it keeps, and N/A for what it does not say", () => {
    const shown = budget({ minAvailable: "50%" });
    shown.status = { currentHealthy: 2, desiredHealthy: 1, disruptionsAllowed: 1, expectedPods: 2 };
    expect(cells(podDisruptionBudgetKind, shown)).toMatchObject({
      "Min Available": "50%",
      "Max Unavailable": "N/A",
      "Allowed Disruptions": 1,
    });
  });

  it.each<[Draft<PodDisruptionBudget["spec"]>, string[]]>([
    [{ minAvailable: 1 }, []],
    [{ maxUnavailable: "0%", unhealthyPodEvictionPolicy: "AlwaysAllow" }, []],
    [
      { minAvailable: 1, maxUnavailable: 1 },
      [
        'spec: Invalid value: {"minAvailable":1,"maxUnavailable":1}: minAvailable and maxUnavailable cannot be both set',
      ],
    ],
    [{ minAvailable: -1 }, ["spec.minAvailable: Invalid value: -1: must be greater than or equal to 0"]],
    [
      { maxUnavailable: "101%" },
      ['spec.maxUnavailable: Invalid value: "101%": must not be greater than 100%'],
    ],
    [
      { unhealthyPodEvictionPolicy: "Maybe" },
      [
        'spec.unhealthyPodEvictionPolicy: Unsupported value: "Maybe": supported values: "AlwaysAllow", "IfHealthyBudget"',
      ],
    ],
  ])("validates %j", (spec, expected) => {
    expect(told(podDisruptionBudgetKind, budget(spec))).toEqual(expected);
  });
});

describe("Ingress", () => {
  const ingress = (spec: Draft<Ingress["spec"]>) => stored(ingressKind, "i", { spec });
  const rule = (path: object) => ({ rules: [{ http: { paths: [path] } }] }) as Draft<Ingress["spec"]>;

  it("shows class, hosts, address and ports", () => {
    const hosts = ["a.example.com", "b.example.com", "c.example.com", "d.example.com"];
    const shown = ingress({
      ingressClassName: "kubemu",
      rules: hosts.map((host) => ({ host })),
      tls: [{ hosts }],
    });
    shown.status = { loadBalancer: { ingress: [{ ip: "127.16.224.1" }] } };
    expect(cells(ingressKind, shown)).toMatchObject({
      Class: "kubemu",
      Hosts: "a.example.com,b.example.com,c.example.com + 1 more...",
      Address: "127.16.224.1",
      Ports: "80, 443",
    });
    expect(cells(ingressKind, ingress({ defaultBackend: backend }))).toMatchObject({
      Class: "<none>",
      Hosts: "*",
      Address: "",
      Ports: "80",
    });
  });

  it.each<[string, Draft<Ingress["spec"]>, string[]]>([
    [
      "nothing to serve",
      {},
      ["spec: Invalid value: []: either `defaultBackend` or `rules` must be specified"],
    ],
    ["a good rule", rule({ path: "/", pathType: "Prefix", backend }), []],
    [
      "no path type",
      rule({ path: "/", backend }),
      ["spec.rules[0].http.paths[0].pathType: Required value: pathType must be specified"],
    ],
    [
      "a relative path",
      rule({ path: "a", pathType: "Exact", backend }),
      ['spec.rules[0].http.paths[0].path: Invalid value: "a": must be an absolute path'],
    ],
    [
      "a path with dots",
      rule({ path: "/a/../b//c", pathType: "Prefix", backend }),
      [
        "spec.rules[0].http.paths[0].path: Invalid value: \"/a/../b//c\": must not contain '//'",
        "spec.rules[0].http.paths[0].path: Invalid value: \"/a/../b//c\": must not contain '/../'",
      ],
    ],
    [
      "no backend",
      rule({ path: "/", pathType: "Prefix", backend: {} }),
      ['spec.rules[0].http.paths[0].backend: Invalid value: "": resource or service backend is required'],
    ],
    [
      "no port",
      { defaultBackend: { service: { name: "web" } } },
      ["spec.defaultBackend: Required value: port name or number is required"],
    ],
    [
      "an address for a host",
      { rules: [{ host: "127.0.0.1" }] },
      ['spec.rules[0].host: Invalid value: "127.0.0.1": must be a DNS name, not an IP address'],
    ],
  ])("validates %s", (_, spec, expected) => {
    expect(told(ingressKind, ingress(spec))).toEqual(expected);
  });

  it("refuses the annotation and the field together", () => {
    const both = ingress({ ingressClassName: "a", defaultBackend: backend });
    both.metadata.annotations = { "kubernetes.io/ingress.class": "b" };
    expect(told(ingressKind, both)).toEqual([
      'annotations.kubernetes.io/ingress.class: Invalid value: "b": can not be set when the class field is also set',
    ]);
  });
});

describe("IngressClass", () => {
  const ingressClass = (spec: Draft<IngressClass["spec"]>) => stored(ingressClassKind, "c", { spec });

  it("shows where its parameters are", () => {
    const parameters = { apiGroup: "example.com", kind: "Params", name: "p" };
    expect(cells(ingressClassKind, ingressClass({ controller: "example.com/a", parameters }))).toMatchObject({
      Controller: "example.com/a",
      Parameters: "Params.example.com/p",
    });
  });

  it("wants a controller with a domain, which stays", () => {
    expect(told(ingressClassKind, ingressClass({}))).toEqual(["spec.controller: Required value"]);
    expect(told(ingressClassKind, ingressClass({ controller: "plain" }))).toEqual([
      'spec.controller: Invalid value: "plain": must be a domain-prefixed path (such as "acme.io/foo")',
    ]);
    const [a, b] = ["example.com/a", "example.com/b"].map((controller) => ingressClass({ controller }));
    expect(told(ingressClassKind, b!, a!)).toEqual([
      'spec.controller: Invalid value: "example.com/b": field is immutable',
    ]);
  });
});

describe("NetworkPolicy", () => {
  const policy = (spec: Draft<NetworkPolicy["spec"]>) => stored(networkPolicyKind, "n", { spec });

  it("says which directions it is about where the manifest does not, and that nothing enforces it", () => {
    expect(policy({}).spec?.policyTypes).toEqual(["Ingress"]);
    expect(policy({ egress: [{ ports: [{ port: 53 }] }] }).spec).toMatchObject({
      policyTypes: ["Ingress", "Egress"],
      egress: [{ ports: [{ port: 53, protocol: "TCP" }] }],
    });
    expect(networkPolicyKind.warnings?.(policy({}), undefined)).toEqual([
      "NetworkPolicy is stored but not enforced: kubemu lets all traffic through",
    ]);
  });

  it("refuses peers that name nobody, or a range and a selector", () => {
    const from = [{}, { ipBlock: { cidr: "10.0.0.0/8" }, podSelector: {} }, { ipBlock: { cidr: "10/8" } }];
    expect(told(networkPolicyKind, policy({ ingress: [{ from }] }))).toEqual([
      "spec.ingress[0].from[0]: Required value: must specify a peer",
      "spec.ingress[0].from[1]: Forbidden: may not specify both ipBlock and another peer",
      'spec.ingress[0].from[2].ipBlock.cidr: Invalid value: "10/8": must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)',
    ]);
  });
});

describe("ResourceQuota", () => {
  const quota = (spec: Draft<ResourceQuota["spec"]>) => stored(resourceQuotaKind, "q", { spec });

  it("shows requests and limits apart, used and allowed", () => {
    const shown = quota({});
    const hard = { pods: "4", "requests.cpu": "1", "limits.cpu": "2" };
    shown.status = { hard, used: { pods: "1", "requests.cpu": "100m", "limits.cpu": "200m" } };
    expect(cells(resourceQuotaKind, shown)).toMatchObject({
      Request: "pods: 1/4, requests.cpu: 100m/1",
      Limit: "limits.cpu: 200m/2",
    });
  });

  it.each<[Draft<ResourceQuota["spec"]>, string[]]>([
    [{ hard: { pods: "4", "count/deployments.apps": "2", "gold.storageclass.storage.k8s.io/x": "1" } }, []],
    [
      { hard: { gizmos: "4" } },
      ['spec.hard[gizmos]: Invalid value: "gizmos": must be a standard resource for quota'],
    ],
    [{ hard: { pods: "1500m" } }, ['spec.hard[pods]: Invalid value: "1500m": must be an integer']],
    [
      { hard: { "requests.cpu": "-1" } },
      ['spec.hard[requests.cpu]: Invalid value: "-1": must be greater than or equal to 0'],
    ],
    [
      { hard: { pods: "1" }, scopes: ["Terminating", "NotTerminating"] },
      ['spec.scopes: Invalid value: ["Terminating","NotTerminating"]: conflicting scopes'],
    ],
    [
      { hard: { services: "1" }, scopes: ["BestEffort"] },
      ['spec.scopes: Invalid value: ["BestEffort"]: unsupported scope applied to resource'],
    ],
    [
      {
        hard: { pods: "1" },
        scopeSelector: { matchExpressions: [{ scopeName: "PriorityClass", operator: "In" }] },
      },
      [
        "spec.scopeSelector.matchExpressions.values: Required value: must be at least one value when `operator` is 'In' or 'NotIn' for scope selector",
      ],
    ],
  ])("validates %j", (spec, expected) => {
    expect(told(resourceQuotaKind, quota(spec))).toEqual(expected);
  });
});

describe("LimitRange", () => {
  const range = (...limits: object[]) =>
    stored(limitRangeKind, "l", { spec: { limits } } as Draft<LimitRange>);

  it("completes the defaults of containers from their bounds", () => {
    const made = range({ type: "Container", max: { cpu: "1" }, min: { cpu: "100m", memory: "10Mi" } });
    expect(made.spec?.limits?.[0]).toMatchObject({
      default: { cpu: "1" },
      defaultRequest: { cpu: "1", memory: "10Mi" },
    });
    expect(range({ type: "Pod", max: { cpu: "1" } }).spec?.limits?.[0]).not.toHaveProperty("default");
  });

  it.each<[object, string[]]>([
    [{ type: "Container", max: { cpu: "1" } }, []],
    [
      { type: "Thing" },
      ['spec.limits[0].type: Invalid value: "Thing": must be a standard limit type or fully qualified'],
    ],
    [
      { type: "Pod", min: { cpu: "2" }, max: { cpu: "1" } },
      ['spec.limits[0].min[cpu]: Invalid value: "2": min value 2 is greater than max value 1'],
    ],
    [
      { type: "Pod", default: { cpu: "2" } },
      ["spec.limits[0].default: Forbidden: may not be specified when `type` is 'Pod'"],
    ],
    [
      { type: "PersistentVolumeClaim" },
      [
        "spec.limits[0].limits: Required value: either minimum or maximum storage value is required, but neither was provided",
      ],
    ],
    [
      { type: "Pod", maxLimitRequestRatio: { cpu: "500m" } },
      ['spec.limits[0].maxLimitRequestRatio[cpu]: Invalid value: "500m": ratio 500m is less than 1'],
    ],
  ])("validates %j", (item, expected) => {
    expect(told(limitRangeKind, range(item))).toEqual(expected);
  });
});

describe("RuntimeClass and PodTemplate", () => {
  it("wants a handler that is a label, and keeps it", () => {
    const runtime = (handler: string) => stored(runtimeClassKind, "r", { handler } as Draft<RuntimeClass>);
    expect(told(runtimeClassKind, runtime("runc"))).toEqual([]);
    expect(told(runtimeClassKind, runtime("A b"))[0]).toMatch(/^handler: Invalid value: "A b": a lowercase/);
    expect(told(runtimeClassKind, runtime("b"), runtime("a"))).toEqual([
      'handler: Invalid value: "b": field is immutable',
    ]);
  });

  it("is shown with its containers and labels, and validated as any pod", () => {
    const template = {
      metadata: { labels: { a: "b" } },
      spec: { containers: [{ name: "c", image: "nginx" }] },
    };
    const made = stored(podTemplateKind, "t", { template });
    expect(cells(podTemplateKind, made)).toMatchObject({
      Containers: "c",
      Images: "nginx",
      "Pod Labels": "a=b",
    });
    expect(told(podTemplateKind, stored(podTemplateKind, "t", {}))).toEqual([
      "template.spec.containers: Required value",
    ]);
  });
});
