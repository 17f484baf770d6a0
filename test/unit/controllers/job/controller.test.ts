import fc from "fast-check";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { Job, JobSpec, Pod } from "../../../../src/api/generated/types.ts";
import { countIndexes, parseIndexes } from "../../../../src/api/index-set.ts";
import { jobCondition } from "../../../../src/api/job-status.ts";
import { StatusError, statusError } from "../../../../src/api/status-error.ts";
import { timestamp } from "../../../../src/base/clock.ts";
import { startJobController } from "../../../../src/controllers/job/controller.ts";
import type { RunningController } from "../../../../src/controllers/runtime/context.ts";
import { createTestContext, settle, type TestContext } from "../context.ts";
import { makeJob } from "./jobs.ts";

let context: TestContext;
let controller: RunningController | undefined;
beforeEach(() => {
  context = createTestContext();
});
afterEach(async () => {
  await controller?.stop();
  await context.stop();
});

const pods = (of = context) => of.api.list<Pod>("pods");
const job = (of = context) => of.api.get<Job>("jobs", "default/pi") as Job;
const change = (spec: Partial<JobSpec>) =>
  context.api.put("jobs", { ...job(), spec: { ...job().spec, ...spec } });
const isOver = ({ status }: Pod) => status?.phase === "Succeeded" || status?.phase === "Failed";
const active = (of = context) => pods(of).filter((pod) => !isOver(pod) && !pod.metadata.deletionTimestamp);

function end(pod: Pod, phase: "Succeeded" | "Failed", of = context): void {
  const finishedAt = timestamp(of.clock.now());
  const exitCode = phase === "Failed" ? 1 : 0;
  const containerStatuses = [{ name: "c", state: { terminated: { exitCode, finishedAt } } }];
  of.api.put("pods", { ...pod, status: { phase, containerStatuses } } as unknown as Pod);
}

/** What scheduler and kubelet do: run what is new, end what is being deleted. */
function kubelet(of = context): void {
  for (const pod of pods(of)) {
    const { deletionTimestamp, finalizers = [], name } = pod.metadata;
    if (deletionTimestamp && finalizers.length === 0) of.api.remove("pods", `default/${name}`);
    else if (deletionTimestamp && !isOver(pod)) end(pod, "Failed", of);
    else if (!deletionTimestamp && !pod.status?.phase)
      of.api.put("pods", { ...pod, spec: { ...pod.spec, nodeName: "n1" }, status: { phase: "Running" } });
  }
}

async function rest(of = context): Promise<void> {
  for (let round = 0; round < 4; round++) {
    await settle(12);
    kubelet(of);
  }
  await settle(12);
}

async function start(spec: Partial<JobSpec> = {}): Promise<void> {
  context.api.put("jobs", makeJob(spec));
  controller = startJobController(context);
  await rest();
}

test("runs a pod to its end, counts it, lets it go and says so", async () => {
  await start();
  expect(job().status).toMatchObject({ active: 1, ready: 0, terminating: 0, uncountedTerminatedPods: {} });
  const [pod] = pods();
  end(pod as Pod, "Succeeded");
  await rest();
  const { status } = job();
  expect(status).toMatchObject({ succeeded: 1, completionTime: status?.startTime });
  expect(status?.active).toBeUndefined();
  expect(status?.conditions?.map(({ type, reason }) => `${type} ${reason}`)).toEqual([
    "SuccessCriteriaMet CompletionsReached",
    "Complete CompletionsReached",
  ]);
  expect(pods()[0]?.metadata.finalizers).toBeUndefined();
  expect(context.events("pi")).toEqual([
    `SuccessfulCreate: Created pod: ${pod?.metadata.name}`,
    "Completed: Job completed",
  ]);
});

test("fails after the limit, with what still ran counted as failed", async () => {
  await start({ backoffLimit: 0, completions: 3, parallelism: 2 });
  end(pods()[0] as Pod, "Failed");
  await rest();
  expect(job().status).toMatchObject({ failed: 2, terminating: 0 });
  expect(jobCondition(job(), "Failed")).toMatchObject({
    reason: "BackoffLimitExceeded",
    message: "Job has reached the specified backoff limit",
  });
  expect(context.events("pi")).toContain("BackoffLimitExceeded: Job has reached the specified backoff limit");
  // The pod that failed stays to be looked at, the one that ran is deleted.
  expect(pods()).toHaveLength(1);
});

test("replaces a failed pod only when its back-off is over", async () => {
  await start();
  end(pods()[0] as Pod, "Failed");
  await rest();
  expect(active()).toHaveLength(0);
  context.clock.advance(context.timing.jobBackoffMs);
  await rest();
  expect(active()).toHaveLength(1);
  expect(job().status?.failed).toBe(1);
});

