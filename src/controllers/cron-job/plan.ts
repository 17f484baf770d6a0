// Pure: what a CronJob's Jobs say of its status, which time is due, what must give way to it, and what is old enough to go. Source of the
// rules: Kubernetes' cronjob controller.
import type { CronJob, CronJobStatus, Job } from "../../api/generated/types.ts";
import { jobEnd } from "../../api/job-status.ts";
import type { Schedule } from "../../base/cron-schedule.ts";
import type { EventText } from "../shared/pod-events.ts";
import * as events from "./events.ts";

// Kubernetes' nextScheduleDelta: a Job is never made before its time, whatever timers do.
const AFTER_TIME_MS = 100;
const MANY_MISSED = 100;

export interface CronPlan {
  /** The status as the Jobs have it, before anything is done. */
  readonly status: CronJobStatus;
  readonly events: readonly EventText[];
  /** A Job is to be made for this time, after these have been deleted. */
  readonly start?: { readonly dueMs: number; readonly replace: readonly Readonly<Job>[] };
  /** Look again after this long. */
  readonly againMs?: number;
}

/** `schedule` is absent where the CronJob's cannot be read. */
export function planCronJob(
  cronJob: Readonly<CronJob>,
  {
    jobs,
    schedule,
    nowMs,
  }: { jobs: readonly Readonly<Job>[]; schedule: Schedule | undefined; nowMs: number },
): CronPlan {
  const { status, events: seen } = observe(cronJob, jobs);
  if (cronJob.metadata.deletionTimestamp || cronJob.spec.suspend || !schedule)
    return { status, events: seen };
  const due = dueTime({ ...cronJob, status }, schedule, nowMs);
  const wait = againIn({ ...cronJob, status }, schedule, nowMs);
  const refusal = due && refuse(cronJob, status, { due, nowMs });
  const said = [...seen, ...(due?.missed ? [events.tooManyMissed()] : []), ...(refusal?.events ?? [])];
  if (!due || refusal) return { status, events: said, ...wait };
  const isActive = (job: Readonly<Job>) => status.active?.some(({ uid }) => uid === job.metadata.uid);
  const replace = cronJob.spec.concurrencyPolicy === "Replace" ? jobs.filter(isActive) : [];
  return { status, events: said, start: { dueMs: due.atMs, replace }, ...wait };
}

/** The name of the Job for that time: minutes since the epoch, so that a time never has two. */
export function jobNameAt({ metadata }: Readonly<CronJob>, dueMs: number): string {
  return `${metadata.name}-${Math.floor(dueMs / 60_000)}`;
}

/** The finished Jobs beyond the history limits, the oldest first. */
export function oldJobs(
  { spec }: Readonly<CronJob>,
  jobs: readonly Readonly<Job>[],
): readonly Readonly<Job>[] {
  const beyond = (end: "Complete" | "Failed", limit: number | undefined) => {
    if (limit === undefined) return [];
    const ended = jobs.filter((job) => jobEnd(job) === end).sort(byStart);
    return ended.slice(0, Math.max(0, ended.length - limit));
  };
  return [
    ...beyond("Complete", spec.successfulJobsHistoryLimit),
    ...beyond("Failed", spec.failedJobsHistoryLimit),
  ];
}

function byStart(a: Readonly<Job>, b: Readonly<Job>): number {
  const start = ({ status }: Readonly<Job>) => Date.parse(status?.startTime ?? "") || Number.MAX_SAFE_INTEGER;
  return start(a) - start(b) || (a.metadata.name < b.metadata.name ? -1 : 1);
}

