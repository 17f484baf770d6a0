import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Pod, PodDisruptionBudget } from "../../../../src/api/generated/types.ts";
import { Nominations } from "../../../../src/scheduler/nominations.ts";
import { pickNode } from "../../../../src/scheduler/pick-node.ts";
import { podInfo } from "../../../../src/scheduler/pod-info.ts";
import { makeNode, makePod } from "../../controllers/objects.ts";
import { clusterOf, pick } from "../cluster.ts";

interface Running {
  readonly cpu: number;
  readonly priority: number;
  readonly app?: string;
  readonly startTime?: string;
  readonly terminating?: boolean;
}

const cpuNode = (name: string, cpu: number) =>
  makeNode(name, { allocatable: { cpu: String(cpu), pods: "100" } });

function running(
  name: string,
  node: string,
  { cpu, priority, app = "low", startTime, terminating }: Running,
): Pod {
  const pod = makePod(name, {
    node,
    labels: { app },
    requests: { cpu: String(cpu) },
    spec: { priority },
    ...(terminating ? { terminating } : {}),
  });
  return { ...pod, status: { ...pod.status, startTime: startTime ?? "2026-01-01T00:00:00Z" } };
}

const incoming = (cpu: number, priority: number, spec: Partial<Pod["spec"]> = {}): Pod =>
  makePod("new", { requests: { cpu: String(cpu) }, spec: { priority, ...spec } });

const budget = (name: string, app: string, disruptionsAllowed: number): PodDisruptionBudget => ({
  apiVersion: "policy/v1",
  kind: "PodDisruptionBudget",
  metadata: {
    name,
    namespace: "default",
    uid: name,
    resourceVersion: "1",
    creationTimestamp: "2026-01-01T00:00:00Z",
  },
  spec: { selector: { matchLabels: { app } } },
  status: { disruptionsAllowed, currentHealthy: 1, desiredHealthy: 1, expectedPods: 1 },
});

/** `node: victims` of the plan, or why there is none. */
function plan(
  pod: Pod,
  nodes: Readonly<Record<string, readonly Running[]>>,
  { cpu = 4, ...options }: Parameters<typeof clusterOf>[2] & { cpu?: number } = {},
): string {
  const pods = Object.entries(nodes).flatMap(([node, all]) =>
    all.map((one, i) => running(`${node}${i}`, node, one)),
  );
  const cluster = clusterOf(
    Object.keys(nodes).map((name) => cpuNode(name, cpu)),
    pods,
    options,
  );
  const picked = pickNode(podInfo(pod), cluster, () => 0);
  if (picked.node) return `fits on ${picked.node.name}`;
  const { preemption } = picked;
  if (!preemption.node) return preemption.why;
  return `${preemption.node.name}: ${preemption.pods.map(({ pod: victim }) => victim.metadata.name).join(" ")}`;
}

const early = { startTime: "2026-01-01T00:00:00Z" };
const late = { startTime: "2026-01-02T00:00:00Z" };

