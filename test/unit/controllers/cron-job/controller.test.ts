import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { CronJob, CronJobSpec, Job } from "../../../../src/api/generated/types.ts";
import { timestamp } from "../../../../src/base/clock.ts";
import { startCronJobController } from "../../../../src/controllers/cron-job/controller.ts";
import type { RunningController } from "../../../../src/controllers/runtime/context.ts";
import { createTestContext, settle, type TestContext } from "../context.ts";

const MINUTE = 60_000;
// The fake clock's start.
const CREATED = Date.UTC(2026, 0, 2, 3, 4, 5);

let context: TestContext;
let controller: RunningController | undefined;
beforeEach(() => {
  context = createTestContext();
});
afterEach(async () => {
  await controller?.stop();
  await context.stop();
});

function makeCronJob(spec: Partial<CronJobSpec> = {}, status: CronJob["status"] = {}): CronJob {
  return {
    apiVersion: "batch/v1",
    kind: "CronJob",
    metadata: {
      name: "hello",
      namespace: "default",
      uid: "uid-hello",
      resourceVersion: "1",
      creationTimestamp: timestamp(CREATED),
    },
    spec: {
      schedule: "*/5 * * * *",
      concurrencyPolicy: "Allow",
      suspend: false,
      successfulJobsHistoryLimit: 3,
      failedJobsHistoryLimit: 1,
      jobTemplate: {
        metadata: { labels: { app: "hello" } } as unknown as Job["metadata"],
        spec: {
          template: { spec: { restartPolicy: "Never", containers: [{ name: "c", image: "busybox" }] } },
        },
      },
      ...spec,
    },
    status,
  };
}

async function start(spec: Partial<CronJobSpec> = {}, status: CronJob["status"] = {}): Promise<void> {
  context.api.put("cronjobs", makeCronJob(spec, status));
  controller = startCronJobController(context);
  await settle();
}
async function pass(ms: number): Promise<void> {
  context.clock.advance(ms);
  await settle();
}
const jobs = () => context.api.list<Job>("jobs");
const names = () => jobs().map(({ metadata }) => metadata.name);
const status = () => context.api.get<CronJob>("cronjobs", "default/hello")?.status;
const active = () => (status()?.active ?? []).map(({ name }) => name);
const nameAt = (time: string) => `hello-${Date.parse(time) / MINUTE}`;
const reasons = () => context.events("hello").map((event) => event.split(":")[0]);

function finish(name: string, type: "Complete" | "Failed"): void {
  const job = context.api.get<Job>("jobs", `default/${name}`) as Job;
  const at = timestamp(context.clock.now());
  const completion = type === "Complete" ? { completionTime: at } : {};
  context.api.put("jobs", {
    ...job,
    status: { startTime: at, ...completion, conditions: [{ type, status: "True" }] },
  });
}

test("makes a Job when it is due, named after its time, and notes it", async () => {
  await start();
  await pass(54_000);
  expect(names()).toEqual([]);
  await pass(1_200);
  const name = nameAt("2026-01-02T03:05:00Z");
  expect(names()).toEqual([name]);
  expect(jobs()[0]?.metadata).toMatchObject({
    labels: { app: "hello" },
    annotations: { "batch.kubernetes.io/cronjob-scheduled-timestamp": "2026-01-02T03:05:00Z" },
    ownerReferences: [{ kind: "CronJob", name: "hello", uid: "uid-hello", controller: true }],
  });
  expect(status()).toMatchObject({
    lastScheduleTime: "2026-01-02T03:05:00Z",
    active: [{ kind: "Job", name }],
  });
  expect(context.events("hello")).toEqual([`SuccessfulCreate: Created job ${name}`]);
});

