import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Pod } from "../../../src/api/generated/types.ts";
import { pickNode } from "../../../src/scheduler/pick-node.ts";
import { podInfo } from "../../../src/scheduler/pod-info.ts";
import { podRequests } from "../../../src/scheduler/requests.ts";
import { makeNode, makePod } from "../controllers/objects.ts";
import { clusterOf, pick, seeded, type TestCluster } from "./cluster.ts";

const zone = "topology.kubernetes.io/zone";

/** Places pods one after the other, as the scheduler does; gives the node's name, or undefined, of each. */
function placeAll(pods: readonly Pod[], cluster: TestCluster, seed: number): (string | undefined)[] {
  const random = seeded(seed);
  return pods.map((pod) => {
    const { node } = pickNode(podInfo(pod), cluster, random);
    if (node) cluster.cache.assume(podInfo(pod), node.name);
    return node?.name;
  });
}

const nodeArbitrary = fc.record({
  cpu: fc.integer({ min: 1, max: 8 }),
  pods: fc.integer({ min: 1, max: 6 }),
  zone: fc.constantFrom("a", "b", "c"),
  taint: fc.boolean(),
});
const podArbitrary = fc.record({
  cpu: fc.integer({ min: 0, max: 3000 }),
  app: fc.constantFrom("web", "db"),
  tolerates: fc.boolean(),
  zone: fc.option(fc.constantFrom("a", "b"), { nil: undefined }),
  alone: fc.boolean(),
  skew: fc.option(fc.integer({ min: 1, max: 2 }), { nil: undefined }),
});
type PodShape = typeof podArbitrary extends fc.Arbitrary<infer T> ? T : never;

function podOf(shape: PodShape, i: number): Pod {
  const labelSelector = { matchLabels: { app: shape.app } };
  return makePod(`p${i}`, {
    labels: { app: shape.app },
    requests: { cpu: `${shape.cpu}m` },
    spec: {
      ...(shape.zone ? { nodeSelector: { [zone]: shape.zone } } : {}),
      ...(shape.tolerates ? { tolerations: [{ operator: "Exists" }] } : {}),
      ...(shape.alone
        ? {
            affinity: {
              podAntiAffinity: {
                requiredDuringSchedulingIgnoredDuringExecution: [
                  { topologyKey: "kubernetes.io/hostname", labelSelector },
                ],
              },
            },
          }
        : {}),
      ...(shape.skew
        ? {
            topologySpreadConstraints: [
              { maxSkew: shape.skew, topologyKey: zone, whenUnsatisfiable: "DoNotSchedule", labelSelector },
            ],
          }
        : {}),
    },
  });
}

const situation = fc.record({
  nodes: fc.array(nodeArbitrary, { minLength: 1, maxLength: 6 }),
  pods: fc.array(podArbitrary, { maxLength: 25 }),
  seed: fc.integer(),
});

const nodesOf = (shapes: readonly { cpu: number; pods: number; zone: string; taint: boolean }[]) =>
  shapes.map((shape, i) =>
    makeNode(`n${i}`, {
      labels: { [zone]: shape.zone },
      allocatable: { cpu: String(shape.cpu), pods: String(shape.pods) },
      spec: shape.taint ? { taints: [{ key: "t", effect: "NoSchedule" }] } : {},
    }),
  );

