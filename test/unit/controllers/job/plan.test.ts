import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Job, JobSpec, JobStatus, Pod } from "../../../../src/api/generated/types.ts";
import {
  countIndexes,
  formatIndexes,
  hasIndex,
  parseIndexes,
  withIndexes,
} from "../../../../src/api/index-set.ts";
import { timingOf } from "../../../../src/base/timing.ts";
import { NO_BACKOFF } from "../../../../src/controllers/job/backoff.ts";
import { planJob } from "../../../../src/controllers/job/plan.ts";
import { podOfJob } from "../../../../src/controllers/job/pods.ts";
import { surveyJob } from "../../../../src/controllers/job/survey.ts";
import { jobPod, makeJob, NOW } from "./jobs.ts";

const timing = timingOf("kubernetes");

function plan(job: Job, pods: readonly Pod[], { nowMs = NOW + 3_600_000, backoff = NO_BACKOFF } = {}) {
  return planJob(surveyJob(job, pods, backoff), { nowMs, timing });
}
const made = (job: Job, pods: readonly Pod[] = []) => plan(job, pods).create.map((place) => place?.index);
const reason = (job: Job, pods: readonly Pod[] = []) => plan(job, pods).end?.reason;
const failed = (uid: string, more: Parameters<typeof jobPod>[1] = {}) =>
  jobPod(uid, { phase: "Failed", exitCode: 1, ...more });
const done = (uid: string, more: Parameters<typeof jobPod>[1] = {}) =>
  jobPod(uid, { phase: "Succeeded", exitCode: 0, ...more });

describe("how many pods there are to be", () => {
  test.each<[string, Partial<JobSpec>, JobStatus, Pod[], number]>([
    ["one by default", {}, {}, [], 1],
    ["as many as may run at once", { completions: 10, parallelism: 4 }, {}, [], 4],
    ["no more than are missing", { completions: 10, parallelism: 4 }, { succeeded: 8 }, [], 2],
    ["those that run count", { completions: 10, parallelism: 4 }, {}, [jobPod("a"), jobPod("b")], 2],
    ["none of parallelism 0", { completions: 10, parallelism: 0 }, {}, [], 0],
    [
      "without completions, parallelism of them",
      { completions: undefined, parallelism: 3 } as never,
      {},
      [],
      3,
    ],
    [
      "without completions, none once one has succeeded",
      { completions: undefined, parallelism: 3 } as never,
      {},
      [done("a"), jobPod("b")],
      0,
    ],
    ["one that terminates is replaced", {}, {}, [jobPod("a", { terminating: true })], 1],
    [
      "with policy Failed only when it is down",
      { podReplacementPolicy: "Failed" },
      {},
      [jobPod("a", { terminating: true })],
      0,
    ],
  ])("%s", (_what, spec, status, pods, count) => {
    expect(plan(makeJob(spec, status), pods).create).toHaveLength(count);
  });

  test("too many are let go, without being counted", () => {
    const { remove, uncounted, create } = plan(makeJob({ completions: 5, parallelism: 1 }), [
      jobPod("a"),
      jobPod("b", { phase: "Pending" }),
    ]);
    expect(remove.map(({ metadata }) => metadata.uid)).toEqual(["b"]);
    expect([uncounted, create]).toEqual([true, []]);
  });

  test("a suspended Job has none", () => {
    const { remove, uncounted } = plan(makeJob({ suspend: true, parallelism: 2 }), [
      jobPod("a"),
      jobPod("b"),
    ]);
    expect([remove.length, uncounted]).toEqual([2, true]);
  });
});

