// Counting pods exactly, though any pod may be deleted and the control plane may die at any moment. Pure. A pod that has ended keeps a
// finalizer until it is counted, in three steps, each a write of its own:
//   1. its uid is noted in status.uncountedTerminatedPods (an index that succeeded, in completedIndexes);
//   2. the finalizer is taken off the pod;
//   3. the uid makes way for one more in status.succeeded or failed.
// Worked example: a crash between 2 and 3 leaves a noted uid whose pod has no finalizer: the next pass does step 3 for it, once.
import type { Job, JobCondition, JobStatus, Pod } from "../../api/generated/types.ts";
import { countIndexes, formatIndexes, hasIndex, type IndexSet, withIndexes } from "../../api/index-set.ts";
import { isIndexed } from "../../api/job-status.ts";
import { timestamp } from "../../base/clock.ts";
import { condition, type JobPlan } from "./plan.ts";
import { completionIndex, isFailed, isTracked } from "./pods.ts";
import { judgeFailure } from "./policies.ts";
import { isValid, type Survey } from "./survey.ts";

/** Kubernetes' MaxUncountedPods: keeps the status small. The rest is counted in the next pass. */
export const MOST_UNCOUNTED = 500;

/** What became of a plan: how many pods there are now. */
export interface Outcome {
  readonly active: number;
  readonly ready: number;
  readonly terminating: number;
  /** Everything was done: a Job whose pods could not all be deleted has not ended. */
  readonly complete: boolean;
}

export interface Tracking {
  /** Step 1; written where it differs from what is stored. */
  readonly status: JobStatus;
  /** Step 2: these may lose the finalizer. */
  readonly release: readonly Readonly<Pod>[];
  /** The condition with which the Job ends, once all is counted. */
  readonly end?: JobCondition;
  readonly events: readonly { readonly type: "Normal"; readonly reason: string; readonly message: string }[];
}

interface Noted {
  readonly succeeded: string[];
  readonly failed: string[];
  readonly indexes: number[];
}

export function trackPods(survey: Survey, plan: JobPlan, outcome: Outcome, nowMs: number): Tracking {
  const { job } = survey;
  const interim = plan.end ? (outcome.complete ? plan.end : undefined) : completion(survey, outcome, nowMs);
  const tracked = new Set(survey.pods.filter(isTracked).map(({ metadata }) => metadata.uid));
  const base = settleCounts(job.status ?? {}, tracked);
  const noted: Noted = {
    succeeded: [...(base.uncountedTerminatedPods?.succeeded ?? [])],
    failed: [...(base.uncountedTerminatedPods?.failed ?? [])],
    indexes: [],
  };
  const { release, reachedLimit } = notePods(survey, noted, interim);
  const completed = withIndexes(survey.indexes.before, noted.indexes);
  const suspension = suspensionOf(job, plan, interim, nowMs);
  const { active, ready, terminating } = outcome;
  const counts = { active, ...(isIndexed(job) ? { succeeded: countIndexes(completed) } : {}) };
  const status = withConditions(
    {
      ...withCounts(base, counts),
      ...(suspension.startTime ? { startTime: suspension.startTime } : {}),
      ready,
      terminating,
      ...indexStatus(survey, completed),
      uncountedTerminatedPods: uncounted(noted),
    },
    [...suspension.conditions, ...(interim ? [interim] : [])],
  );
  return {
    status,
    release,
    ...(interim && !reachedLimit ? { end: finalCondition(interim, nowMs) } : {}),
    events: suspension.events,
  };
}

/** Step 3, and the end of the Job once nothing is left to count or to wait for. `tracked`: who still has the finalizer. */
export function settleStatus(
  status: JobStatus,
  tracked: ReadonlySet<string>,
  end: JobCondition | undefined,
): { status: JobStatus; ended: boolean } {
  const settled = settleCounts(status, tracked);
  const { succeeded = [], failed = [] } = settled.uncountedTerminatedPods ?? {};
  if (!end || succeeded.length + failed.length > 0 || (settled.terminating ?? 0) > 0)
    return { status: settled, ended: false };
  const completionTime = end.type === "Complete" ? { completionTime: end.lastTransitionTime } : {};
  return { status: withConditions({ ...settled, ...completionTime } as JobStatus, [end]), ended: true };
}

function settleCounts(status: JobStatus, tracked: ReadonlySet<string>): JobStatus {
  const { succeeded = [], failed = [] } = status.uncountedTerminatedPods ?? {};
  const waiting = (uids: readonly string[]) => uids.filter((uid) => tracked.has(uid));
  const left = { succeeded: waiting(succeeded), failed: waiting(failed) };
  const counts = {
    succeeded: (status.succeeded ?? 0) + succeeded.length - left.succeeded.length,
    failed: (status.failed ?? 0) + failed.length - left.failed.length,
  };
  return { ...withCounts(status, counts), uncountedTerminatedPods: uncounted(left) };
}

/** Counts of zero are left out, as Kubernetes writes them. */
function withCounts(
  status: JobStatus,
  counts: Pick<JobStatus, "active" | "succeeded" | "failed">,
): JobStatus {
  const next = { ...status, ...counts };
  for (const field of ["active", "succeeded", "failed"] as const) if (!next[field]) delete next[field];
  return next;
}

