// Jobs and CronJobs as the tutorials use them, with real kubectl and real processes.
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { CronJob, Job } from "../../src/api/generated/types.ts";
import { cronJobs } from "../../src/api/kinds/cron-job.ts";
import { jobs } from "../../src/api/kinds/job.ts";
import { hasReason } from "../../src/api/status-error.ts";
import type { Client } from "../../src/client/client.ts";
import { type Cluster, eventually, hasKubectl, startCluster } from "./harness.ts";

const template = (command: string) =>
  `{spec: {restartPolicy: Never, containers: [{name: c, image: "busybox:1.36", command: [sh, -c, ${JSON.stringify(command)}]}]}}`;
const job = (name: string, command: string, spec = "") => `---
apiVersion: batch/v1
kind: Job
metadata: {name: ${name}}
spec: {${spec ? `${spec}, ` : ""}template: ${template(command)}}
`;
const cronJob = (name: string, command: string, spec: string) => `---
apiVersion: batch/v1
kind: CronJob
metadata: {name: ${name}}
spec: {${spec}, jobTemplate: {spec: {template: ${template(command)}}}}
`;

describe.skipIf(!hasKubectl)("batch", () => {
  let cluster: Cluster;
  let client: Client;
  beforeAll(async () => {
    cluster = await startCluster({ nodes: 2 });
    client = cluster.client();
    // A Job's name is made of its minute, so that these take more than one: they go on while the Jobs below are tested.
    const every = 'schedule: "@every 1s"';
    await cluster.apply(
      // Each time that a finished Job is found again is an Event, and an object has only so many: not every second.
      cronJob("tick", "date", 'schedule: "@every 10s", successfulJobsHistoryLimit: 1') +
        cronJob("one", "exec sleep 300", `${every}, concurrencyPolicy: Forbid`) +
        cronJob("last", "exec sleep 300", `${every}, concurrencyPolicy: Replace`),
    );
  });
  afterAll(() => cluster?.stop());

  const kubectl = (...args: string[]) => cluster.kubectl(...args);
  const read = (name: string): Promise<Job> => client.get(jobs, { namespace: "default", name });
  const condition = async (name: string, type: string) =>
    (await read(name)).status?.conditions?.find((each) => each.type === type && each.status === "True");
  const waitFor = (name: string, type: "complete" | "failed") =>
    kubectl("wait", `--for=condition=${type}`, `job/${name}`, "--timeout=90s");
  const reasons = (kind: string, name: string) =>
    kubectl(
      ...["get", "events", "--field-selector", `involvedObject.kind=${kind},involvedObject.name=${name}`],
      ...["-o", "jsonpath={range .items[*]}{.reason}: {.message}{'\\n'}{end}"],
    );

  describe("a Job", () => {
    test("runs to its completions, no more at once than its parallelism, and is shown", async () => {
      await cluster.apply(job("pi", "echo 3.14159", "completions: 4, parallelism: 2"));
      expect(await waitFor("pi", "complete")).toBe("job.batch/pi condition met\n");
      expect(await kubectl("get", "job", "pi")).toMatch(
        /^NAME +STATUS +COMPLETIONS +DURATION +AGE\npi +Complete +4\/4 +\d+s +\d+s\n$/,
      );
      expect((await read("pi")).status).toMatchObject({ succeeded: 4, ready: 0 });
      expect(await kubectl("logs", "job/pi")).toBe("3.14159\n");
      const described = await kubectl("describe", "job", "pi");
      expect(described).toMatch(/Pods Statuses: +0 Active \(0 Ready\) \/ 4 Succeeded \/ 0 Failed/);
      expect(described).toContain("SuccessfulCreate");
      expect(await reasons("Job", "pi")).toContain("Completed: Job completed");
      expect(await kubectl("get", "pods", "-l", "job-name=pi", "-o", "name")).toMatch(
        /^(pod\/pi-[a-z0-9]{5}\n){4}$/,
      );
      await kubectl("delete", "job", "pi");
      expect(await kubectl("get", "pods", "-l", "job-name=pi", "-o", "name")).toBe("");
    });

    test("gives each pod of an Indexed one its index, and can be done when the leader is", async () => {
      const command = 'echo "index $JOB_COMPLETION_INDEX"; [ $JOB_COMPLETION_INDEX = 0 ] || exec sleep 300';
      const policy = 'successPolicy: {rules: [{succeededIndexes: "0"}]}';
      await cluster.apply(
        job(
          "indexed",
          "echo $JOB_COMPLETION_INDEX",
          "completionMode: Indexed, completions: 3, parallelism: 3",
        ) + job("leader", command, `completionMode: Indexed, completions: 2, parallelism: 2, ${policy}`),
      );
      await waitFor("indexed", "complete");
      expect((await read("indexed")).status).toMatchObject({ completedIndexes: "0-2", succeeded: 3 });
      expect(await kubectl("logs", "-l", "job-name=indexed,batch.kubernetes.io/job-completion-index=2")).toBe(
        "2\n",
      );
      expect(await kubectl("get", "pods", "-l", "job-name=indexed", "-o", "name")).toMatch(
        /pod\/indexed-2-[a-z0-9]{5}\n/,
      );
      await waitFor("leader", "complete");
      expect(await condition("leader", "SuccessCriteriaMet")).toMatchObject({ reason: "SuccessPolicy" });
      expect((await read("leader")).status).toMatchObject({ completedIndexes: "0", succeeded: 1 });
    });

    test("fails for the reason that its policies give", async () => {
      const onExit = (action: string, code: number) =>
        `podFailurePolicy: {rules: [{action: ${action}, onExitCodes: {operator: In, values: [${code}]}}]}`;
      const perIndex = "completionMode: Indexed, completions: 3, parallelism: 3, backoffLimitPerIndex: 0";
      await cluster.apply(
        job("limit", "exit 1", "backoffLimit: 1") +
          job("policy", "exit 42", `backoffLimit: 6, ${onExit("FailJob", 42)}`) +
          job("deadline", "exec sleep 300", "activeDeadlineSeconds: 1") +
          job("per-index", "[ $JOB_COMPLETION_INDEX != 1 ]", perIndex),
      );
      for (const name of ["limit", "policy", "deadline", "per-index"]) await waitFor(name, "failed");
      expect(await condition("limit", "Failed")).toMatchObject({
        reason: "BackoffLimitExceeded",
        message: "Job has reached the specified backoff limit",
      });
      expect((await read("limit")).status).toMatchObject({ failed: 2 });
      const policy = await condition("policy", "Failed");
      expect(policy?.reason).toBe("PodFailurePolicy");
      expect(policy?.message).toMatch(
        /^Container c for pod default\/policy-\w{5} failed with exit code 42 matching FailJob rule at index 0$/,
      );
      expect(await condition("deadline", "Failed")).toMatchObject({ reason: "DeadlineExceeded" });
      expect(await condition("per-index", "Failed")).toMatchObject({ reason: "FailedIndexes" });
      expect((await read("per-index")).status).toMatchObject({ failedIndexes: "1", completedIndexes: "0,2" });
      expect(await kubectl("get", "job", "limit")).toMatch(/\nlimit +Failed +0\/1 +/);
      expect(await reasons("Job", "limit")).toContain("BackoffLimitExceeded: Job has reached");
    });

    test("lets its pods go while it is suspended, and starts anew", async () => {
      await cluster.apply(job("paused", "exec sleep 300", "parallelism: 2, completions: 2"));
      const active = (count: number) =>
        eventually(`${count} active`, async () => ((await read("paused")).status?.active ?? 0) === count);
      await active(2);
      await kubectl("patch", "job", "paused", "-p", '{"spec":{"suspend":true}}');
      await active(0);
      expect(await condition("paused", "Suspended")).toMatchObject({ reason: "JobSuspended" });
      expect(await kubectl("get", "job", "paused")).toMatch(/\npaused +Suspended +0\/2 +/);
      await eventually(
        "its pods are gone",
        async () => (await kubectl("get", "pods", "-l", "job-name=paused", "-o", "name")) === "",
      );
      await kubectl("patch", "job", "paused", "-p", '{"spec":{"suspend":false}}');
      await active(2);
      expect(await reasons("Job", "paused")).toMatch(
        /Suspended: Job suspended\n[\s\S]*Resumed: Job resumed\n/,
      );
    });

    test("is cleaned away when its time to live is over", async () => {
      await cluster.apply(job("brief", "true", "ttlSecondsAfterFinished: 1"));
      await eventually("the Job is gone", () =>
        read("brief").then(
          () => false,
          (error) => hasReason(error, "NotFound"),
        ),
      );
      await eventually(
        "its pods are gone",
        async () => (await kubectl("get", "pods", "-l", "job-name=brief", "-o", "name")) === "",
      );
    });
  });

  describe("a CronJob", () => {
    const readCron = (name: string): Promise<CronJob> => client.get(cronJobs, { namespace: "default", name });
    const jobsOf = async (name: string) =>
      (await client.list(jobs, { namespace: "default" })).items.filter((each) =>
        each.metadata.ownerReferences?.some((owner) => owner.kind === "CronJob" && owner.name === name),
      );
    const lastSuccess = async () => (await readCron("tick")).status?.lastSuccessfulTime;

    test("makes a Job when the time comes, notes how it went, and keeps as many as it is told", async () => {
      const first = await eventually("a Job went well", lastSuccess);
      await eventually("a later one did", async () => ((await lastSuccess()) ?? "") > first, 90_000);
      await kubectl("patch", "cronjob", "tick", "-p", '{"spec":{"suspend":true}}');
      await eventually("one finished Job is left", async () => {
        const left = await jobsOf("tick");
        return left.length === 1 && left[0]?.status?.succeeded === 1;
      });
      const events = await eventually("the last Event is written", async () => {
        const all = await reasons("CronJob", "tick");
        return all.includes("SuccessfulDelete") ? all : undefined;
      });
      expect(events).toMatch(/SuccessfulCreate: Created job tick-\d+\n/);
      expect(events).toMatch(/SawCompletedJob: Saw completed job: tick-\d+, condition: Complete\n/);
      expect(events).toMatch(/SuccessfulDelete: Deleted job tick-\d+\n/);
      expect(await kubectl("get", "cronjob", "tick")).toMatch(
        /^NAME +SCHEDULE +TIMEZONE +SUSPEND +ACTIVE +LAST SCHEDULE +AGE\ntick +@every 10s +<none> +True +0 +\d+s +\S+\n$/,
      );
      expect(await kubectl("describe", "cronjob", "tick")).toMatch(/Successful Job History Limit: +1\n/);
    });

    test("that may not run twice waits, or replaces what runs", async () => {
      await eventually("Forbid refuses", async () =>
        (await reasons("CronJob", "one")).includes(
          "JobAlreadyActive: Not starting job because prior execution is running and concurrency policy is Forbid",
        ),
      );
      expect(await jobsOf("one")).toHaveLength(1);
      await eventually("Replace replaces", async () =>
        /SuccessfulDelete: Deleted job last-\d+\n/.test(await reasons("CronJob", "last")),
      );
      await eventually("only the new one runs", async () => (await jobsOf("last")).length === 1);
    });

    test("can be created, shown and run at once by kubectl", async () => {
      await kubectl(
        "create",
        "cronjob",
        "nightly",
        "--image=busybox",
        "--schedule=0 3 * * *",
        "--",
        "echo",
        "done",
      );
      await kubectl("patch", "cronjob", "nightly", "-p", '{"spec":{"timeZone":"Europe/Berlin"}}');
      expect(await kubectl("get", "cj")).toMatch(
        /\nnightly +0 3 \* \* \* +Europe\/Berlin +False +0 +<none> +\d+s\n/,
      );
      await kubectl("create", "job", "now", "--from=cronjob/nightly");
      await waitFor("now", "complete");
      expect(await kubectl("logs", "job/now")).toBe("done\n");
      const { metadata } = await read("now");
      expect(metadata.annotations).toMatchObject({ "cronjob.kubernetes.io/instantiate": "manual" });
      expect(metadata.ownerReferences?.[0]).toMatchObject({
        kind: "CronJob",
        name: "nightly",
        controller: true,
      });
      await kubectl("delete", "cronjob", "nightly");
      await eventually("the Job went with it", async () => (await jobsOf("nightly")).length === 0);
    });
  });
});
