import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { CronJob, CronJobSpec, CronJobStatus, Job } from "../../../../src/api/generated/types.ts";
import { timestamp } from "../../../../src/base/clock.ts";
import { parseSchedule } from "../../../../src/base/cron-schedule.ts";
import { jobNameAt, oldJobs, planCronJob } from "../../../../src/controllers/cron-job/plan.ts";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const CREATED = Date.UTC(2026, 0, 2, 3, 4, 5);

function cronJob(spec: Partial<CronJobSpec> = {}, status: CronJobStatus = {}): CronJob {
  return {
    apiVersion: "batch/v1",
    kind: "CronJob",
    metadata: {
      name: "hello",
      uid: "uid-hello",
      resourceVersion: "1",
      creationTimestamp: timestamp(CREATED),
    },
    spec: { schedule: "0 * * * *", concurrencyPolicy: "Allow", jobTemplate: {}, ...spec },
    status,
  };
}

function job(
  name: string,
  { end, startMs = CREATED }: { end?: "Complete" | "Failed"; startMs?: number } = {},
): Job {
  return {
    apiVersion: "batch/v1",
    kind: "Job",
    metadata: { name, uid: `uid-${name}`, resourceVersion: "1", creationTimestamp: timestamp(startMs) },
    spec: { template: {} },
    status: {
      startTime: timestamp(startMs),
      ...(end === "Complete" ? { completionTime: timestamp(startMs + MINUTE) } : {}),
      ...(end ? { conditions: [{ type: end, status: "True" }] } : {}),
    },
  };
}
const active = (...names: string[]) => ({ active: names.map((name) => ({ name, uid: `uid-${name}` })) });

function plan(owner: CronJob, nowMs: number, jobs: readonly Job[] = []) {
  return planCronJob(owner, { jobs, schedule: parseSchedule(owner.spec.schedule), nowMs });
}
const dueAt = (time: string) => Date.parse(`2026-01-02T${time}Z`);

describe("which time is due", () => {
  const ranAt = (time: string) => ({ lastScheduleTime: `2026-01-02T${time}Z` });
  test.each<[string, Partial<CronJobSpec>, CronJobStatus, string, string | undefined]>([
    ["none before the first", {}, {}, "03:59:59", undefined],
    ["the first", {}, {}, "04:00:00", "04:00:00"],
    ["none twice", {}, ranAt("04:00:00"), "04:30:00", undefined],
    ["only the newest of those missed", {}, ranAt("04:00:00"), "09:30:00", "09:00:00"],
    ["none while suspended", { suspend: true }, {}, "04:00:00", undefined],
    ["one within the deadline", { startingDeadlineSeconds: 60 }, {}, "04:00:59", "04:00:00"],
    ["none past the deadline", { startingDeadlineSeconds: 60 }, {}, "04:01:00", undefined],
    ["unevenly spaced times", { schedule: "0 1,4,5 * * *" }, {}, "05:30:00", "05:00:00"],
    ["@every counts from the last", { schedule: "@every 90m" }, {}, "07:00:00", "06:04:05"],
  ])("%s", (_what, spec, status, now, due) => {
    expect(plan(cronJob(spec, status), dueAt(now)).start?.dueMs).toBe(due && dueAt(due));
  });

  test("a schedule that cannot be read has none", () => {
    const { start, againMs } = planCronJob(cronJob(), {
      jobs: [],
      schedule: undefined,
      nowMs: dueAt("04:00:00"),
    });
    expect([start, againMs]).toEqual([undefined, undefined]);
  });
});

describe("a Job that still runs", () => {
  const running = job("hello-1");
  test.each<[string, number | undefined, string[], string[]]>([
    ["Allow", dueAt("04:00:00"), [], []],
    ["Forbid", undefined, [], ["JobAlreadyActive"]],
    ["Replace", dueAt("04:00:00"), ["hello-1"], []],
  ])("under %s", (concurrencyPolicy, dueMs, replaced, reasons) => {
    const { start, events } = plan(cronJob({ concurrencyPolicy }, active("hello-1")), dueAt("04:00:30"), [
      running,
    ]);
    expect(start?.dueMs).toBe(dueMs);
    expect(start?.replace.map(({ metadata }) => metadata.name) ?? []).toEqual(replaced);
    expect(events.map(({ reason }) => reason)).toEqual(reasons);
  });
});

describe("what the Jobs say of the status", () => {
  test("one that ended is active no more, and the newest success is noted", () => {
    const { status, events } = plan(cronJob({}, active("a", "b", "c")), CREATED, [
      job("a", { end: "Complete", startMs: CREATED - HOUR }),
      job("b", { end: "Failed" }),
      job("c"),
    ]);
    expect(status).toEqual({ ...active("c"), lastSuccessfulTime: timestamp(CREATED - HOUR + MINUTE) });
    expect(events.map(({ message }) => message)).toEqual([
      "Saw completed job: a, condition: Complete",
      "Saw completed job: b, condition: Failed",
    ]);
  });

  test("one that is gone, and one that the controller did not make", () => {
    const { status, events } = plan(cronJob({}, active("gone")), CREATED, [job("by-hand")]);
    expect(status).toEqual({});
    expect(events.map(({ reason }) => reason)).toEqual(["MissingJob", "UnexpectedJob"]);
  });
});

test("the oldest finished Jobs beyond each limit go", () => {
  const jobs = [3, 1, 2].flatMap((hour) => [
    job(`complete-${hour}`, { end: "Complete", startMs: CREATED + hour * HOUR }),
    job(`failed-${hour}`, { end: "Failed", startMs: CREATED + hour * HOUR }),
  ]);
  const names = (spec: Partial<CronJobSpec>) =>
    oldJobs(cronJob(spec), [...jobs, job("running")]).map(({ metadata }) => metadata.name);
  expect(names({ successfulJobsHistoryLimit: 1, failedJobsHistoryLimit: 2 })).toEqual([
    "complete-1",
    "complete-2",
    "failed-1",
  ]);
  expect(names({ successfulJobsHistoryLimit: 0 })).toEqual(["complete-1", "complete-2", "complete-3"]);
  expect(names({})).toEqual([]);
});

test("whenever it looks, it makes the newest time's Job once and wakes up for the next", () => {
  const schedules = fc.constantFrom(
    "* * * * *",
    "*/7 * * * *",
    "30 9-17 * * mon-fri",
    "0 0 1,15 * *",
    "@every 11m",
  );
  fc.assert(
    fc.property(
      schedules,
      fc.array(fc.integer({ min: 1, max: 3 * 24 * HOUR }), { maxLength: 8 }),
      (schedule, waits) => {
        const { next } = parseSchedule(schedule);
        let owner = cronJob({ schedule });
        let nowMs = CREATED;
        for (const waited of waits) {
          nowMs += waited;
          const lastMs = Date.parse(owner.status?.lastScheduleTime ?? owner.metadata.creationTimestamp);
          const { start, againMs = 0 } = plan(owner, nowMs);
          const due = start?.dueMs ?? lastMs;
          expect(due).toBeLessThanOrEqual(nowMs);
          expect(next(due)).toBeGreaterThan(nowMs);
          expect(againMs).toBeGreaterThan(0);
          expect(next(due)).toBeLessThanOrEqual(nowMs + againMs);
          if (!start) continue;
          expect(due).toBeGreaterThan(lastMs);
          const made = job(jobNameAt(owner, due), { end: "Complete" });
          owner = cronJob({ schedule }, { ...active(made.metadata.name), lastScheduleTime: timestamp(due) });
          expect(plan(owner, nowMs, [made]).start).toBeUndefined();
        }
      },
    ),
  );
});
