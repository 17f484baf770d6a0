import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Pod, StatefulSet } from "../../../../src/api/generated/types.ts";
import { revisionData } from "../../../../src/controllers/shared/revisions.ts";
import { draftReplica } from "../../../../src/controllers/stateful-set/draft-replica.ts";
import { identityLabels, ordinalOf, podName } from "../../../../src/controllers/stateful-set/identity.ts";
import {
  maxUnavailable,
  planStatefulSet,
  type Revision,
  type StatefulPlan,
} from "../../../../src/controllers/stateful-set/plan.ts";
import { statefulStatus } from "../../../../src/controllers/stateful-set/status.ts";
import { makePod } from "../objects.ts";
import { makeStatefulSet } from "../workloads.ts";

const NOW = Date.UTC(2026, 0, 2);
const revision = (name: string, image = name): Revision => ({
  metadata: { name, uid: name, resourceVersion: "1", creationTimestamp: "2026-01-01T00:00:00Z" },
  data: revisionData(makeStatefulSet("web", { image }).spec.template),
  revision: 1,
});
const OLD = revision("web-old");
const NEW = revision("web-new");

type State = "ready" | "unready" | "terminating" | "Failed" | "Succeeded";
function replica(set: StatefulSet, ordinal: number, state: State = "ready", of: Revision = NEW): Pod {
  const over = state === "Failed" || state === "Succeeded";
  return makePod(podName(set, ordinal), {
    labels: { app: "web", ...identityLabels(set, ordinal), "controller-revision-hash": of.metadata.name },
    node: "n1",
    ready: state === "ready",
    terminating: state === "terminating",
    ...(over ? { phase: state } : {}),
  });
}

const plan = (set: StatefulSet, pods: readonly Pod[], current = OLD) =>
  planStatefulSet({ set, currentRevision: current, updateRevision: NEW, pods, nowMs: NOW });
/** `+0 web-new` for a pod made, `-2 update` for one deleted. */
const steps = (set: StatefulSet, { create, remove }: StatefulPlan) => [
  ...create.map(({ ordinal, revision: { metadata } }) => `+${ordinal} ${metadata.name}`),
  ...remove.map(({ pod, why }) => `-${ordinalOf(set, pod)} ${why}`),
];

describe("OrderedReady", () => {
  const web = makeStatefulSet("web");
  test.each<[string, StatefulSet, Pod[], string[]]>([
    ["begins with the first", web, [], ["+0 web-new"]],
    ["waits while one is not ready", web, [replica(web, 0, "unready")], []],
    ["goes on with the next", web, [replica(web, 0)], ["+1 web-new"]],
    ["fills a gap before it goes on", web, [replica(web, 0), replica(web, 2)], ["+1 web-new"]],
    [
      "waits for one that is going",
      web,
      [replica(web, 0, "terminating"), replica(web, 1), replica(web, 2)],
      [],
    ],
    ["replaces one that has failed", web, [replica(web, 0, "Failed"), replica(web, 1)], ["-0 failed"]],
    ["replaces one that has ended", web, [replica(web, 0, "Succeeded")], ["-0 succeeded"]],
    [
      "takes the highest surplus one",
      makeStatefulSet("web", { replicas: 1 }),
      [0, 1, 2].map((ordinal) => replica(web, ordinal)),
      ["-2 surplus"],
    ],
    [
      "takes no surplus one while a wanted one is down",
      makeStatefulSet("web", { replicas: 1 }),
      [replica(web, 0, "unready"), replica(web, 1), replica(web, 2)],
      [],
    ],
    [
      "takes the next surplus one only when the last is gone",
      makeStatefulSet("web", { replicas: 1 }),
      [replica(web, 0), replica(web, 1), replica(web, 2, "terminating")],
      [],
    ],
    [
      "leaves an unready surplus one while a lower one is unready",
      makeStatefulSet("web", { replicas: 1 }),
      [replica(web, 0), replica(web, 1, "unready"), replica(web, 2, "unready")],
      [],
    ],
    [
      "takes a broken surplus one that is the lowest broken",
      makeStatefulSet("web", { replicas: 1 }),
      [replica(web, 0), replica(web, 1), replica(web, 2, "unready")],
      ["-2 surplus"],
    ],
    [
      "begins where spec.ordinals says",
      makeStatefulSet("web", { ordinals: { start: 5 } }),
      [replica(web, 0), replica(web, 5)],
      ["+6 web-new"],
    ],
    [
      "takes what is below the first ordinal when all wanted ones are there",
      makeStatefulSet("web", { replicas: 1, ordinals: { start: 5 } }),
      [replica(web, 0), replica(web, 5)],
      ["-0 surplus"],
    ],
  ])("%s", (_what, set, pods, expected) => {
    expect(steps(set, plan(set, pods))).toEqual(expected);
  });

  test("waits until a pod was ready for minReadySeconds", () => {
    const slow = makeStatefulSet("web", { minReadySeconds: 3 * 24 * 3600 });
    expect(steps(slow, plan(slow, [replica(slow, 0)]))).toEqual([]);
  });

  test("does nothing for a set that is going", () => {
    const going = { ...web, metadata: { ...web.metadata, deletionTimestamp: "2026-01-01T00:00:00Z" } };
    expect(steps(web, plan(going, []))).toEqual([]);
  });
});

