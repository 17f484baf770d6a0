import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { DaemonSet, Node, Pod } from "../../../../src/api/generated/types.ts";
import { draftDaemonPod, nodeOf, placementOn } from "../../../../src/controllers/daemon-set/placement.ts";
import { type DaemonPlan, planDaemonSet } from "../../../../src/controllers/daemon-set/plan.ts";
import { daemonStatus } from "../../../../src/controllers/daemon-set/status.ts";
import { makeNode, makePod } from "../objects.ts";
import { makeDaemonSet } from "../workloads.ts";

const NOW = Date.UTC(2026, 0, 2);
const NODES = ["a", "b", "c"].map((name) => makeNode(name));
const taint = (key: string, effect: string) => ({ spec: { taints: [{ key, effect }] } });

let made = 0;
type State = "ready" | "unready" | "terminating" | "Failed" | "Succeeded";
function daemon(node: string, hash = "new", state: State = "ready"): Pod {
  const over = state === "Failed" || state === "Succeeded";
  return makePod(`log-${++made}`, {
    labels: { app: "log", "controller-revision-hash": hash },
    node,
    ready: state === "ready",
    terminating: state === "terminating",
    ...(over ? { phase: state } : {}),
  });
}

const plan = (set: DaemonSet, pods: readonly Pod[], nodes: readonly Node[] = NODES) =>
  planDaemonSet({ set, hash: "new", nodes, pods, nowMs: NOW });
/** `+a` for a pod made on a, `-b update` for one deleted. */
const steps = ({ create, remove }: DaemonPlan) => [
  ...create.map((node) => `+${node}`),
  ...remove.map(({ node, why }) => `-${node} ${why}`),
];
const surging = (maxSurge: number | string) =>
  makeDaemonSet("log", {
    updateStrategy: { type: "RollingUpdate", rollingUpdate: { maxSurge, maxUnavailable: 0 } },
  });

describe("where its pods belong", () => {
  const log = makeDaemonSet("log");
  const withSpec = (spec: Partial<Pod["spec"]>) => {
    const { template } = log.spec;
    return makeDaemonSet("log", { template: { ...template, spec: { ...template.spec!, ...spec } } });
  };
  const only = (key: string, ...values: string[]): Pod["spec"]["affinity"] => ({
    nodeAffinity: {
      requiredDuringSchedulingIgnoredDuringExecution: {
        nodeSelectorTerms: [{ matchExpressions: [{ key, operator: "In", values }] }],
      },
    },
  });
  test.each<[string, DaemonSet, Node, { run: boolean; stay: boolean }]>([
    ["any node", log, makeNode("a"), { run: true, stay: true }],
    [
      "not where its nodeSelector does not fit",
      withSpec({ nodeSelector: { disk: "ssd" } }),
      makeNode("a"),
      { run: false, stay: false },
    ],
    [
      "where its nodeSelector fits",
      withSpec({ nodeSelector: { disk: "ssd" } }),
      makeNode("a", { labels: { disk: "ssd" } }),
      { run: true, stay: true },
    ],
    [
      "not where its affinity does not fit",
      withSpec({ affinity: only("zone", "x")! }),
      makeNode("a"),
      { run: false, stay: false },
    ],
    [
      "not on another node than it names",
      withSpec({ nodeName: "b" }),
      makeNode("a"),
      { run: false, stay: false },
    ],
    [
      "a cordoned node",
      log,
      makeNode("a", taint("node.kubernetes.io/unschedulable", "NoSchedule")),
      { run: true, stay: true },
    ],
    [
      "a lost node",
      log,
      makeNode("a", taint("node.kubernetes.io/unreachable", "NoExecute")),
      { run: true, stay: true },
    ],
    [
      "a tainted node only if it is there",
      log,
      makeNode("a", taint("dedicated", "NoSchedule")),
      { run: false, stay: true },
    ],
    [
      "not a node that drives all out",
      log,
      makeNode("a", taint("dedicated", "NoExecute")),
      { run: false, stay: false },
    ],
    [
      "a node that would rather be left alone",
      log,
      makeNode("a", taint("dedicated", "PreferNoSchedule")),
      { run: true, stay: true },
    ],
    [
      "a tainted node that it tolerates",
      withSpec({ tolerations: [{ operator: "Exists" }] }),
      makeNode("a", taint("dedicated", "NoExecute")),
      { run: true, stay: true },
    ],
  ])("%s", (_what, set, node, expected) => {
    expect(placementOn(set, node)).toEqual(expected);
  });

  test("a pod is for one node, whatever the template's own terms were, and keeps its preferences", () => {
    const preferred = [{ weight: 1, preference: { matchExpressions: [{ key: "x", operator: "Exists" }] } }];
    const affinity = { ...only("zone", "x") };
    affinity.nodeAffinity!.preferredDuringSchedulingIgnoredDuringExecution = preferred;
    const { metadata, spec } = draftDaemonPod(withSpec({ affinity, hostNetwork: true }), "a", "new");
    expect(metadata).toMatchObject({
      generateName: "log-",
      labels: { app: "log", "controller-revision-hash": "new" },
    });
    expect(spec?.affinity?.nodeAffinity).toEqual({
      requiredDuringSchedulingIgnoredDuringExecution: {
        nodeSelectorTerms: [{ matchFields: [{ key: "metadata.name", operator: "In", values: ["a"] }] }],
      },
      preferredDuringSchedulingIgnoredDuringExecution: preferred,
    });
    expect(nodeOf({ metadata, spec } as Pod)).toBe("a");
    expect(spec?.tolerations?.map(({ key, effect }) => `${key?.split("/")[1]}:${effect}`)).toEqual([
      "not-ready:NoExecute",
      "unreachable:NoExecute",
      "disk-pressure:NoSchedule",
      "memory-pressure:NoSchedule",
      "pid-pressure:NoSchedule",
      "unschedulable:NoSchedule",
      "network-unavailable:NoSchedule",
    ]);
  });
});

