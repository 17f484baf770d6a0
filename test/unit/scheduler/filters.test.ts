import { describe, expect, it } from "vitest";
import type { Node, Pod } from "../../../src/api/generated/types.ts";
import { makeNode, makePod } from "../controllers/objects.ts";
import { clusterOf, pick } from "./cluster.ts";

const NO_VICTIMS = "preemption: 0/1 nodes are available: 1 No preemption victims found for incoming pod.";
const NOT_HELPFUL = "preemption: 0/1 nodes are available: 1 Preemption is not helpful for scheduling.";
const refused = (reason: string, after = NOT_HELPFUL) => `0/1 nodes are available: 1 ${reason}. ${after}`;

interface Case {
  readonly why: string;
  readonly pod: Pod;
  readonly node?: Node;
  readonly running?: readonly Pod[];
  readonly expected: string;
}

const required = (terms: object[]) => ({ requiredDuringSchedulingIgnoredDuringExecution: terms }) as never;
const zone = "topology.kubernetes.io/zone";
const near = (app: string, topologyKey = zone) => ({ topologyKey, labelSelector: { matchLabels: { app } } });
const inZone = makeNode("n", { labels: { [zone]: "a" } });
const spread = (whenUnsatisfiable: string, more: object = {}) => ({
  topologySpreadConstraints: [
    {
      maxSkew: 1,
      topologyKey: zone,
      whenUnsatisfiable,
      labelSelector: { matchLabels: { app: "web" } },
      ...more,
    },
  ],
});