describe("pickNode", () => {
  it("never commits more of a node than it has", () => {
    fc.assert(
      fc.property(situation, ({ nodes: shapes, pods: podShapes, seed }) => {
        const pods = podShapes.map(podOf);
        const placed = placeAll(pods, clusterOf(nodesOf(shapes)), seed);
        shapes.forEach((shape, i) => {
          const here = pods.filter((_, j) => placed[j] === `n${i}`);
          const cpu = here.reduce((sum, pod) => sum + (podRequests(pod)["cpu"] ?? 0), 0);
          expect(cpu).toBeLessThanOrEqual(shape.cpu * 1000);
          expect(here.length).toBeLessThanOrEqual(shape.pods);
        });
      }),
    );
  });

  it("respects selectors, taints and anti-affinity from both sides", () => {
    fc.assert(
      fc.property(situation, ({ nodes: shapes, pods: podShapes, seed }) => {
        const placed = placeAll(podShapes.map(podOf), clusterOf(nodesOf(shapes)), seed);
        podShapes.forEach((pod, i) => {
          if (!placed[i]) return;
          const node = shapes[Number(placed[i].slice(1))];
          if (pod.zone) expect(node?.zone).toBe(pod.zone);
          if (!pod.tolerates) expect(node?.taint).toBe(false);
          const beside = podShapes.filter(
            (other, j) => j !== i && placed[j] === placed[i] && other.app === pod.app,
          );
          if (pod.alone) expect(beside).toEqual([]);
        });
      }),
    );
  });

  it("keeps each pod within its skew at the time when it is placed", () => {
    fc.assert(
      fc.property(situation, ({ nodes: shapes, pods: podShapes, seed }) => {
        const free = podShapes.map((pod) => ({ ...pod, zone: undefined, tolerates: true }));
        const placed = placeAll(free.map(podOf), clusterOf(nodesOf(shapes)), seed);
        const zones = new Set(shapes.map((shape) => shape.zone));
        free.forEach((pod, i) => {
          if (!placed[i] || !pod.skew) return;
          const count = (name: string) =>
            free.filter(
              (other, j) =>
                j <= i && other.app === pod.app && shapes[Number(placed[j]?.slice(1))]?.zone === name,
            ).length;
          const counts = [...zones].map(count);
          const own = count(shapes[Number(placed[i].slice(1))]?.zone ?? "");
          expect(own - Math.min(...counts)).toBeLessThanOrEqual(pod.skew);
        });
      }),
    );
  });

  it("leaves no pod waiting that some node would take", () => {
    fc.assert(
      fc.property(situation, ({ nodes: shapes, pods: podShapes, seed }) => {
        const plain = podShapes.map((pod) => ({ ...pod, alone: false, skew: undefined }));
        const cluster = clusterOf(nodesOf(shapes));
        const placed = placeAll(plain.map(podOf), cluster, seed);
        plain.forEach((pod, i) => {
          if (placed[i]) return;
          const open = cluster.nodes.filter((node) => {
            const shape = shapes[Number(node.name.slice(1))];
            const allowed =
              shape && (!pod.zone || shape.zone === pod.zone) && (pod.tolerates || !shape.taint);
            const fits =
              (node.requested["cpu"] ?? 0) + pod.cpu <= (node.allocatable["cpu"] ?? 0) || pod.cpu === 0;
            return allowed && fits && node.pods.size < (node.allocatable["pods"] ?? 0);
          });
          expect(open.map(({ name }) => name)).toEqual([]);
        });
      }),
    );
  });

  it("picks the same for the same seed", () => {
    fc.assert(
      fc.property(situation, ({ nodes, pods, seed }) => {
        const once = placeAll(pods.map(podOf), clusterOf(nodesOf(nodes)), seed);
        expect(placeAll(pods.map(podOf), clusterOf(nodesOf(nodes)), seed)).toEqual(once);
      }),
    );
  });

  it("puts the replicas of one owner on different nodes, whatever they ask for", () => {
    for (let seed = 0; seed < 20; seed++) {
      const nodes = ["n0", "n1", "n2"].map((name) => makeNode(name));
      const siblings = (labels: Readonly<Record<string, string>> | undefined) => labels?.["app"] === "web";
      const requests = seed % 2 ? { cpu: "10m" } : undefined;
      const pods = [0, 1, 2].map((i) =>
        makePod(`w${i}`, { labels: { app: "web" }, ...(requests ? { requests } : {}) }),
      );
      const placed = placeAll(pods, clusterOf(nodes, [], { siblings }), seed);
      expect(placed.sort()).toEqual(["n0", "n1", "n2"]);
    }
  });

  it("replaces a lost replica on the node that has none, even where more is free elsewhere", () => {
    const nodes = [makeNode("big", { allocatable: { cpu: "64", memory: "256Gi" } }), makeNode("small")];
    const siblings = (labels: Readonly<Record<string, string>> | undefined) => labels?.["app"] === "web";
    const running = [makePod("w0", { labels: { app: "web" }, node: "big" })];
    const cluster = clusterOf(nodes, running, { siblings });
    expect(pick(makePod("w1", { labels: { app: "web" } }), cluster)).toBe("small");
  });

  it("prefers the emptier node", () => {
    const running = [makePod("r", { node: "n0", requests: { cpu: "3", memory: "6Gi" } })];
    expect(pick(makePod("p"), clusterOf([makeNode("n0"), makeNode("n1")], running), () => 0.99)).toBe("n1");
  });

  it("prefers nodes without PreferNoSchedule taints, and nodes and neighbours that the pod wishes for", () => {
    const tainted = makeNode("n0", { spec: { taints: [{ key: "a", effect: "PreferNoSchedule" }] } });
    expect(pick(makePod("p"), clusterOf([tainted, makeNode("n1")]))).toBe("n1");

    const term = { matchExpressions: [{ key: zone, operator: "In", values: ["b"] }] };
    const wishes = {
      affinity: {
        nodeAffinity: { preferredDuringSchedulingIgnoredDuringExecution: [{ weight: 1, preference: term }] },
      },
    };
    const zones = ["a", "b"].map((name) => makeNode(name, { labels: { [zone]: name } }));
    expect(pick(makePod("p", { spec: wishes }), clusterOf(zones))).toBe("b");

    const podAffinityTerm = { topologyKey: zone, labelSelector: { matchLabels: { app: "cache" } } };
    const near = {
      affinity: {
        podAffinity: { preferredDuringSchedulingIgnoredDuringExecution: [{ weight: 100, podAffinityTerm }] },
      },
    };
    const cache = makePod("cache", { labels: { app: "cache" }, node: "b" });
    expect(pick(makePod("p", { spec: near }), clusterOf(zones, [cache]))).toBe("b");
    const far = { affinity: { podAntiAffinity: near.affinity.podAffinity } };
    expect(pick(makePod("p", { spec: far }), clusterOf(zones, [cache]), () => 0.99)).toBe("a");
  });
});

describe("podRequests", () => {
  it("takes the peak of initialisation where it is larger, sidecars counted throughout, and the overhead", () => {
    const container = (cpu: string, restartPolicy?: string) => ({
      name: "c",
      resources: { requests: { cpu } },
      ...(restartPolicy ? { restartPolicy } : {}),
    });
    const pod = makePod("p", {
      spec: {
        initContainers: [container("100m", "Always"), container("900m")],
        containers: [container("200m"), container("300m")],
        overhead: { cpu: "50m" },
      },
    });
    expect(podRequests(pod)).toEqual({ cpu: 1050 });
  });
});