describe("each node", () => {
  const log = makeDaemonSet("log");
  test.each<[string, Pod[], string[]]>([
    ["gets a pod", [], ["+a", "+b", "+c"]],
    ["has one", ["a", "b", "c"].map((node) => daemon(node)), []],
    ["waits until an old one has gone", [daemon("a", "old", "terminating"), daemon("b"), daemon("c")], []],
    ["loses one that failed", [daemon("a", "new", "Failed"), daemon("b"), daemon("c")], ["-a failed"]],
    ["loses one that ended", [daemon("a", "new", "Succeeded"), daemon("b"), daemon("c")], ["-a succeeded"]],
    ["loses all but the oldest", [daemon("a"), daemon("a"), daemon("b"), daemon("c")], ["-a surplus"]],
  ])("%s", (_what, pods, expected) => {
    expect(steps(plan(log, pods))).toEqual(expected);
  });

  test("that should not have one loses it, and a pod that waits for a node that is gone goes", () => {
    const nodes = [makeNode("a", taint("dedicated", "NoExecute")), ...NODES.slice(1)];
    const waiting = daemon("", "new");
    waiting.spec = { ...waiting.spec, ...draftDaemonPod(log, "gone", "new").spec } as Pod["spec"];
    delete waiting.spec.nodeName;
    const pods = [daemon("a"), daemon("b"), daemon("c"), waiting];
    expect(steps(plan(log, pods, nodes))).toEqual(["-a misplaced", "-gone misplaced"]);
  });

  test("keeps a failed one for as long as its back-off lasts", () => {
    const pods = [daemon("a", "new", "Failed"), daemon("b"), daemon("c")];
    const input = { set: log, hash: "new", nodes: NODES, pods, nowMs: NOW, backoffMs: () => 500 };
    expect(steps(planDaemonSet(input))).toEqual([]);
  });
});