describe("Parallel", () => {
  const web = makeStatefulSet("web", { podManagementPolicy: "Parallel" });
  test("makes all at once and takes all surplus ones at once", () => {
    expect(steps(web, plan(web, [replica(web, 1, "unready")]))).toEqual(["+0 web-new", "+2 web-new"]);
    const small = makeStatefulSet("web", { podManagementPolicy: "Parallel", replicas: 1 });
    expect(
      steps(
        small,
        plan(
          small,
          [0, 1, 2].map((ordinal) => replica(web, ordinal)),
        ),
      ),
    ).toEqual(["-2 surplus", "-1 surplus"]);
  });

  test("replaces a broken pod of an old revision in the rollout, which OrderedReady leaves to the user", () => {
    const pods = [
      replica(web, 0, "ready", OLD),
      replica(web, 1, "ready", OLD),
      replica(web, 2, "unready", OLD),
    ];
    expect(steps(web, plan(web, pods))).toEqual(["-2 update"]);
    expect(steps(web, plan(makeStatefulSet("web"), pods))).toEqual([]);
  });
});

describe("a rolling update", () => {
  const all = (set: StatefulSet, ...revisions: Revision[]) =>
    revisions.map((one, ordinal) => replica(set, ordinal, "ready", one));
  test.each<[string, Parameters<typeof makeStatefulSet>[1], Revision[], string[]]>([
    ["begins with the highest", {}, [OLD, OLD, OLD], ["-2 update"]],
    ["goes down", {}, [OLD, OLD, NEW], ["-1 update"]],
    ["is over when all are new", {}, [NEW, NEW, NEW], []],
    ["stops at the partition", { partition: 2 }, [OLD, OLD, NEW], []],
    ["counts the partition from the first ordinal", { partition: 3 }, [OLD, OLD, OLD], []],
    ["leaves all to the user with OnDelete", { updateStrategy: { type: "OnDelete" } }, [OLD, OLD, OLD], []],
    [
      "takes as many at once as may be unavailable",
      { updateStrategy: { type: "RollingUpdate", rollingUpdate: { partition: 0, maxUnavailable: 2 } } },
      [OLD, OLD, OLD],
      ["-2 update", "-1 update"],
    ],
  ])("%s", (_what, spec, revisions, expected) => {
    const set = makeStatefulSet("web", spec);
    expect(steps(set, plan(set, all(set, ...revisions)))).toEqual(expected);
  });

  test("brings a lost pod below the partition back as it was, and with OnDelete as it should be", () => {
    const set = makeStatefulSet("web", { partition: 1 });
    expect(steps(set, plan(set, all(set, OLD, OLD, NEW).slice(1)))).toEqual(["+0 web-old"]);
    const manual = makeStatefulSet("web", { updateStrategy: { type: "OnDelete" } });
    expect(steps(manual, plan(manual, all(manual, OLD, OLD, OLD).slice(1)))).toEqual(["+0 web-new"]);
  });

  test("rounds a percentage down, but lets one go", () => {
    const most = (value: number | string, replicas: number) =>
      maxUnavailable(
        makeStatefulSet("web", {
          replicas,
          updateStrategy: { type: "RollingUpdate", rollingUpdate: { maxUnavailable: value } },
        }),
      );
    expect([most("50%", 5), most("10%", 5), most(3, 2)]).toEqual([2, 1, 3]);
  });
});