describe("indexes", () => {
  const indexed = (spec: Partial<JobSpec> = {}, status: JobStatus = {}) =>
    makeJob({ completionMode: "Indexed", completions: 6, parallelism: 3, ...spec }, status);

  test("the first ones that are neither done nor running are made", () => {
    expect(made(indexed())).toEqual([0, 1, 2]);
    expect(made(indexed({}, { completedIndexes: "0,2" }), [jobPod("a", { index: 1 })])).toEqual([3, 4]);
    expect(made(indexed({ parallelism: 9 }, { completedIndexes: "1-4", succeeded: 4 }))).toEqual([0, 5]);
  });

  test("doubles, strays and those beyond the completions are removed first", () => {
    const pods = [
      jobPod("a", { index: 1 }),
      jobPod("b", { index: 1, phase: "Pending" }),
      jobPod("c", { index: 7 }),
      jobPod("d"),
    ];
    const { remove } = plan(indexed(), pods);
    expect(remove.map(({ metadata }) => metadata.uid).sort()).toEqual(["b", "c", "d"]);
  });

  test("with a limit of its own each index waits for itself and counts on", () => {
    const job = indexed({ backoffLimitPerIndex: 2, backoffLimit: 2 ** 31 - 1 });
    const pods = [failed("a", { index: 0, failures: 1, endedAt: 0 }), failed("b", { index: 2, failures: 2 })];
    // Index 0 has failed twice: 20 s; index 2 has failed for good.
    const early = plan(job, pods, { nowMs: NOW + 5_000 });
    expect(early.create).toEqual([
      { index: 1, failures: { counted: 0, ignored: 0 } },
      { index: 3, failures: { counted: 0, ignored: 0 } },
    ]);
    expect(early.againMs).toBe(15_000);
    expect(plan(job, pods, { nowMs: NOW + 20_000 }).create[0]).toEqual({
      index: 0,
      failures: { counted: 2, ignored: 0 },
    });
  });

  test("a pod of an index knows it", () => {
    const pod = podOfJob(indexed(), { index: 4, failures: { counted: 1, ignored: 2 } });
    expect(pod.metadata).toMatchObject({
      generateName: "pi-4-",
      finalizers: ["batch.kubernetes.io/job-tracking"],
      labels: { "job-name": "pi", "batch.kubernetes.io/job-completion-index": "4" },
      annotations: {
        "batch.kubernetes.io/job-completion-index": "4",
        "batch.kubernetes.io/job-index-failure-count": "1",
        "batch.kubernetes.io/job-index-ignored-failure-count": "2",
      },
    });
    expect(pod.spec?.hostname).toBe("pi-4");
    expect(pod.spec?.containers?.[0]?.env).toEqual([
      {
        name: "JOB_COMPLETION_INDEX",
        valueFrom: {
          fieldRef: {
            apiVersion: "v1",
            fieldPath: "metadata.labels['batch.kubernetes.io/job-completion-index']",
          },
        },
      },
    ]);
  });
});