describe("a rollout", () => {
  const log = makeDaemonSet("log");
  const half = makeDaemonSet("log", {
    updateStrategy: { type: "RollingUpdate", rollingUpdate: { maxUnavailable: "50%", maxSurge: 0 } },
  });
  test.each<[string, DaemonSet, Pod[], string[]]>([
    ["takes one", log, ["a", "b", "c"].map((node) => daemon(node, "old")), ["-a update"]],
    [
      "takes half, rounded up",
      half,
      ["a", "b", "c"].map((node) => daemon(node, "old")),
      ["-a update", "-b update"],
    ],
    [
      "waits for the new one",
      log,
      [daemon("a", "new", "unready"), daemon("b", "old"), daemon("c", "old")],
      [],
    ],
    [
      "takes broken old ones at once, beside which no serving one may go",
      log,
      [daemon("a", "old", "unready"), daemon("b", "old", "unready"), daemon("c", "old")],
      ["-a update", "-b update"],
    ],
    [
      "leaves all to the user with OnDelete",
      makeDaemonSet("log", { updateStrategy: { type: "OnDelete" } }),
      ["a", "b", "c"].map((node) => daemon(node, "old")),
      [],
    ],
    [
      "makes the new one first when it may surge",
      surging(1),
      ["a", "b", "c"].map((node) => daemon(node, "old")),
      ["+a"],
    ],
    [
      "waits for the surging one",
      surging(1),
      [daemon("a", "old"), daemon("a", "new", "unready"), daemon("b", "old"), daemon("c", "old")],
      [],
    ],
    [
      "takes the old one when the surging one is available",
      surging(1),
      [daemon("a", "old"), daemon("a"), daemon("b", "old"), daemon("c", "old")],
      ["-a surplus"],
    ],
    [
      "takes an old one that does not serve",
      surging(1),
      [daemon("a", "old", "unready"), daemon("a", "new", "unready"), daemon("b"), daemon("c")],
      ["-a surplus"],
    ],
  ])("%s", (_what, set, pods, expected) => {
    expect(steps(plan(set, pods))).toEqual(expected);
  });

  const moves = fc.array(fc.record({ node: fc.nat(4), state: fc.nat(4) }), { maxLength: 25 });
  test("ends with one new pod on every node, whatever befell the pods, and never takes a serving one beyond the limit", () => {
    fc.assert(
      fc.property(fc.boolean(), fc.integer({ min: 1, max: 3 }), moves, (surge, most, chaos) => {
        const nodes = ["a", "b", "c", "d", "e"].map((name) => makeNode(name));
        const set = surge
          ? surging(most)
          : makeDaemonSet("log", {
              updateStrategy: { type: "RollingUpdate", rollingUpdate: { maxUnavailable: most, maxSurge: 0 } },
            });
        const serving = (pods: readonly Pod[], name: string) =>
          pods.some(
            ({ spec, status, metadata }) =>
              spec.nodeName === name &&
              !metadata.deletionTimestamp &&
              status?.conditions?.some(({ status: ready }) => ready === "True"),
          );
        let pods = nodes.map(({ metadata }) => daemon(metadata.name, "old"));
        const step = () => {
          const next = plan(set, pods, nodes);
          const down = nodes.filter(({ metadata }) => !serving(pods, metadata.name)).length;
          const gone = new Set(next.remove.map(({ pod }) => pod));
          pods = [
            ...pods.filter((pod) => !gone.has(pod)),
            ...next.create.map((node) => daemon(node, "new", "unready")),
          ];
          const downAfter = nodes.filter(({ metadata }) => !serving(pods, metadata.name)).length;
          expect(downAfter).toBeLessThanOrEqual(Math.max(down, surge ? 0 : most));
          return next.create.length + next.remove.length;
        };
        for (const { node, state } of chaos) {
          step();
          const name = nodes[node]?.metadata.name ?? "";
          const victim = pods.find(({ spec }) => spec.nodeName === name);
          const states: State[] = ["ready", "unready", "Failed", "Succeeded"];
          pods = pods.filter((pod) => pod !== victim);
          if (victim && state < 4)
            pods.push(daemon(name, victim.metadata.labels?.["controller-revision-hash"], states[state]));
        }
        let turns = 0;
        do
          pods = pods.map((pod) =>
            pod.status?.phase === "Running" ? { ...pod, status: daemon("a").status! } : pod,
          );
        while (step() > 0 && ++turns < 100);
        expect(pods.map(({ spec }) => spec.nodeName).sort()).toEqual(["a", "b", "c", "d", "e"]);
        expect(pods.every(({ metadata }) => metadata.labels?.["controller-revision-hash"] === "new")).toBe(
          true,
        );
      }),
    );
  });
});

test("the status counts nodes", () => {
  const set = makeDaemonSet("log");
  const nodes = [...NODES, makeNode("d", taint("dedicated", "NoSchedule"))];
  const pods = [daemon("a"), daemon("b", "old"), daemon("d", "old")];
  expect(daemonStatus({ set, hash: "new", nodes, pods, nowMs: NOW }, 0)).toEqual({
    currentNumberScheduled: 2,
    desiredNumberScheduled: 3,
    numberAvailable: 2,
    numberMisscheduled: 1,
    numberReady: 2,
    numberUnavailable: 1,
    observedGeneration: 1,
    updatedNumberScheduled: 1,
  });
});
