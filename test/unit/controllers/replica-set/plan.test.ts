import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Pod } from "../../../../src/api/generated/types.ts";
import { replicaSetFlavour } from "../../../../src/controllers/replica-set/flavour.ts";
import {
  BURST,
  planReplicas,
  replicaStatus,
  sameStatus,
} from "../../../../src/controllers/replica-set/plan.ts";
import { availableIn, nextAvailability } from "../../../../src/controllers/shared/pod-availability.ts";
import { podFromTemplate } from "../../../../src/controllers/shared/pod-from-template.ts";
import { leastUsefulFirst } from "../../../../src/controllers/shared/ranking.ts";
import { slowStart } from "../../../../src/controllers/shared/slow-start.ts";
import { makePod } from "../objects.ts";
import { makeReplicaSet, readyNow } from "../workloads.ts";

const NOW = Date.UTC(2026, 0, 2);
const ranking = { nowMs: NOW, podsOnNode: () => 1 };
const pods = (count: number) =>
  Array.from({ length: count }, (_, i) => makePod(`p${i}`, { node: "n1", ready: true }));

describe("planReplicas", () => {
  test("creates what is missing and removes what is too many, and after it exactly the wanted number is there", () => {
    fc.assert(
      fc.property(fc.nat(1200), fc.nat(1200), (wanted, present) => {
        const plan = planReplicas(makeReplicaSet("web", { replicas: wanted }), pods(present), ranking);
        expect(plan.create === 0 || plan.remove.length === 0).toBe(true);
        expect(Math.max(plan.create, plan.remove.length)).toBeLessThanOrEqual(BURST);
        const after = present + plan.create - plan.remove.length;
        if (Math.abs(wanted - present) <= BURST) expect(after).toBe(wanted);
        else expect(Math.abs(wanted - after)).toBe(Math.abs(wanted - present) - BURST);
      }),
      { numRuns: 50 },
    );
  });

  test("does nothing for an owner that is being deleted", () => {
    const leaving = makeReplicaSet("web");
    leaving.metadata.deletionTimestamp = "2026-01-01T00:00:00Z";
    expect(planReplicas(leaving, [], ranking)).toEqual({ create: 0, remove: [] });
  });
});

describe("leastUsefulFirst", () => {
  const order = (all: Pod[], podsOnNode: (node: string) => number = () => 1) =>
    leastUsefulFirst(all, { nowMs: NOW, podsOnNode }).map(({ metadata }) => metadata.name);
  const running = (name: string, change: (pod: Pod) => void = () => {}) => {
    const pod = makePod(name, { node: "n1", ready: true });
    change(pod);
    return pod;
  };

  test("unassigned, pending, not ready, then ready", () => {
    const all = [
      running("ready"),
      makePod("not-ready", { node: "n1", ready: false }),
      makePod("pending", { node: "n1" }),
      makePod("unassigned"),
    ];
    expect(order(all)).toEqual(["unassigned", "pending", "not-ready", "ready"]);
  });

  test("a lower deletion cost goes first, and text that is no number counts as 0", () => {
    const cost = (name: string, value: string) =>
      makePod(name, {
        node: "n1",
        ready: true,
        annotations: { "controller.kubernetes.io/pod-deletion-cost": value },
      });
    expect(order([cost("dear", "10"), cost("junk", "x"), cost("cheap", "-5")])).toEqual([
      "cheap",
      "junk",
      "dear",
    ]);
  });

  test("on the fullest node, then ready for the shortest time, then the one that restarted most", () => {
    const onTwo = makePod("doubled", { node: "n2", ready: true });
    expect(order([running("alone"), onTwo], (node) => (node === "n2" ? 2 : 1))).toEqual(["doubled", "alone"]);
    const fresh = running("fresh", (pod) => {
      pod.status = readyNow(NOW - 1000) as NonNullable<Pod["status"]>;
    });
    expect(order([running("old"), fresh])).toEqual(["fresh", "old"]);
    const crashing = running("crashing", (pod) => {
      pod.status = {
        ...pod.status,
        containerStatuses: [{ name: "c", image: "", imageID: "", ready: true, restartCount: 4 }],
      };
    });
    expect(order([running("steady"), crashing])).toEqual(["crashing", "steady"]);
  });

  test("is an order: the same whatever order it is given", () => {
    const arbitrary = fc.record({
      node: fc.constantFrom(undefined, "n1", "n2"),
      ready: fc.boolean(),
      age: fc.constantFrom(1000, 1500, 60_000),
    });
    fc.assert(
      fc.property(fc.array(arbitrary, { maxLength: 8 }), fc.infiniteStream(fc.nat()), (specs, seeds) => {
        const all = specs.map(({ node, ready, age }, i) => {
          const pod = makePod(`p${i}`, { ready, ...(node ? { node } : {}) });
          pod.metadata.creationTimestamp = new Date(NOW - age).toISOString();
          return pod;
        });
        const shuffled = all
          .map((pod) => ({ pod, at: seeds.next().value as number }))
          .sort((a, b) => a.at - b.at);
        expect(order(shuffled.map(({ pod }) => pod))).toEqual(order(all));
      }),
    );
  });
});