const uncounted = ({ succeeded, failed }: Pick<Noted, "succeeded" | "failed">) => ({
  ...(succeeded.length > 0 ? { succeeded } : {}),
  ...(failed.length > 0 ? { failed } : {}),
});

/** Notes every pod that has ended and is not noted yet, up to the limit; gives those whose finalizer may go. */
function notePods(
  survey: Survey,
  noted: Noted,
  interim: JobCondition | undefined,
): { release: Readonly<Pod>[]; reachedLimit: boolean } {
  const { job } = survey;
  const failsAll = interim !== undefined && interim.type !== "SuccessCriteriaMet";
  const release: Readonly<Pod>[] = [];
  const inOrder = [...survey.pods].sort((a, b) => (completionIndex(a) ?? -1) - (completionIndex(b) ?? -1));
  for (const pod of inOrder) {
    if (!isTracked(pod) || !mayRelease(survey, pod, interim !== undefined)) continue;
    release.push(pod);
    const { uid } = pod.metadata;
    if (pod.status?.phase === "Succeeded" && !noted.failed.includes(uid)) noteSuccess(survey, pod, noted);
    else if ((isFailed(pod, job) || failsAll) && !noted.failed.includes(uid) && isValid(job, pod)) {
      if (judgeFailure(job, pod).counts) noted.failed.push(uid);
    }
    const count = noted.indexes.length + noted.succeeded.length + noted.failed.length;
    if (count >= MOST_UNCOUNTED) return { release, reachedLimit: true };
  }
  return { release, reachedLimit: false };
}

function noteSuccess({ job, indexes }: Survey, pod: Readonly<Pod>, noted: Noted): void {
  const index = completionIndex(pod);
  if (!isIndexed(job)) {
    if (!noted.succeeded.includes(pod.metadata.uid)) noted.succeeded.push(pod.metadata.uid);
    // An index is counted once, however many pods of it succeed: no uid is needed to know that.
  } else if (index !== undefined && isValid(job, pod) && !hasIndex(indexes.before, index))
    noted.indexes.push(index);
}

function mayRelease({ job, replaced }: Survey, pod: Readonly<Pod>, ends: boolean): boolean {
  if (job.metadata.deletionTimestamp || ends || pod.status?.phase === "Succeeded") return true;
  if (!isFailed(pod, job)) return false;
  const index = completionIndex(pod);
  return index === undefined || replaced.get(index)?.metadata.uid !== pod.metadata.uid;
}

/** Enough pods have succeeded, and none is left. */
function completion(
  { job, succeeded }: Survey,
  { active }: Outcome,
  nowMs: number,
): JobCondition | undefined {
  const enough = job.spec.completions === undefined ? succeeded > 0 : succeeded >= job.spec.completions;
  if (!enough || active > 0) return undefined;
  return condition("SuccessCriteriaMet", nowMs, {
    reason: "CompletionsReached",
    message: "Reached expected number of succeeded pods",
  });
}

function finalCondition({ type, reason, message }: JobCondition, nowMs: number): JobCondition {
  return condition(type === "SuccessCriteriaMet" ? "Complete" : "Failed", nowMs, { reason, message });
}

function indexStatus({ job, indexes }: Survey, completed: IndexSet): JobStatus {
  if (!isIndexed(job)) return {};
  return {
    ...(completed.length > 0 || job.status?.completedIndexes
      ? { completedIndexes: formatIndexes(completed) }
      : {}),
    ...(indexes.failed ? { failedIndexes: formatIndexes(indexes.failed) } : {}),
  };
}

interface Suspension {
  readonly startTime?: string;
  readonly conditions: readonly JobCondition[];
  readonly events: Tracking["events"];
}

/** A Job starts when it is first not suspended; resuming starts its deadline anew. */
function suspensionOf(
  job: Readonly<Job>,
  plan: JobPlan,
  interim: JobCondition | undefined,
  nowMs: number,
): Suspension {
  const suspended = job.spec.suspend === true;
  const started = !suspended && !job.status?.startTime ? { startTime: timestamp(nowMs) } : {};
  const before = job.status?.conditions?.find(({ type }) => type === "Suspended");
  const same = (before?.status === "True") === suspended;
  if (plan.end || interim || job.metadata.deletionTimestamp || same)
    return { ...started, conditions: [], events: [] };
  const reason = suspended ? "JobSuspended" : "JobResumed";
  const message = suspended ? "Job suspended" : "Job resumed";
  return {
    ...(suspended ? {} : { startTime: timestamp(nowMs) }),
    conditions: [condition("Suspended", nowMs, { status: suspended ? "True" : "False", reason, message })],
    events: [{ type: "Normal", reason: suspended ? "Suspended" : "Resumed", message }],
  };
}

/** Conditions of a type that is there already take its place; one that says the same changes nothing. */
function withConditions(status: JobStatus, added: readonly JobCondition[]): JobStatus {
  const conditions = [...(status.conditions ?? [])];
  for (const one of added) {
    const at = conditions.findIndex(({ type }) => type === one.type);
    const before = conditions[at];
    if (!before) conditions.push(one);
    else if (before.status !== one.status || before.reason !== one.reason || before.message !== one.message)
      conditions[at] = one;
  }
  return conditions.length > 0 ? { ...status, conditions } : status;
}