describe("preemption", () => {
  it.each<[string, Pod, Record<string, Running[]>, string]>([
    ["takes a lower priority off the node", incoming(4, 10), { a: [{ cpu: 4, priority: 0 }] }, "a: a0"],
    [
      "keeps all whom it can: the most important come back first",
      incoming(2, 10),
      {
        a: [
          { cpu: 1, priority: 1 },
          { cpu: 1, priority: 5 },
          { cpu: 1, priority: 3 },
          { cpu: 1, priority: 2 },
        ],
      },
      "a: a3 a0",
    ],
    [
      "of equals sends who came last",
      incoming(2, 10),
      {
        a: [
          { cpu: 2, priority: 0, ...late },
          { cpu: 2, priority: 0, ...early },
        ],
      },
      "a: a0",
    ],
    [
      "prefers the node whose most important victim matters least",
      incoming(4, 10),
      {
        a: [{ cpu: 4, priority: 5 }],
        b: [
          { cpu: 2, priority: 1 },
          { cpu: 2, priority: 1 },
        ],
      },
      "b: b0 b1",
    ],
    [
      "then the least sum of priorities",
      incoming(4, 10),
      {
        a: [
          { cpu: 2, priority: 5 },
          { cpu: 2, priority: 4 },
        ],
        b: [
          { cpu: 2, priority: 5 },
          { cpu: 2, priority: 1 },
        ],
      },
      "b: b0 b1",
    ],
    [
      "then the fewest victims, even of negative priority",
      incoming(4, 10),
      {
        a: [
          { cpu: 2, priority: -5 },
          { cpu: 2, priority: -5 },
        ],
        b: [{ cpu: 4, priority: -5 }],
      },
      "b: b0",
    ],
    [
      "then the node whose victim has run the shortest",
      incoming(4, 10),
      { a: [{ cpu: 4, priority: 1, ...early }], b: [{ cpu: 4, priority: 1, ...late }] },
      "b: b0",
    ],
    [
      "spares equal and higher priorities",
      incoming(4, 10),
      { a: [{ cpu: 4, priority: 10 }], b: [{ cpu: 4, priority: 11 }] },
      "0/2 nodes are available: 2 No preemption victims found for incoming pod.",
    ],
    [
      "says where it would not be enough, and where it could not help",
      incoming(4, 10),
      {
        a: [
          { cpu: 2, priority: 10 },
          { cpu: 2, priority: 0 },
        ],
      },
      "0/1 nodes are available: 1 Insufficient cpu.",
    ],
    [
      "is of no use where the node is too small",
      incoming(5, 10),
      { a: [{ cpu: 4, priority: 0 }] },
      "0/1 nodes are available: 1 Preemption is not helpful for scheduling.",
    ],
    [
      "is not done for a pod that never preempts",
      incoming(4, 10, { preemptionPolicy: "Never" }),
      { a: [{ cpu: 4, priority: 0 }] },
      "not eligible due to preemptionPolicy=Never.",
    ],
  ])("%s", (_, pod, nodes, expected) => {
    expect(plan(pod, nodes)).toBe(expected);
  });

  it("tells of the plan in the event only where nobody makes way", () => {
    const node = cpuNode("a", 4);
    const low = running("low", "a", { cpu: 4, priority: 0 });
    expect(pick(incoming(4, 10), clusterOf([node], [low]))).toBe(
      "0/1 nodes are available: 1 Insufficient cpu.",
    );
    expect(pick(incoming(4, 0), clusterOf([node], [low]))).toBe(
      "0/1 nodes are available: 1 Insufficient cpu. preemption: 0/1 nodes are available: 1 No preemption victims found for incoming pod.",
    );
  });

  it("chooses the node where fewer budgets are violated, and on it first whom no budget guards", () => {
    const guarded = { cpu: 2, priority: 1, app: "guarded" };
    const free = { cpu: 2, priority: 1, app: "free" };
    const budgets = [budget("strict", "guarded", 0)];
    expect(plan(incoming(4, 10), { a: [guarded, free], b: [free, free] }, { budgets })).toBe("b: b0 b1");
    expect(plan(incoming(2, 10), { a: [guarded, free] }, { budgets })).toBe("a: a1");
    expect(plan(incoming(4, 10), { a: [guarded, guarded] }, { budgets })).toBe("a: a0 a1");
    const one = [budget("loose", "guarded", 1)];
    expect(plan(incoming(2, 10), { a: [guarded, guarded] }, { budgets: one })).toBe("a: a0");
  });

  it("makes way for anti-affinity of both sides", () => {
    const apart = {
      affinity: {
        podAntiAffinity: {
          requiredDuringSchedulingIgnoredDuringExecution: [
            { topologyKey: "kubernetes.io/hostname", labelSelector: { matchLabels: { app: "low" } } },
          ],
        },
      },
    };
    const node = makeNode("a", { labels: { "kubernetes.io/hostname": "a" } });
    const low = running("low", "a", { cpu: 1, priority: 0 });
    const other = running("other", "a", { cpu: 1, priority: 0, app: "other" });
    const picked = pickNode(podInfo(incoming(1, 10, apart)), clusterOf([node], [low, other]), () => 0);
    expect(!picked.node && picked.preemption.node && picked.preemption.pods.map(({ key }) => key)).toEqual([
      "default/low",
    ]);
  });

  describe("and nominated nodes", () => {
    const nominate = (pod: Pod, node: string, victims: readonly Pod[] = []) => {
      const nominations = new Nominations();
      nominations.set(podInfo(pod), node, victims.map(podInfo));
      return nominations;
    };

    it("keep what was made free for a pod from others of no higher priority", () => {
      const waiting = makePod("waiting", { requests: { cpu: "4" }, spec: { priority: 5 } });
      const nominations = nominate(waiting, "a");
      expect(plan(incoming(4, 5), { a: [] }, { nominations })).toMatch(/No preemption victims/);
      expect(plan(incoming(4, 6), { a: [] }, { nominations })).toBe("fits on a");
      expect(plan(incoming(4, 5), { a: [], b: [] }, { nominations })).toBe("fits on b");
    });

    it("are where the pod goes, though another node is emptier", () => {
      const pod = incoming(1, 5);
      expect(plan(pod, { a: [], b: [{ cpu: 2, priority: 0 }] }, { nominations: nominate(pod, "b") })).toBe(
        "fits on b",
      );
    });

    it("are waited for while the victims leave, and given up when they will not do", () => {
      const pod = incoming(4, 5);
      const leaving = { cpu: 4, priority: 0 };
      const victim = running("a0", "a", leaving);
      expect(plan(pod, { a: [leaving], b: [leaving] }, { nominations: nominate(pod, "a", [victim]) })).toBe(
        "not eligible due to a terminating pod on the nominated node.",
      );
      const cluster = clusterOf([cpuNode("a", 2)], [running("x", "a", { cpu: 2, priority: 9 })], {
        nominations: nominate(pod, "a"),
      });
      const picked = pickNode(podInfo(pod), cluster, () => 0);
      expect(picked).toMatchObject({ preemption: { withdraw: true } });
    });
  });

  const podShape = fc.record({
    cpu: fc.integer({ min: 1, max: 4 }),
    priority: fc.integer({ min: -2, max: 6 }),
    app: fc.constantFrom("x", "y"),
  });
  const shape = fc.record({
    nodes: fc.array(fc.array(podShape, { maxLength: 6 }), { minLength: 1, maxLength: 5 }),
    pod: fc.record({ cpu: fc.integer({ min: 1, max: 8 }), priority: fc.integer({ min: -1, max: 7 }) }),
    allowed: fc.integer({ min: 0, max: 2 }),
  });

  it("sends lower priorities only, no more than must go, and fails only where all of them would not be enough", () => {
    fc.assert(
      fc.property(shape, ({ nodes, pod, allowed }) => {
        const capacity = 8;
        const filled = nodes.map((pods) => {
          let free = capacity;
          return pods.filter(({ cpu }) => {
            if (cpu > free) return false;
            free -= cpu;
            return true;
          });
        });
        const all = filled.flatMap((pods, n) => pods.map((one, i) => running(`n${n}-${i}`, `n${n}`, one)));
        const cluster = clusterOf(
          filled.map((_, n) => cpuNode(`n${n}`, capacity)),
          all,
          { budgets: [budget("x", "x", allowed)] },
        );
        const picked = pickNode(podInfo(incoming(pod.cpu, pod.priority)), cluster, () => 0);
        if (picked.node) return;
        const takenBy = (pods: readonly Running[]) => pods.reduce((sum, { cpu }) => sum + cpu, 0);
        const { preemption } = picked;
        if (!preemption.node) {
          for (const pods of filled) {
            const staying = pods.filter(({ priority }) => priority >= pod.priority);
            expect(capacity - takenBy(staying)).toBeLessThan(pod.cpu);
          }
          return;
        }
        const { node, pods: victims } = preemption;
        const freed = victims.map(({ requests }) => (requests["cpu"] ?? 0) / 1000);
        const free = capacity - takenBy(filled[Number(node.name.slice(1))] ?? []);
        const sum = freed.reduce((total, cpu) => total + cpu, 0);
        expect(victims.length).toBeGreaterThan(0);
        expect(victims.every(({ priority }) => priority < pod.priority)).toBe(true);
        expect(free + sum).toBeGreaterThanOrEqual(pod.cpu);
        for (const cpu of freed) expect(free + sum - cpu).toBeLessThan(pod.cpu);
      }),
    );
  });
});
