import { describe, expect, it } from "vitest";
import type { CronJob, CronJobSpec, Job, JobSpec } from "../../../../src/api/generated/types.ts";
import { cronJobKind } from "../../../../src/api/kinds/cron-job.ts";
import { jobKind } from "../../../../src/api/kinds/job.ts";
import type { Draft } from "../../../../src/api/object.ts";
import { cells, stored, told } from "./examples.ts";

const pod = { restartPolicy: "Never", containers: [{ name: "c", image: "busybox" }] };

function job(spec: Draft<JobSpec> = {}, more: Draft<Job> = {}): Job {
  const made = stored(jobKind, "pi", { ...more, spec: { template: { spec: pod }, ...spec } });
  jobKind.prepareCreate?.(made);
  return made;
}

describe("Job", () => {
  it("is defaulted as Kubernetes does", () => {
    expect(job().spec).toMatchObject({
      completions: 1,
      parallelism: 1,
      backoffLimit: 6,
      completionMode: "NonIndexed",
      suspend: false,
      manualSelector: false,
      podReplacementPolicy: "TerminatingOrFailed",
      selector: { matchLabels: { "batch.kubernetes.io/controller-uid": "u" } },
    });
    expect(job({ parallelism: 3 }).spec.completions).toBeUndefined();
    expect(job({ completions: 3 }).spec.parallelism).toBe(1);
    const perIndex = { completionMode: "Indexed", completions: 2, backoffLimitPerIndex: 1 };
    expect(job(perIndex).spec.backoffLimit).toBe(2 ** 31 - 1);
    expect(told(jobKind, job())).toEqual([]);
  });

  it("gets labels that tell its pods apart, and keeps those that it was given", () => {
    const labels = {
      "batch.kubernetes.io/controller-uid": "u",
      "batch.kubernetes.io/job-name": "pi",
      "controller-uid": "u",
      "job-name": "pi",
    };
    expect(job().spec.template.metadata?.labels).toEqual(labels);
    expect(job().metadata.labels).toEqual(labels);
    const labelled = job({ template: { metadata: { labels: { app: "a" } }, spec: pod } });
    expect(labelled.spec.template.metadata?.labels).toEqual({ ...labels, app: "a" });
  });

  it("takes its own selector only when it is told to", () => {
    const selector = { matchLabels: { app: "a" } };
    const template = { metadata: { labels: { app: "a" } }, spec: pod };
    expect(told(jobKind, job({ selector, template, manualSelector: true }))).toEqual([]);
    expect(told(jobKind, job({ selector, template }))).toEqual([
      'spec.selector: Invalid value: {"matchLabels":{"batch.kubernetes.io/controller-uid":"u","app":"a"}}: `selector` not auto-generated',
    ]);
  });

  const rule = (more: object) => ({ podFailurePolicy: { rules: [{ action: "Ignore", ...more }] } });
  const indexed = { completionMode: "Indexed", completions: 3 };
  it.each<[string, Draft<JobSpec>, string[]]>([
    [
      "no restart policy",
      { template: { spec: { containers: pod.containers } } },
      ['spec.template.spec.restartPolicy: Required value: valid values: "OnFailure", "Never"'],
    ],
    [
      "negative counts",
      { parallelism: -1, backoffLimit: -2 },
      [
        "spec.parallelism: Invalid value: -1: must be greater than or equal to 0",
        "spec.backoffLimit: Invalid value: -2: must be greater than or equal to 0",
      ],
    ],
    [
      "Indexed without completions",
      { completionMode: "Indexed", parallelism: 1 },
      ["spec.completions: Required value: when completion mode is Indexed"],
    ],
    [
      "limits per index of a Job without indexes",
      { maxFailedIndexes: 1 },
      [
        "spec.backoffLimitPerIndex: Required value: when maxFailedIndexes is specified",
        "spec.maxFailedIndexes: Invalid value: 1: requires indexed completion mode",
      ],
    ],
    [
      "an unknown replacement policy",
      { podReplacementPolicy: "Never" },
      [
        'spec.podReplacementPolicy: Unsupported value: "Never": supported values: "Failed", "TerminatingOrFailed"',
      ],
    ],
    [
      "a rule without a reason",
      rule({}),
      [
        "spec.podFailurePolicy.rules[0]: Invalid value: specifying one of OnExitCodes and OnPodConditions is required",
      ],
    ],
    [
      "exit codes that cannot be",
      rule({ onExitCodes: { operator: "In", containerName: "x", values: [3, 0, 3] } }),
      [
        'spec.podFailurePolicy.rules[0].onExitCodes.containerName: Invalid value: "x": must be one of the container or initContainer names in the pod template',
        "spec.podFailurePolicy.rules[0].onExitCodes.values[1]: Invalid value: 0: must not be 0 for the In operator",
        "spec.podFailurePolicy.rules[0].onExitCodes.values[2]: Duplicate value: 3",
        "spec.podFailurePolicy.rules[0].onExitCodes.values: Invalid value: [3,0,3]: must be ordered",
      ],
    ],
    [
      "FailIndex without a limit per index",
      rule({ action: "FailIndex", onExitCodes: { operator: "In", values: [1] } }),
      [
        'spec.podFailurePolicy.rules[0].action: Invalid value: "FailIndex": requires the backoffLimitPerIndex to be set',
      ],
    ],
    [
      "a success policy without indexes",
      { successPolicy: { rules: [{ succeededCount: 1 }] } },
      [
        'spec.successPolicy: Invalid value: {"rules":[{"succeededCount":1}]}: requires indexed completion mode',
      ],
    ],
    [
      "success rules that cannot be met",
      { ...indexed, successPolicy: { rules: [{}, { succeededIndexes: "0-4" }, { succeededCount: 9 }] } },
      [
        "spec.successPolicy.rules[0]: Required value: at least one of succeededCount or succeededIndexes must be specified",
        'spec.successPolicy.rules[1].succeededIndexes: Invalid value: "0-4": error parsing succeededIndexes: too large index: "4"',
        "spec.successPolicy.rules[2].succeededCount: Invalid value: 9: must be less than or equal to 3 (the number of specified completions)",
      ],
    ],
  ])("refuses %s", (_what, spec, expected) => {
    expect(told(jobKind, job(spec))).toEqual(expected);
  });

  it("keeps what must not change", () => {
    const image = { ...pod, containers: [{ name: "c", image: "alpine" }] };
    expect(told(jobKind, job({ template: { spec: image }, completions: 2 }), job())).toEqual([
      "spec.completions: Invalid value: 2: field is immutable",
      expect.stringMatching(/^spec\.template: Invalid value: .*: field is immutable$/),
    ]);
    expect(told(jobKind, job({ parallelism: 7, completions: 1, suspend: true }), job())).toEqual([]);
  });

  it("lets an Indexed Job grow with its parallelism, and a suspended one be placed anew", () => {
    const grown = { ...indexed, completions: 5 };
    expect(told(jobKind, job({ ...grown, parallelism: 5 }), job(indexed))).toEqual([]);
    expect(told(jobKind, job({ ...grown, parallelism: 4 }), job(indexed))).toEqual([
      "spec.completions: Invalid value: 5: can only be modified in tandem with spec.parallelism",
    ]);
    const placed = job({ suspend: true, template: { spec: { ...pod, nodeSelector: { disk: "ssd" } } } });
    expect(told(jobKind, placed, job({ suspend: true }))).toEqual([]);
    expect(told(jobKind, placed, job())).toHaveLength(1);
  });

  it("is shown as kubectl shows it", () => {
    const startTime = "2026-01-02T03:04:05Z";
    const nowMs = Date.parse(startTime) + 90_000;
    const running = { ...job({ completions: 4 }), status: { succeeded: 1, startTime } };
    expect(cells(jobKind, running, nowMs)).toMatchObject({
      Status: "Running",
      Completions: "1/4",
      Duration: "90s",
      Containers: "c",
    });
    const ended = {
      ...job({ parallelism: 3 }),
      status: {
        succeeded: 2,
        startTime,
        completionTime: "2026-01-02T03:04:10Z",
        conditions: [{ type: "Complete", status: "True" }],
      },
    };
    expect(cells(jobKind, ended, nowMs)).toMatchObject({
      Status: "Complete",
      Completions: "2/1 of 3",
      Duration: "5s",
    });
  });
});

