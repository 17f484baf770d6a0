// Makes each CronJob's Jobs when they are due. Decides nothing itself (plan.ts). A Job's name is made of its time, so that a crash between
// making it and noting it in the status makes no second one.
import type { CronJob, CronJobStatus, Job } from "../../api/generated/types.ts";
import { cronJobs } from "../../api/kinds/cron-job.ts";
import { jobs } from "../../api/kinds/job.ts";
import { controllerOf, controllerReference, type Draft, keyOf } from "../../api/object.ts";
import { equalJson } from "../../api/own.ts";
import { apiVersionOf } from "../../api/resource.ts";
import { hasReason } from "../../api/status-error.ts";
import { timestamp } from "../../base/clock.ts";
import { parseSchedule, type Schedule, zoneOffset } from "../../base/cron-schedule.ts";
import { createRecorder } from "../../client/recorder.ts";
import type { ControllerContext, RunningController } from "../runtime/context.ts";
import { CONTROLLED_BY, controlledBy, controlledByIndex } from "../runtime/controlled-by.ts";
import { startController, type Writes } from "../runtime/start-controller.ts";
import { isNamespaceTerminating, messageOf, say } from "../shared/pod-control.ts";
import type { EventText } from "../shared/pod-events.ts";
import * as events from "./events.ts";
import { jobNameAt, oldJobs, planCronJob } from "./plan.ts";

const SCHEDULED_AT = "batch.kubernetes.io/cronjob-scheduled-timestamp";

interface Work {
  readonly context: ControllerContext;
  readonly owner: CronJob;
  readonly writes: Writes;
  say(event: EventText): void;
}

export function startCronJobController(context: ControllerContext): RunningController {
  const { client, clock, informers } = context;
  const recorder = createRecorder(client, { component: "cronjob-controller", clock });
  const list = informers.of(cronJobs);
  informers.addIndex(jobs, CONTROLLED_BY, controlledByIndex);
  return startController(context, {
    name: "cronjob-controller",
    watch: (enqueue) => [
      list.onChange((after, before) => enqueue(keyOf((after ?? before)!))),
      informers.of(jobs).onChange((after, before) => {
        const job = (after ?? before)!;
        const owner = controllerOf(job);
        if (owner?.kind !== cronJobs.kind) return;
        enqueue(keyOf({ metadata: { namespace: job.metadata.namespace ?? "", name: owner.name } }));
      }),
    ],
    async reconcile(key, _signal, writes) {
      const owner = list.get(key);
      if (!owner) return;
      const work = { context, owner, writes, say: (event: EventText) => say({ recorder, owner }, event) };
      return await reconcile(work);
    },
  });
}

async function reconcile(work: Work): Promise<{ requeueAfterMs: number } | undefined> {
  const { context, owner } = work;
  const own = controlledBy(context.informers.of(jobs), owner.metadata.uid);
  const plan = planCronJob(owner, { jobs: own, schedule: readSchedule(work), nowMs: context.clock.now() });
  for (const event of plan.events) work.say(event);
  const started = plan.start && (await start(work, plan.start));
  const status = plan.start ? withoutReplaced(plan.status, plan.start.replace) : plan.status;
  await writeStatus(work, started && plan.start ? withStarted(status, started, plan.start.dueMs) : status);
  for (const job of oldJobs(owner, own)) await deleteJob(work, job);
  return plan.againMs === undefined ? undefined : { requeueAfterMs: plan.againMs };
}

function readSchedule({ owner, say }: Work): Schedule | undefined {
  const { schedule, timeZone } = owner.spec;
  try {
    return parseSchedule(schedule, timeZone);
  } catch (error) {
    // Validation lets nothing else in; an older store may hold it.
    say(events.unparseableSchedule(schedule, messageOf(error)));
    return undefined;
  }
}

/** Makes the Job that is due, or finds it made before; undefined where the name is somebody else's. */
async function start(
  work: Work,
  { dueMs, replace }: { readonly dueMs: number; readonly replace: readonly Readonly<Job>[] },
): Promise<Job | undefined> {
  const { context, owner, writes } = work;
  for (const job of replace) await deleteJob(work, job);
  const draft = jobAt(owner, dueMs);
  try {
    const job = await context.client.create(jobs, draft);
    writes.wrote(jobs, job);
    work.say(events.successfulCreate(job.metadata.name));
    return job;
  } catch (error) {
    if (hasReason(error, "AlreadyExists")) {
      const there = await context.client.get(jobs, { ...owner.metadata, name: jobNameAt(owner, dueMs) });
      return controllerOf(there)?.uid === owner.metadata.uid ? there : undefined;
    }
    if (!isNamespaceTerminating(error)) work.say(events.failedCreate(messageOf(error)));
    throw error;
  }
}

function jobAt(owner: CronJob, dueMs: number): Draft<Job> {
  const { jobTemplate, timeZone = "UTC" } = owner.spec;
  const { labels, annotations } = jobTemplate.metadata ?? {};
  return {
    metadata: {
      name: jobNameAt(owner, dueMs),
      ...(owner.metadata.namespace ? { namespace: owner.metadata.namespace } : {}),
      ...(labels ? { labels: { ...labels } } : {}),
      annotations: { ...annotations, [SCHEDULED_AT]: zonedTimestamp(dueMs, timeZone) },
      ownerReferences: [controllerReference(owner, apiVersionOf(cronJobs), cronJobs.kind)],
    },
    ...(jobTemplate.spec ? { spec: jobTemplate.spec } : {}),
  };
}

/** `2026-07-01T09:00:00+02:00`, with Z for UTC. */
function zonedTimestamp(atMs: number, timeZone: string): string {
  const offset = zoneOffset(timeZone)(atMs);
  const text = timestamp(atMs + offset);
  if (offset === 0) return text;
  const minutes = Math.round(Math.abs(offset) / 60_000);
  const two = (part: number) => String(part).padStart(2, "0");
  return `${text.slice(0, -1)}${offset < 0 ? "-" : "+"}${two(Math.floor(minutes / 60))}:${two(minutes % 60)}`;
}

function withStarted(status: CronJobStatus, { metadata }: Job, dueMs: number): CronJobStatus {
  const { name, namespace, uid, resourceVersion } = metadata;
  const reference = { kind: jobs.kind, apiVersion: apiVersionOf(jobs), name, uid, resourceVersion };
  const active = [...(status.active ?? []), { ...reference, ...(namespace ? { namespace } : {}) }];
  return { ...status, active, lastScheduleTime: timestamp(dueMs) };
}

/** Those that had to give way are not missed. */
function withoutReplaced(status: CronJobStatus, replaced: readonly Readonly<Job>[]): CronJobStatus {
  const active = status.active?.filter(({ uid }) => !replaced.some(({ metadata }) => metadata.uid === uid));
  const { active: _, ...rest } = status;
  return active && active.length > 0 ? { ...rest, active } : rest;
}

async function writeStatus({ context, owner, writes }: Work, status: CronJobStatus): Promise<void> {
  if (equalJson(owner.status ?? {}, status)) return;
  writes.wrote(cronJobs, await context.client.updateStatus(cronJobs, { ...owner, status }));
}

async function deleteJob({ context, writes, say }: Work, job: Readonly<Job>): Promise<void> {
  try {
    await context.client.delete(jobs, job.metadata, { propagationPolicy: "Background" });
    writes.deleted(jobs, job);
    say(events.successfulDelete(job.metadata.name));
  } catch (error) {
    if (hasReason(error, "NotFound")) return;
    say(events.failedDelete(messageOf(error)));
    throw error;
  }
}
