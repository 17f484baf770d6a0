import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Deployment, ReplicaSet } from "../../../../src/api/generated/types.ts";
import { fenceposts } from "../../../../src/controllers/deployment/fenceposts.ts";
import { revisionOf, sizeAnnotations } from "../../../../src/controllers/deployment/revision.ts";
import {
  isScalingEvent,
  planHistory,
  planRollingUpdate,
  planScale,
  type Scale,
  sizeOf,
} from "../../../../src/controllers/deployment/scaling.ts";
import { makeDeployment, makeReplicaSet } from "../workloads.ts";

const rolling = (replicas: number, maxSurge: number | string, maxUnavailable: number | string): Deployment =>
  makeDeployment("web", {
    replicas,
    strategy: { type: "RollingUpdate", rollingUpdate: { maxSurge, maxUnavailable } },
  });

describe("fenceposts", () => {
  test.each([
    [10, "25%", "25%", 3, 2],
    [1, "25%", "25%", 1, 0],
    [3, "25%", "25%", 1, 0],
    [4, "25%", "25%", 1, 1],
    [3, 0, 0, 0, 1],
    [3, "0%", "10%", 0, 1],
    [2, 1, 5, 1, 2],
    [0, "50%", "50%", 0, 0],
  ])(
    "%i replicas, surge %s, unavailable %s: %i and %i",
    (replicas, surge, unavailable, maxSurge, maxUnavailable) => {
      expect(fenceposts(rolling(replicas, surge, unavailable))).toEqual({ maxSurge, maxUnavailable });
    },
  );
});

/** The sets of one Deployment and what runs of each: pods become available, break and go as the test likes. */
interface World {
  deployment: Deployment;
  sets: ReplicaSet[];
}

const withSize = (set: ReplicaSet, replicas: number, available: number): ReplicaSet => ({
  ...set,
  spec: { ...set.spec, replicas },
  status: { ...set.status, replicas, availableReplicas: available },
});
const total = (sets: readonly ReplicaSet[], count: (set: ReplicaSet) => number) =>
  sets.reduce((sum, set) => sum + count(set), 0);
const availableOf = (set: ReplicaSet) => set.status?.availableReplicas ?? 0;

function apply(world: World, scales: readonly Scale[]): void {
  for (const { replicaSet, replicas } of scales) {
    const index = world.sets.findIndex(({ metadata }) => metadata.name === replicaSet.metadata.name);
    const set = world.sets[index]!;
    // A ReplicaSet that shrinks lets go of pods that are not ready first.
    const unready = sizeOf(set) - availableOf(set);
    const lost = Math.max(0, sizeOf(set) - replicas - unready);
    world.sets[index] = withSize(set, replicas, Math.min(replicas, availableOf(set) - lost));
  }
}

const plan = ({ deployment, sets }: World) => {
  const [current, ...old] = sets;
  return planRollingUpdate({ deployment, current: current!, old });
};

const percentOrCount = fc.oneof(
  fc.integer({ min: 0, max: 6 }),
  fc.integer({ min: 0, max: 100 }).map((n) => `${n}%`),
);
const rollouts = fc.record({
  replicas: fc.integer({ min: 0, max: 20 }),
  maxSurge: percentOrCount,
  maxUnavailable: percentOrCount,
  oldSizes: fc.array(fc.integer({ min: 0, max: 10 }), { maxLength: 3 }),
});

function begin({
  replicas,
  maxSurge,
  maxUnavailable,
  oldSizes,
}: typeof rollouts extends fc.Arbitrary<infer T> ? T : never): World {
  const old = oldSizes.map((size, i) => {
    const set = makeReplicaSet(`web-${i}`, { created: `2026-01-01T00:00:0${i}Z` });
    return withSize(set, size, size);
  });
  const current = withSize(makeReplicaSet("web-new"), 0, 0);
  return { deployment: rolling(replicas, maxSurge, maxUnavailable), sets: [current, ...old] };
}