/** The CronJob's status, brought in line with its Jobs. */
function observe(
  { status = {} }: Readonly<CronJob>,
  jobs: readonly Readonly<Job>[],
): { status: CronJobStatus; events: EventText[] } {
  const said: EventText[] = [];
  const { active = [], lastScheduleTime } = status;
  let { lastSuccessfulTime } = status;
  const left = active.filter(({ uid, name = "" }) => {
    const job = jobs.find(({ metadata }) => metadata.uid === uid);
    const end = job && jobEnd(job);
    if (!job) said.push(events.missingJob(name));
    else if (end) said.push(events.sawCompletedJob(name, end));
    return job !== undefined && end === undefined;
  });
  for (const job of jobs) {
    const isListed = active.some(({ uid }) => uid === job.metadata.uid);
    if (!isListed && !jobEnd(job)) said.push(events.unexpectedJob(job.metadata.name));
    const completed = jobEnd(job) === "Complete" ? job.status?.completionTime : undefined;
    if (completed && (!lastSuccessfulTime || completed > lastSuccessfulTime)) lastSuccessfulTime = completed;
  }
  return {
    status: {
      ...(left.length > 0 ? { active: left } : {}),
      ...(lastScheduleTime ? { lastScheduleTime } : {}),
      ...(lastSuccessfulTime ? { lastSuccessfulTime } : {}),
    },
    events: said,
  };
}

interface Due {
  readonly atMs: number;
  /** So many times have passed that something must be wrong. */
  readonly missed: boolean;
}

/** The newest time that has passed since the last one for which a Job was made. */
function dueTime(cronJob: Readonly<CronJob>, schedule: Schedule, nowMs: number): Due | undefined {
  const deadlineSeconds = cronJob.spec.startingDeadlineSeconds;
  const since = lastTime(cronJob);
  const fromMs = deadlineSeconds === undefined ? since : Math.max(since, nowMs - deadlineSeconds * 1000);
  return newest(schedule, fromMs, nowMs);
}

/**
 * Worked example: hourly, last run at 1:00, now 5:30. The first missed time is 2:00, the interval 1 h, so 4 were missed; the search begins one
 * interval before the last of these, at 4:00, and finds 5:00. Where that interval is not the usual one it begins further back, by whole
 * intervals, because `@every` counts from where it began.
 */
function newest(schedule: Schedule, fromMs: number, nowMs: number): Due | undefined {
  const first = schedule.next(fromMs);
  if (first === undefined || first > nowMs) return undefined;
  const second = schedule.next(first);
  if (second === undefined || second > nowMs) return { atMs: first, missed: false };
  const interval = second - first;
  const count = Math.floor((nowMs - first) / interval) + 1;
  let atMs = first;
  for (let back = 2; atMs === first && back < 2 * count; back *= 2) {
    const start = first + Math.max(0, count - back) * interval;
    for (let next = schedule.next(start); next !== undefined && next <= nowMs; next = schedule.next(next))
      atMs = next;
  }
  return { atMs, missed: count > MANY_MISSED };
}

const lastTime = ({ metadata, status }: Readonly<CronJob>): number =>
  Date.parse(status?.lastScheduleTime ?? metadata.creationTimestamp);

function againIn(cronJob: Readonly<CronJob>, schedule: Schedule, nowMs: number): { againMs?: number } {
  const last = newest(schedule, lastTime(cronJob), nowMs)?.atMs ?? lastTime(cronJob);
  const next = schedule.next(last);
  return next === undefined ? {} : { againMs: next + AFTER_TIME_MS - nowMs };
}

function refuse(
  cronJob: Readonly<CronJob>,
  status: CronJobStatus,
  { due, nowMs }: { due: Due; nowMs: number },
): { events: EventText[] } | undefined {
  const { startingDeadlineSeconds, concurrencyPolicy } = cronJob.spec;
  const { active = [], lastScheduleTime } = status;
  if (startingDeadlineSeconds !== undefined && due.atMs + startingDeadlineSeconds * 1000 < nowMs)
    return { events: [events.missSchedule(due.atMs)] };
  const name = jobNameAt(cronJob, due.atMs);
  const isDone = lastScheduleTime !== undefined && Date.parse(lastScheduleTime) === due.atMs;
  if (isDone || active.some((job) => job.name === name)) return { events: [] };
  if (concurrencyPolicy === "Forbid" && active.length > 0) return { events: [events.alreadyActive()] };
  return undefined;
}