describe("CronJob", () => {
  const cronJob = (spec: Draft<CronJobSpec> = {}, name = "hello"): CronJob =>
    stored(cronJobKind, name, {
      spec: { schedule: "*/5 * * * *", jobTemplate: { spec: { template: { spec: pod } } }, ...spec },
    });

  it("is defaulted as Kubernetes does, its Jobs only when they are made", () => {
    const { spec } = cronJob();
    expect(spec).toMatchObject({
      concurrencyPolicy: "Allow",
      suspend: false,
      successfulJobsHistoryLimit: 3,
      failedJobsHistoryLimit: 1,
    });
    expect(Object.keys(spec.jobTemplate.spec ?? {})).toEqual(["template"]);
    expect(spec.jobTemplate.spec?.template.spec?.schedulerName).toBe("default-scheduler");
    expect(told(cronJobKind, cronJob())).toEqual([]);
  });

  it.each<[string, Draft<CronJobSpec>, string[]]>([
    ["no schedule", { schedule: "" }, ["spec.schedule: Required value"]],
    [
      "a schedule of four fields",
      { schedule: "* * * *" },
      ['spec.schedule: Invalid value: "* * * *": expected exactly 5 fields, found 4: [* * * *]'],
    ],
    [
      "a zone in the schedule",
      { schedule: "TZ=UTC 0 * * * *" },
      [
        'spec.schedule: Invalid value: "TZ=UTC 0 * * * *": cannot use TZ or CRON_TZ in schedule, use timeZone field instead',
      ],
    ],
    [
      "a zone that does not exist",
      { timeZone: "Europe/Atlantis" },
      ['spec.timeZone: Invalid value: "Europe/Atlantis": unknown time zone Europe/Atlantis'],
    ],
    [
      "an unknown policy",
      { concurrencyPolicy: "Queue" },
      ['spec.concurrencyPolicy: Unsupported value: "Queue": supported values: "Allow", "Forbid", "Replace"'],
    ],
    [
      "negative numbers",
      { startingDeadlineSeconds: -1, failedJobsHistoryLimit: -1 },
      [
        "spec.startingDeadlineSeconds: Invalid value: -1: must be greater than or equal to 0",
        "spec.failedJobsHistoryLimit: Invalid value: -1: must be greater than or equal to 0",
      ],
    ],
    [
      "a restart policy that Jobs do not have",
      { jobTemplate: { spec: { template: { spec: { ...pod, restartPolicy: "Always" } } } } },
      [
        'spec.jobTemplate.spec.template.spec.restartPolicy: Required value: valid values: "OnFailure", "Never"',
      ],
    ],
  ])("refuses %s", (_what, spec, errors) => {
    expect(told(cronJobKind, cronJob(spec))).toEqual(errors);
  });

  it("refuses a name that its Jobs could not carry on", () => {
    expect(told(cronJobKind, cronJob({}, "a".repeat(52)))).toEqual([]);
    const name = "a".repeat(53);
    expect(told(cronJobKind, cronJob({}, name))).toEqual([
      `metadata.name: Invalid value: "${name}": must be no more than 52 characters`,
    ]);
  });

  it("is shown as kubectl shows it", () => {
    const shown = cronJob({ timeZone: "Etc/UTC", suspend: true });
    shown.status = { active: [{ name: "hello-1" }] };
    expect(cells(cronJobKind, shown)).toMatchObject({
      Schedule: "*/5 * * * *",
      Timezone: "Etc/UTC",
      Suspend: "True",
      Active: 1,
      "Last Schedule": "<none>",
      Containers: "c",
      Images: "busybox",
      Selector: "<none>",
    });
  });
});