const cases: readonly Case[] = [
  { why: "an empty node", pod: makePod("p"), expected: "n" },
  {
    why: "too little cpu left",
    pod: makePod("p", { requests: { cpu: "2500m" } }),
    running: [makePod("r", { node: "n", requests: { cpu: "2" } })],
    expected: refused("Insufficient cpu", NO_VICTIMS),
  },
  {
    why: "exactly enough cpu left",
    pod: makePod("p", { requests: { cpu: "2" } }),
    running: [makePod("r", { node: "n", requests: { cpu: "2" } })],
    expected: "n",
  },
  {
    why: "more than the node has, of two resources",
    pod: makePod("p", { requests: { cpu: "8", memory: "16Gi" } }),
    expected: `0/1 nodes are available: 1 Insufficient cpu, 1 Insufficient memory. ${NOT_HELPFUL}`,
  },
  {
    why: "an extended resource that the node does not have",
    pod: makePod("p", { requests: { "example.com/gpu": "1" } }),
    expected: refused("Insufficient example.com/gpu"),
  },
  {
    why: "a full node",
    pod: makePod("p"),
    node: makeNode("n", { allocatable: { pods: "1" } }),
    running: [makePod("r", { node: "n" })],
    expected: refused("Too many pods", NO_VICTIMS),
  },
  {
    why: "a cordoned node",
    pod: makePod("p"),
    node: makeNode("n", { spec: { unschedulable: true } }),
    expected: refused("node(s) were unschedulable"),
  },
  {
    why: "a cordoned node, tolerated",
    pod: makePod("p", {
      spec: { tolerations: [{ key: "node.kubernetes.io/unschedulable", operator: "Exists" }] },
    }),
    node: makeNode("n", { spec: { unschedulable: true } }),
    expected: "n",
  },
  {
    why: "an untolerated taint",
    pod: makePod("p"),
    node: makeNode("n", { spec: { taints: [{ key: "a", value: "b", effect: "NoSchedule" }] } }),
    expected: refused("node(s) had untolerated taint {a: b}"),
  },
  {
    why: "a taint without value, tolerated for another effect only",
    pod: makePod("p", { spec: { tolerations: [{ key: "a", operator: "Exists", effect: "NoExecute" }] } }),
    node: makeNode("n", { spec: { taints: [{ key: "a", effect: "NoSchedule" }] } }),
    expected: refused("node(s) had untolerated taint {a: }"),
  },
  {
    why: "a taint that is only a preference",
    pod: makePod("p"),
    node: makeNode("n", { spec: { taints: [{ key: "a", effect: "PreferNoSchedule" }] } }),
    expected: "n",
  },
  {
    why: "a nodeSelector that the node does not meet",
    pod: makePod("p", { spec: { nodeSelector: { disktype: "ssd" } } }),
    expected: refused("node(s) didn't match Pod's node affinity/selector"),
  },
  {
    why: "node affinity: one of several terms is enough",
    pod: makePod("p", {
      spec: {
        affinity: {
          nodeAffinity: {
            requiredDuringSchedulingIgnoredDuringExecution: {
              nodeSelectorTerms: [
                { matchExpressions: [{ key: "missing", operator: "Exists" }] },
                { matchExpressions: [{ key: zone, operator: "In", values: ["a", "b"] }] },
              ],
            },
          },
        },
      },
    }),
    node: inZone,
    expected: "n",
  },
  {
    why: "node affinity with Gt",
    pod: makePod("p", {
      spec: {
        affinity: {
          nodeAffinity: {
            requiredDuringSchedulingIgnoredDuringExecution: {
              nodeSelectorTerms: [{ matchExpressions: [{ key: "size", operator: "Gt", values: ["10"] }] }],
            },
          },
        },
      },
    }),
    node: makeNode("n", { labels: { size: "10" } }),
    expected: refused("node(s) didn't match Pod's node affinity/selector"),
  },
  {
    why: "a host port in use",
    pod: makePod("p", { ports: [{ containerPort: 80, hostPort: 8080 }] }),
    running: [makePod("r", { node: "n", ports: [{ containerPort: 81, hostPort: 8080 }] })],
    expected: refused("node(s) didn't have free ports for the requested pod ports", NO_VICTIMS),
  },
  {
    why: "the same host port of another protocol",
    pod: makePod("p", { ports: [{ containerPort: 80, hostPort: 8080, protocol: "UDP" }] }),
    running: [makePod("r", { node: "n", ports: [{ containerPort: 80, hostPort: 8080 }] })],
    expected: "n",
  },
  {
    why: "pod affinity with nobody there",
    pod: makePod("p", { spec: { affinity: { podAffinity: required([near("db")]) } } }),
    node: inZone,
    expected: refused("node(s) didn't match pod affinity rules"),
  },
  {
    why: "pod affinity with itself, as the first",
    pod: makePod("p", { labels: { app: "db" }, spec: { affinity: { podAffinity: required([near("db")]) } } }),
    node: inZone,
    expected: "n",
  },
  {
    why: "pod affinity that is met",
    pod: makePod("p", { spec: { affinity: { podAffinity: required([near("db")]) } } }),
    node: inZone,
    running: [makePod("r", { node: "n", labels: { app: "db" } })],
    expected: "n",
  },
  {
    why: "pod affinity with a pod of another namespace",
    pod: makePod("p", { spec: { affinity: { podAffinity: required([near("db")]) } } }),
    node: inZone,
    running: [makePod("r", { node: "n", labels: { app: "db" }, namespace: "other" })],
    expected: refused("node(s) didn't match pod affinity rules"),
  },
  {
    why: "pod affinity with a pod of a selected namespace",
    pod: makePod("p", {
      spec: { affinity: { podAffinity: required([{ ...near("db"), namespaceSelector: {} }]) } },
    }),
    node: inZone,
    running: [makePod("r", { node: "n", labels: { app: "db" }, namespace: "other" })],
    expected: "n",
  },
  {
    why: "its own anti-affinity",
    pod: makePod("p", { spec: { affinity: { podAntiAffinity: required([near("db")]) } } }),
    node: inZone,
    running: [makePod("r", { node: "n", labels: { app: "db" } })],
    expected: refused("node(s) didn't match pod anti-affinity rules", NO_VICTIMS),
  },
  {
    why: "the anti-affinity of a pod that runs",
    pod: makePod("p", { labels: { app: "web" } }),
    node: inZone,
    running: [makePod("r", { node: "n", spec: { affinity: { podAntiAffinity: required([near("web")]) } } })],
    expected: refused("node(s) didn't satisfy existing pods anti-affinity rules", NO_VICTIMS),
  },
  {
    why: "hard spreading without the topology label",
    pod: makePod("p", { labels: { app: "web" }, spec: spread("DoNotSchedule") }),
    expected: refused("node(s) didn't match pod topology spread constraints (missing required label)"),
  },
  {
    why: "hard spreading with too few domains",
    pod: makePod("p", { labels: { app: "web" }, spec: spread("DoNotSchedule", { minDomains: 2 }) }),
    node: inZone,
    running: [makePod("r", { node: "n", labels: { app: "web" } })],
    expected: refused("node(s) didn't match pod topology spread constraints", NO_VICTIMS),
  },
  {
    why: "soft spreading without the topology label",
    pod: makePod("p", { labels: { app: "web" }, spec: spread("ScheduleAnyway") }),
    expected: "n",
  },
];