describe("planRollingUpdate", () => {
  test("never wants more than the surge allows nor takes availability below the floor, and always ends", () => {
    fc.assert(
      fc.property(rollouts, fc.infiniteStream(fc.nat(3)), (spec, luck) => {
        const world = begin(spec);
        const { maxSurge, maxUnavailable } = fenceposts(world.deployment);
        const most = Math.max(total(world.sets, sizeOf), spec.replicas + maxSurge);
        const floor = Math.min(total(world.sets, availableOf), spec.replicas - maxUnavailable);
        for (let step = 0; ; step++) {
          expect(step).toBeLessThan(500);
          const before = total(world.sets, availableOf);
          const scales = plan(world);
          apply(world, scales);
          expect(total(world.sets, sizeOf)).toBeLessThanOrEqual(most);
          expect(total(world.sets, availableOf)).toBeGreaterThanOrEqual(Math.min(before, floor));
          const current = world.sets[0]!;
          const waiting = sizeOf(current) - availableOf(current);
          if (scales.length === 0 && waiting === 0) break;
          // Some of the new pods become available, in the end all.
          const more = Math.min(waiting, luck.next().value as number);
          world.sets[0] = withSize(current, sizeOf(current), availableOf(current) + more);
        }
        const [current, ...old] = world.sets;
        expect(sizeOf(current!)).toBe(spec.replicas);
        expect(total(old, sizeOf)).toBe(0);
      }),
      { numRuns: 500 },
    );
  });

  test("a template that never becomes available leaves enough of the old serving", () => {
    fc.assert(
      fc.property(rollouts, (spec) => {
        const world = begin({ ...spec, oldSizes: [spec.replicas] });
        const { maxUnavailable } = fenceposts(world.deployment);
        for (let step = 0; step < 100; step++) apply(world, plan(world));
        expect(total(world.sets, availableOf)).toBeGreaterThanOrEqual(spec.replicas - maxUnavailable);
      }),
    );
  });

  test("one step of 4 replicas with surge 1 and unavailable 1", () => {
    const world: World = {
      deployment: rolling(4, 1, 1),
      sets: [withSize(makeReplicaSet("web-new"), 1, 0), withSize(makeReplicaSet("web-old"), 4, 4)],
    };
    const sizes = () => plan(world).map(({ replicaSet, replicas }) => [replicaSet.metadata.name, replicas]);
    expect(sizes()).toEqual([["web-old", 3]]);
    apply(world, plan(world));
    expect(sizes()).toEqual([["web-new", 2]]);
  });

  test("old pods that serve nobody go first", () => {
    const world: World = {
      deployment: rolling(4, 1, 0),
      sets: [
        withSize(makeReplicaSet("web-new"), 1, 0),
        withSize(makeReplicaSet("web-a"), 2, 0),
        withSize(makeReplicaSet("web-b"), 4, 4),
      ],
    };
    expect(plan(world).map(({ replicaSet, replicas }) => [replicaSet.metadata.name, replicas])).toEqual([
      ["web-a", 0],
    ]);
  });
});

test("what is not yet available of the new counts against the old, also against those that serve nobody", () => {
  const current = withSize(makeReplicaSet("web-new"), 5, 0);
  const old = [withSize(makeReplicaSet("web-old"), 8, 6)];
  expect(planRollingUpdate({ deployment: rolling(10, 3, 2), current, old })).toEqual([]);
});

describe("planScale", () => {
  const annotated = (deployment: Deployment, name: string, size: number, created: string) => {
    const set = makeReplicaSet(name, { annotations: sizeAnnotations(deployment), created });
    return withSize(set, size, size);
  };

  test("the only active set takes the whole size", () => {
    const deployment = rolling(5, 1, 1);
    const current = withSize(makeReplicaSet("web"), 3, 3);
    expect(planScale({ deployment, current, old: [] })).toEqual([{ replicaSet: current, replicas: 5 }]);
    expect(planScale({ deployment: rolling(3, 1, 1), current, old: [] })).toEqual([]);
  });

  test("in the middle of a rollout the change is shared in proportion, and what rounding leaves goes to the largest", () => {
    const before = rolling(10, 3, 2);
    const old = annotated(before, "web-old", 8, "2026-01-01T00:00:00Z");
    const current = annotated(before, "web-new", 5, "2026-01-01T00:00:01Z");
    const deployment = rolling(15, 3, 2);
    expect(isScalingEvent({ deployment, current, old: [old] })).toBe(true);
    expect(isScalingEvent({ deployment: before, current, old: [old] })).toBe(false);
    // The example of Kubernetes' documentation: 10 to 15 replicas give the sets 3 and 2 more.
    expect(planScale({ deployment, current, old: [old] }).map(({ replicas }) => replicas)).toEqual([11, 7]);
  });

  test("shares add up to the size with its surge, whatever the sets had", () => {
    const sizes = fc.array(fc.integer({ min: 1, max: 20 }), { minLength: 2, maxLength: 4 });
    fc.assert(
      fc.property(sizes, fc.integer({ min: 1, max: 40 }), fc.nat(5), (each, replicas, surge) => {
        const before = rolling(
          each.reduce((sum, size) => sum + size, 0),
          0,
          1,
        );
        const [current, ...old] = each.map((size, i) =>
          annotated(before, `web-${i}`, size, `2026-01-01T00:00:0${i}Z`),
        );
        const scales = planScale({ deployment: rolling(replicas, surge, 1), current, old });
        expect(scales.reduce((sum, scale) => sum + scale.replicas, 0)).toBe(replicas + surge);
        expect(scales.every((scale) => scale.replicas >= 0)).toBe(true);
      }),
    );
  });

  test("scaling to zero empties every set", () => {
    const before = rolling(4, 1, 1);
    const current = annotated(before, "web-new", 2, "2026-01-01T00:00:01Z");
    const old = annotated(before, "web-old", 3, "2026-01-01T00:00:00Z");
    const scales = planScale({ deployment: rolling(0, 1, 1), current, old: [old] });
    expect(scales.map(({ replicas }) => replicas)).toEqual([0, 0]);
  });
});

test("history keeps the newest revisions and whatever still has pods", () => {
  const old = [1, 2, 3, 4].map((revision) => {
    const annotations = { "deployment.kubernetes.io/revision": String(revision) };
    const set = makeReplicaSet(`web-${revision}`, { annotations });
    return withSize(set, revision === 2 ? 1 : 0, 0);
  });
  const deployment = makeDeployment("web", { revisionHistoryLimit: 1 });
  expect(planHistory({ deployment, old }, revisionOf).map(({ metadata }) => metadata.name)).toEqual([
    "web-1",
    "web-3",
  ]);
  expect(planHistory({ deployment: makeDeployment("web"), old }, revisionOf)).toEqual([]);
});