describe("the end", () => {
  const exit = (action: string, values: number[]) => ({
    podFailurePolicy: { rules: [{ action, onExitCodes: { operator: "In", values } }] },
  });
  test.each<[string, Partial<JobSpec>, Pod[], string | undefined]>([
    ["failures up to the limit are borne", { backoffLimit: 2 }, [failed("a"), failed("b")], undefined],
    ["one more is too many", { backoffLimit: 1 }, [failed("a"), failed("b")], "BackoffLimitExceeded"],
    [
      "a deleted pod is a failure",
      { backoffLimit: 0 },
      [jobPod("a", { terminating: true })],
      "BackoffLimitExceeded",
    ],
    [
      "restarts count with OnFailure",
      {
        backoffLimit: 3,
        template: { spec: { restartPolicy: "OnFailure", containers: [] } },
      },
      [jobPod("a", { restarts: 3 })],
      "BackoffLimitExceeded",
    ],
    ["a rule fails the Job", exit("FailJob", [1]), [failed("a")], "PodFailurePolicy"],
    ["a rule that does not fit does not", exit("FailJob", [2]), [failed("a")], undefined],
    ["an ignored failure is none", { backoffLimit: 0, ...exit("Ignore", [1]) }, [failed("a")], undefined],
    [
      "the only index has failed",
      { completionMode: "Indexed", backoffLimitPerIndex: 0 },
      [failed("a", { index: 0 })],
      "FailedIndexes",
    ],
    [
      "too many indexes have failed",
      { completionMode: "Indexed", completions: 5, backoffLimitPerIndex: 0, maxFailedIndexes: 0 },
      [failed("a", { index: 0 })],
      "MaxFailedIndexesExceeded",
    ],
    [
      "a rule fails the index at once",
      { completionMode: "Indexed", backoffLimitPerIndex: 5, ...exit("FailIndex", [1]) },
      [failed("a", { index: 0 })],
      "FailedIndexes",
    ],
    [
      "a success rule is met",
      {
        completionMode: "Indexed",
        completions: 5,
        successPolicy: { rules: [{ succeededIndexes: "1-3", succeededCount: 2 }] },
      },
      [done("a", { index: 1 }), done("b", { index: 3 })],
      "SuccessPolicy",
    ],
    [
      "a success rule is not met by others",
      { completionMode: "Indexed", completions: 5, successPolicy: { rules: [{ succeededIndexes: "1" }] } },
      [done("a", { index: 0 })],
      undefined,
    ],
  ])("%s", (_what, spec, pods, expected) => {
    expect(reason(makeJob(spec), pods)).toBe(expected);
  });

  test("says which container failed with what", () => {
    expect(plan(makeJob(exit("FailJob", [42])), [failed("a", { exitCode: 42 })]).end?.message).toBe(
      "Container c for pod default/a failed with exit code 42 matching FailJob rule at index 0",
    );
  });

  test("comes when the deadline has passed, and is looked out for before", () => {
    const job = makeJob({ activeDeadlineSeconds: 60 }, { startTime: new Date(NOW).toISOString() });
    expect(plan(job, [jobPod("a")], { nowMs: NOW + 20_000 }).againMs).toBe(40_000);
    expect(plan(job, [jobPod("a")], { nowMs: NOW + 60_000 }).end?.reason).toBe("DeadlineExceeded");
    const suspended = { ...job, spec: { ...job.spec, suspend: true } };
    expect(plan(suspended, [], { nowMs: NOW + 60_000 }).end).toBeUndefined();
  });
});

describe("the back-off", () => {
  test("doubles with each failure since the last success, up to ten minutes", () => {
    const job = makeJob({ backoffLimit: 100 });
    const waits = [1, 2, 3, 9].map((count) => {
      const pods = Array.from({ length: count }, (_, at) => failed(`p${at}`));
      return plan(job, pods, { nowMs: NOW }).againMs;
    });
    expect(waits).toEqual([10_000, 20_000, 40_000, 600_000]);
  });

  test("is over after a success", () => {
    const pods = [failed("a", { endedAt: 1 }), failed("b", { endedAt: 2 }), done("c", { endedAt: 3 })];
    expect(plan(makeJob({ completions: 2 }), pods, { nowMs: NOW + 3_000 }).create).toHaveLength(1);
  });
});

describe("sets of indexes", () => {
  test("are written as Kubernetes writes them", () => {
    expect(formatIndexes(withIndexes([], [7, 0, 1, 3, 4, 5]))).toBe("0,1,3-5,7");
    expect(formatIndexes(parseIndexes("0-2,x,3,9-12,4-", 11))).toBe("0-3,9,10");
  });

  test("hold exactly what was put in", () => {
    fc.assert(
      fc.property(
        fc.array(fc.nat(60)),
        fc.array(fc.nat(60)),
        fc.integer({ min: 1, max: 61 }),
        (a, b, limit) => {
          const set = withIndexes(withIndexes([], a), b);
          const truth = new Set([...a, ...b]);
          for (let index = 0; index <= 60; index++) expect(hasIndex(set, index)).toBe(truth.has(index));
          expect(countIndexes(set)).toBe(truth.size);
          expect(parseIndexes(formatIndexes(set), 61)).toEqual(set);
          expect(countIndexes(parseIndexes(formatIndexes(set), limit))).toBe(
            [...truth].filter((index) => index < limit).length,
          );
        },
      ),
    );
  });
});