test("a pod that lost its labels gets them back", () => {
  const web = makeStatefulSet("web", { replicas: 1 });
  const pod = replica(web, 0);
  delete pod.metadata.labels?.["statefulset.kubernetes.io/pod-name"];
  expect(plan(web, [pod]).relabel).toEqual([{ pod, labels: identityLabels(web, 0) }]);
});

test("ordinals are read from names of this set only", () => {
  const web = makeStatefulSet("web");
  const named = (name: string) => ordinalOf(web, makePod(name));
  expect([
    named("web-0"),
    named("web-12"),
    named("web-x-1"),
    named("web-01"),
    named("web-"),
    named("db-1"),
  ]).toEqual([0, 12, undefined, undefined, undefined, undefined]);
});

test("a replica has its name, hostname, subdomain and labels", () => {
  const web = makeStatefulSet("web");
  const { metadata, spec } = draftReplica(web, 1, NEW);
  expect(metadata).toMatchObject({
    name: "web-1",
    labels: {
      app: "web",
      "apps.kubernetes.io/pod-index": "1",
      "controller-revision-hash": "web-new",
      "statefulset.kubernetes.io/pod-name": "web-1",
    },
    ownerReferences: [{ kind: "StatefulSet", name: "web", controller: true }],
  });
  expect(metadata).not.toHaveProperty("generateName");
  expect(spec).toMatchObject({ hostname: "web-1", subdomain: "web", containers: [{ image: "web-new" }] });
});