describe("replicaStatus", () => {
  test("counts pods that are labelled, ready and available, and leaves zeros out", () => {
    const web = makeReplicaSet("web", { minReadySeconds: 10 });
    const labels = { app: "web" };
    const young = makePod("young", { labels, node: "n1", ready: true });
    young.status = readyNow(NOW - 4000) as NonNullable<Pod["status"]>;
    const all = [makePod("a", { labels, ready: true }), young, makePod("b", { ready: false })];
    expect(replicaStatus(web, all, { nowMs: NOW })).toEqual({
      replicas: 3,
      fullyLabeledReplicas: 2,
      readyReplicas: 2,
      availableReplicas: 1,
      observedGeneration: 1,
    });
    expect(nextAvailability(all, web.spec, NOW)).toBe(6000);
    expect(availableIn(young, 10_000, NOW + 6000)).toBe(0);
    expect(replicaStatus(web, [], { nowMs: NOW })).toEqual({ replicas: 0, observedGeneration: 1 });
  });

  test("a failure is a condition, kept as it began and gone when it is over", () => {
    const web = makeReplicaSet("web");
    const failure = { reason: "FailedCreate", message: "no" } as const;
    const failed = replicaStatus(web, [], { failure, nowMs: NOW });
    expect(failed.conditions).toEqual([
      {
        type: "ReplicaFailure",
        status: "True",
        reason: "FailedCreate",
        message: "no",
        lastTransitionTime: "2026-01-02T00:00:00Z",
      },
    ]);
    const again = replicaStatus({ ...web, status: failed }, [], { failure, nowMs: NOW + 5000 });
    expect(sameStatus(failed, again)).toBe(true);
    expect(replicaStatus({ ...web, status: failed }, [], { nowMs: NOW }).conditions).toBeUndefined();
  });
});

test("a pod carries what its template says and who owns it", () => {
  const web = makeReplicaSet("web");
  expect(podFromTemplate(web, replicaSetFlavour.resource, web.spec.template!)).toEqual({
    metadata: {
      generateName: "web-",
      namespace: "default",
      labels: { app: "web" },
      ownerReferences: [
        {
          apiVersion: "apps/v1",
          kind: "ReplicaSet",
          name: "web",
          uid: "uid-web",
          controller: true,
          blockOwnerDeletion: true,
        },
      ],
    },
    spec: { containers: [{ name: "web", image: "nginx:1" }] },
  });
});

test("slow start doubles its rounds and stops after one with a failure", async () => {
  let started = 0;
  const succeed = async () => {
    started += 1;
  };
  expect(await slowStart(10, succeed)).toEqual([]);
  expect(started).toBe(10);
  started = 0;
  const fail = async () => {
    started += 1;
    if (started === 3) throw new Error("quota");
  };
  expect(await slowStart(500, fail)).toHaveLength(1);
  expect(started).toBe(3);
});