test("sees a Job end, notes when it last went well, and keeps as many as the limits say", async () => {
  await start({ successfulJobsHistoryLimit: 1, failedJobsHistoryLimit: 0 });
  for (let round = 0; round < 4; round++) {
    await pass(5 * MINUTE);
    finish(active()[0] as string, round === 1 ? "Failed" : "Complete");
    await settle();
  }
  expect(active()).toEqual([]);
  expect(names()).toEqual([nameAt("2026-01-02T03:20:00Z")]);
  expect(status()?.lastSuccessfulTime).toBe(timestamp(context.clock.now()));
  expect(context.events("hello")).toContain(
    `SawCompletedJob: Saw completed job: ${nameAt("2026-01-02T03:05:00Z")}, condition: Complete`,
  );
});

describe("while a Job still runs", () => {
  test("Allow makes the next one", async () => {
    await start();
    await pass(5 * MINUTE);
    await pass(5 * MINUTE);
    expect(active()).toEqual([nameAt("2026-01-02T03:05:00Z"), nameAt("2026-01-02T03:10:00Z")]);
  });

  test("Forbid waits, and makes the one that it missed once it may", async () => {
    await start({ concurrencyPolicy: "Forbid" });
    await pass(5 * MINUTE);
    await pass(5 * MINUTE);
    expect(names()).toHaveLength(1);
    expect(reasons()).toContain("JobAlreadyActive");
    finish(names()[0] as string, "Complete");
    await settle();
    expect(active()).toEqual([nameAt("2026-01-02T03:10:00Z")]);
  });

  test("Replace puts the next one in its place", async () => {
    await start({ concurrencyPolicy: "Replace" });
    await pass(5 * MINUTE);
    await pass(5 * MINUTE);
    expect(names()).toEqual([nameAt("2026-01-02T03:10:00Z")]);
    expect(active()).toEqual(names());
    expect(reasons()).toEqual(["SuccessfulCreate", "SuccessfulDelete", "SuccessfulCreate"]);
  });
});

describe("after an outage", () => {
  const since = (hours: number) => ({ lastScheduleTime: timestamp(CREATED - hours * 60 * MINUTE) });

  test("only the newest of the missed times is made up for", async () => {
    await start({}, since(2));
    expect(names()).toEqual([nameAt("2026-01-02T03:00:00Z")]);
    await pass(0);
    expect(names()).toHaveLength(1);
    expect(reasons()).not.toContain("TooManyMissedTimes");
  });

  test("many missed times are told of, and the newest is still made up for", async () => {
    await start({}, since(24));
    expect(names()).toEqual([nameAt("2026-01-02T03:00:00Z")]);
    expect(reasons()).toContain("TooManyMissedTimes");
  });

  test("what is past the starting deadline is not", async () => {
    await start({ startingDeadlineSeconds: 60 }, since(2));
    expect(names()).toEqual([]);
    await pass(MINUTE);
    expect(names()).toEqual([nameAt("2026-01-02T03:05:00Z")]);
  });

  test("a crash between making and noting a Job makes no second one", async () => {
    context.api.refuse = (write) => {
      if (!write.startsWith("PUT cronjobs")) return undefined;
      context.api.refuse = () => undefined;
      throw new TypeError("connection lost");
    };
    await start();
    await pass(5 * MINUTE);
    await pass(1_000);
    expect(names()).toEqual([nameAt("2026-01-02T03:05:00Z")]);
    expect(active()).toEqual(names());
  });
});

test("a suspended one makes none, and when it goes on only the newest", async () => {
  await start({ suspend: true });
  await pass(60 * MINUTE);
  expect(names()).toEqual([]);
  context.api.put("cronjobs", makeCronJob());
  await settle();
  expect(names()).toEqual([nameAt("2026-01-02T04:00:00Z")]);
});

test("follows the clocks of its zone", async () => {
  await start({ schedule: "0 9 * * *", timeZone: "Europe/Berlin" });
  await pass(24 * 60 * MINUTE);
  expect(jobs()[0]?.metadata.annotations).toEqual({
    "batch.kubernetes.io/cronjob-scheduled-timestamp": "2026-01-02T09:00:00+01:00",
  });
});

test("forgets a Job that somebody deleted", async () => {
  await start();
  await pass(5 * MINUTE);
  context.api.remove("jobs", `default/${names()[0]}`);
  await settle();
  expect(active()).toEqual([]);
  expect(reasons()).toContain("MissingJob");
});