describe("filters", () => {
  it.each(cases)("$why", ({ pod, node = makeNode("n"), running = [], expected }) => {
    expect(pick(pod, clusterOf([node], running))).toBe(expected);
  });

  it("spreads over zones within the allowed skew", () => {
    const nodes = ["a", "b", "c"].map((name) => makeNode(name, { labels: { [zone]: name } }));
    const web = { app: "web" };
    const running = ["a", "a", "b", "c"].map((node, i) => makePod(`r${i}`, { node, labels: web }));
    const next = makePod("p", { labels: web, spec: spread("DoNotSchedule") });
    expect(["b", "c"]).toContain(pick(next, clusterOf(nodes, running)));
    // Bound to zone a by its selector, while all zones count: only a pod that is on its way out makes room there.
    const bound = makePod("p", {
      labels: web,
      spec: { nodeSelector: { [zone]: "a" }, ...spread("DoNotSchedule", { nodeAffinityPolicy: "Ignore" }) },
    });
    expect(pick(bound, clusterOf(nodes, running))).toContain("1 node(s) didn't match pod topology spread");
    const leaving = [...running.slice(1), makePod("r0", { node: "a", labels: web, terminating: true })];
    expect(pick(bound, clusterOf(nodes, leaving))).toBe("a");
  });
});

describe("the message", () => {
  it("counts reasons and sorts them as text, nodes that nothing could free apart", () => {
    const small = { allocatable: { cpu: "1" } };
    const tainted = { spec: { taints: [{ key: "a", value: "b", effect: "NoSchedule" }] } };
    const nodes = [makeNode("n1", small), makeNode("n2", tainted), makeNode("n3", tainted)];
    const running = [makePod("r", { node: "n1", requests: { cpu: "1" } })];
    expect(pick(makePod("p", { requests: { cpu: "500m" } }), clusterOf(nodes, running))).toBe(
      "0/3 nodes are available: 1 Insufficient cpu, 2 node(s) had untolerated taint {a: b}. " +
        "preemption: 0/3 nodes are available: 1 No preemption victims found for incoming pod, 2 Preemption is not helpful for scheduling.",
    );
  });

  it("says that there are no nodes", () => {
    expect(pick(makePod("p"), clusterOf([]))).toBe("no nodes available to schedule pods");
  });

  it("says that the pod would not preempt", () => {
    const never = makePod("p", { requests: { cpu: "9" }, spec: { preemptionPolicy: "Never" } });
    expect(pick(never, clusterOf([makeNode("n")]))).toBe(
      "0/1 nodes are available: 1 Insufficient cpu. preemption: not eligible due to preemptionPolicy=Never.",
    );
  });
});