describe("by itself", () => {
  /** Plays controller, kubelet and chaos in turn; gives every plan to `check`. */
  function play(
    set: StatefulSet,
    start: Pod[],
    moves: number[],
    check: (plan: StatefulPlan, pods: Pod[]) => void,
  ) {
    let pods = start;
    const step = () => {
      const next = plan(set, pods);
      check(next, pods);
      const gone = new Set(next.remove.map(({ pod }) => pod));
      pods = [
        ...pods.filter((pod) => !gone.has(pod)),
        ...next.create.map(({ ordinal, revision: of }) => replica(set, ordinal, "unready", of)),
      ];
      return next.create.length + next.remove.length;
    };
    for (const move of moves) {
      step();
      const victim = pods[move % Math.max(1, pods.length)];
      if (!victim) continue;
      const ordinal = ordinalOf(set, victim)!;
      const of = victim.metadata.labels?.["controller-revision-hash"] === "web-new" ? NEW : OLD;
      const states: State[] = ["ready", "unready", "Failed", "ready"];
      const rest = pods.filter((pod) => pod !== victim);
      pods = move % 5 === 4 ? rest : [...rest, replica(set, ordinal, states[move % 4], of)];
    }
    // Then peace: everything becomes ready, until nothing is left to do.
    for (let turn = 0; turn < 200; turn++) {
      pods = pods.map((pod) =>
        pod.status?.phase === "Failed"
          ? pod
          : replica(
              set,
              ordinalOf(set, pod)!,
              "ready",
              pod.metadata.labels?.["controller-revision-hash"] === "web-new" ? NEW : OLD,
            ),
      );
      if (step() === 0) return pods;
    }
    throw new Error("does not come to rest");
  }

  const cases = fc.record({
    replicas: fc.nat(6),
    start: fc.nat(3),
    partition: fc.nat(7),
    most: fc.integer({ min: 1, max: 3 }),
    parallel: fc.boolean(),
    there: fc.nat(7),
    moves: fc.array(fc.nat(1000), { maxLength: 30 }),
  });

  test("always ends with exactly the wanted ordinals, each once and of the right revision, whatever befell the pods", () => {
    fc.assert(
      fc.property(cases, ({ replicas, start, partition, most, parallel, there, moves }) => {
        const set = makeStatefulSet("web", {
          replicas,
          ordinals: { start },
          podManagementPolicy: parallel ? "Parallel" : "OrderedReady",
          updateStrategy: { type: "RollingUpdate", rollingUpdate: { partition, maxUnavailable: most } },
        });
        const before = Array.from({ length: there }, (_, ordinal) => replica(set, ordinal, "ready", OLD));
        const after = play(set, before, moves, ({ create, remove }, pods) => {
          const names = [
            ...pods.map(({ metadata }) => metadata.name),
            ...create.map(({ ordinal }) => podName(set, ordinal)),
          ];
          expect(new Set(names).size).toBe(names.length);
          if (!parallel)
            expect(create.length + remove.filter(({ why }) => why !== "update").length).toBeLessThanOrEqual(
              1,
            );
          const ordinals = remove.map(({ pod }) => ordinalOf(set, pod)!);
          if (!parallel) expect(ordinals).toEqual([...ordinals].sort((a, b) => b - a));
        });
        const ordinals = after.map((pod) => ordinalOf(set, pod)!).sort((a, b) => a - b);
        expect(ordinals).toEqual(Array.from({ length: replicas }, (_, index) => start + index));
        for (const pod of after)
          if (ordinalOf(set, pod)! >= start + partition)
            expect(pod.metadata.labels?.["controller-revision-hash"]).toBe("web-new");
      }),
    );
  });

  test("an update never takes an available pod while maxUnavailable are down", () => {
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom<State>("ready", "unready", "terminating"), { minLength: 1, maxLength: 8 }),
        fc.array(fc.boolean(), { minLength: 8, maxLength: 8 }),
        fc.integer({ min: 1, max: 4 }),
        (states, isNew, most) => {
          const set = makeStatefulSet("web", {
            replicas: states.length,
            podManagementPolicy: "Parallel",
            updateStrategy: { type: "RollingUpdate", rollingUpdate: { maxUnavailable: most } },
          });
          const pods = states.map((state, ordinal) =>
            replica(set, ordinal, state, isNew[ordinal] ? NEW : OLD),
          );
          const { remove } = plan(set, pods);
          const down = states.filter((state) => state !== "ready").length;
          const taken = remove.filter(({ pod }) => states[ordinalOf(set, pod)!] === "ready").length;
          expect(down + taken).toBeLessThanOrEqual(Math.max(down, most));
        },
      ),
    );
  });
});

describe("the status", () => {
  const status = (set: StatefulSet, pods: Pod[], current = OLD) =>
    statefulStatus({ set, currentRevision: current, updateRevision: NEW, pods, nowMs: NOW }, 0);
  const web = makeStatefulSet("web");

  test("counts each revision while an update runs", () => {
    const pods = [
      replica(web, 0, "ready", OLD),
      replica(web, 1, "ready", OLD),
      replica(web, 2, "unready", NEW),
    ];
    expect(status(web, pods)).toEqual({
      availableReplicas: 2,
      collisionCount: 0,
      currentReplicas: 2,
      currentRevision: "web-old",
      observedGeneration: 1,
      readyReplicas: 2,
      replicas: 3,
      updateRevision: "web-new",
      updatedReplicas: 1,
    });
  });

  test("makes the new revision the current one when all pods are of it and ready", () => {
    const pods = [0, 1, 2].map((ordinal) => replica(web, ordinal));
    expect(status(web, pods)).toMatchObject({
      currentReplicas: 3,
      currentRevision: "web-new",
      updatedReplicas: 3,
      updateRevision: "web-new",
    });
    expect(status(web, pods.slice(1))).toMatchObject({ currentRevision: "web-old", updatedReplicas: 2 });
  });
});