test("suspends without counting failures, and starts its time anew when it resumes", async () => {
  await start({ completions: 4, parallelism: 2 });
  change({ suspend: true });
  await rest();
  expect(pods()).toHaveLength(0);
  expect(jobCondition(job(), "Suspended")).toMatchObject({ status: "True", reason: "JobSuspended" });
  expect(job().status?.failed).toBeUndefined();
  context.clock.advance(30_000);
  change({ suspend: false });
  await rest();
  expect(active()).toHaveLength(2);
  expect(jobCondition(job(), "Suspended")).toMatchObject({ status: "False", reason: "JobResumed" });
  expect(job().status?.startTime).toBe(timestamp(context.clock.now()));
  expect(context.events("pi")).toEqual(
    expect.arrayContaining(["Suspended: Job suspended", "Resumed: Job resumed"]),
  );
});

test("leaves a Job to another controller that is named as its manager", async () => {
  await start({ managedBy: "example.com/other" });
  expect(pods()).toHaveLength(0);
  expect(job().status).toEqual({});
});

test("lets go of the pods of a Job that is gone", async () => {
  await start({ parallelism: 2, completions: 2 });
  context.api.remove("jobs", "default/pi");
  await rest();
  expect(pods().map(({ metadata }) => metadata.finalizers)).toEqual([undefined, undefined]);
});

type Step = "succeed" | "fail" | "delete" | "kubelet" | "restart" | "break" | "wait";

/** Drives a Job through `steps`, each upon some pod, then to its end; gives what the pods really did. */
async function live(spec: Partial<JobSpec>, steps: readonly { step: Step; at: number }[]) {
  const of = createTestContext();
  const truth = { succeeded: new Set<string>(), failed: new Set<string>(), most: 0 };
  of.api.put("jobs", makeJob(spec));
  let running = startJobController(of);
  const look = () => {
    truth.most = Math.max(truth.most, active(of).length);
    for (const { metadata, status } of pods(of)) {
      if (status?.phase === "Succeeded") truth.succeeded.add(metadata.uid);
      else if (status?.phase === "Failed" || metadata.deletionTimestamp) truth.failed.add(metadata.uid);
    }
  };
  const act = async (step: Step, at: number) => {
    const running_ = active(of).filter(({ status }) => status?.phase === "Running");
    const pod = running_[at % Math.max(running_.length, 1)];
    if (step === "restart") {
      await running.stop();
      running = startJobController(of);
    } else if (step === "break") {
      // Either everything, or what is between the steps of counting.
      let left = 1 + (at % 3);
      const concerns = (write: string) => at < 3 || write.startsWith("PATCH pods");
      of.api.refuse = (write) =>
        concerns(write) && left-- > 0 ? statusError("InternalError", "out of order") : undefined;
    } else if (step === "kubelet") kubelet(of);
    else if (step === "wait") await settle(6);
    else if (pod && step === "delete")
      of.api.put("pods", {
        ...pod,
        metadata: { ...pod.metadata, deletionTimestamp: timestamp(of.clock.now()) },
      });
    else if (pod) end(pod, step === "succeed" ? "Succeeded" : "Failed", of);
    look();
    of.clock.advance(60_000);
    await settle(at % 3);
    look();
  };
  try {
    for (const { step, at } of steps) await act(step, at);
    for (let round = 0; round < 60 && !jobCondition(job(of), "Complete"); round++) {
      await rest(of);
      await act("succeed", round);
    }
    return { truth, job: job(of) };
  } finally {
    await running.stop();
    await of.stop();
  }
}

const steps = fc.array(
  fc.record({
    step: fc.constantFrom<Step>("succeed", "fail", "delete", "kubelet", "restart", "break", "wait"),
    at: fc.nat(7),
  }),
  { maxLength: 16 },
);

test("counts every pod exactly once, whatever fails, is deleted or restarted in between", async () => {
  await fc.assert(
    fc.asyncProperty(steps, fc.integer({ min: 1, max: 4 }), async (given, parallelism) => {
      const { truth, job } = await live({ completions: 5, parallelism, backoffLimit: 1000 }, given);
      expect(jobCondition(job, "Complete")?.status).toBe("True");
      expect(job.status?.succeeded ?? 0).toBe(truth.succeeded.size);
      expect(job.status?.failed ?? 0).toBe(truth.failed.size);
      expect(truth.most).toBeLessThanOrEqual(parallelism);
    }),
    { numRuns: 25 },
  );
}, 60_000);

test("completes each index once", async () => {
  await fc.assert(
    fc.asyncProperty(steps, async (given) => {
      const spec = { completionMode: "Indexed", completions: 5, parallelism: 3, backoffLimit: 1000 };
      const { truth, job } = await live(spec, given);
      expect(job.status).toMatchObject({ completedIndexes: "0-4", succeeded: 5 });
      expect(countIndexes(parseIndexes(job.status?.completedIndexes ?? "", 5))).toBe(truth.succeeded.size);
      expect(job.status?.failed ?? 0).toBe(truth.failed.size);
    }),
    { numRuns: 15 },
  );
}, 60_000);

test("says why pods cannot be made, and goes on when they can", async () => {
  context.api.refuse = (write) =>
    write.startsWith("POST pods")
      ? new StatusError(statusError("Forbidden", "exceeded quota").status)
      : undefined;
  await start();
  expect(context.events("pi")).toContain("FailedCreate: Error creating: exceeded quota");
  context.api.refuse = () => undefined;
  context.clock.advance(60_000);
  await rest();
  expect(active()).toHaveLength(1);
});
