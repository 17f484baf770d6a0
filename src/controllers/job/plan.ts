// Pure: whether a Job is at its end, and else which pods it needs and which it has too many of. Source of the rules: Kubernetes' job
// controller (syncJob and manageJob).
import type { Job, JobCondition, Pod } from "../../api/generated/types.ts";
import { countIndexes, firstMissing, unionOf, withIndexes } from "../../api/index-set.ts";
import { isIndexed, jobCondition } from "../../api/job-status.ts";
import { timestamp } from "../../base/clock.ts";
import { leastUsefulFirst } from "../shared/ranking.ts";
import { type BackoffTiming, backoffLeft, indexBackoffLeft } from "./backoff.ts";
import {
  completionIndex,
  earlierFailures,
  isFailed,
  isTerminating,
  type NewIndex,
  replacesOnlyFailed,
} from "./pods.ts";
import { judgeFailure, metSuccessRule } from "./policies.ts";
import type { Survey } from "./survey.ts";

/** Kubernetes' MaxPodCreateDeletePerSync: the next pass does the rest. */
export const BURST = 500;

export interface JobTime {
  readonly nowMs: number;
  readonly timing: BackoffTiming;
}

export interface JobPlan {
  /** Why the Job ends: the condition that comes before Complete or Failed. */
  readonly end?: JobCondition;
  readonly remove: readonly Readonly<Pod>[];
  /** The pods to remove are not to be counted: they are let go of before they are deleted. */
  readonly uncounted: boolean;
  /** One entry a pod; undefined for a pod without an index. */
  readonly create: readonly (NewIndex | undefined)[];
  /** Look again after this long, if nothing happens before. */
  readonly againMs?: number;
}

export function planJob(survey: Survey, time: JobTime): JobPlan {
  const end = planEnd(survey, time.nowMs);
  if (end) return { end, remove: survey.active, uncounted: false, create: [] };
  const againMs = deadlineLeft(survey.job, time.nowMs);
  const plan = survey.job.metadata.deletionTimestamp
    ? { remove: [], uncounted: false, create: [] }
    : planPods(survey, time);
  const waits = [againMs, plan.againMs].filter((ms) => ms !== undefined);
  return { ...plan, ...(waits.length > 0 ? { againMs: Math.min(...waits) } : {}) };
}

export function condition(
  type: string,
  nowMs: number,
  {
    status = "True",
    reason,
    message,
  }: { status?: string; reason?: string | undefined; message?: string | undefined },
): JobCondition {
  const at = timestamp(nowMs);
  return {
    type,
    status,
    lastProbeTime: at,
    lastTransitionTime: at,
    ...(reason ? { reason } : {}),
    ...(message ? { message } : {}),
  };
}

/** The interim condition with which the Job ends; Complete or Failed follows when its pods are counted and gone. */
function planEnd(survey: Survey, nowMs: number): JobCondition | undefined {
  const { job } = survey;
  for (const type of ["SuccessCriteriaMet", "FailureTarget"]) {
    const known = jobCondition(job, type);
    if (known?.status === "True") return known;
  }
  const failure = failureOf(survey, nowMs);
  if (failure) return condition("FailureTarget", nowMs, failure);
  const message = isIndexed(job) ? metSuccessRule(job, survey.indexes.succeeded) : undefined;
  return message === undefined
    ? undefined
    : condition("SuccessCriteriaMet", nowMs, { reason: "SuccessPolicy", message });
}

function failureOf(survey: Survey, nowMs: number): { reason: string; message: string } | undefined {
  const { job, pods, indexes } = survey;
  for (const pod of pods) {
    const message = isFailed(pod, job) ? judgeFailure(job, pod).failsJob : undefined;
    if (message !== undefined) return { reason: "PodFailurePolicy", message };
  }
  if (survey.failed > (job.spec.backoffLimit ?? 6) || restartedTooOften(survey))
    return { reason: "BackoffLimitExceeded", message: "Job has reached the specified backoff limit" };
  if (deadlineLeft(job, nowMs) === 0)
    return { reason: "DeadlineExceeded", message: "Job was active longer than specified deadline" };
  if (!indexes.failed) return undefined;
  const failed = countIndexes(indexes.failed);
  const { maxFailedIndexes, completions = 0 } = job.spec;
  if (maxFailedIndexes !== undefined && failed > maxFailedIndexes)
    return {
      reason: "MaxFailedIndexesExceeded",
      message: "Job has exceeded the specified maximal number of failed indexes",
    };
  if (failed > 0 && failed + countIndexes(indexes.succeeded) >= completions)
    return { reason: "FailedIndexes", message: "Job has failed indexes" };
  return undefined;
}

/** With restartPolicy OnFailure pods do not fail: their containers' restarts count instead. */
function restartedTooOften({ job, pods }: Survey): boolean {
  if (job.spec.template.spec?.restartPolicy !== "OnFailure") return false;
  const restarts = pods
    .filter(({ status }) => status?.phase === "Running" || status?.phase === "Pending")
    .flatMap(({ status }) => [...(status?.initContainerStatuses ?? []), ...(status?.containerStatuses ?? [])])
    .reduce((sum, { restartCount }) => sum + restartCount, 0);
  const limit = job.spec.backoffLimit ?? 6;
  return limit === 0 ? restarts > 0 : restarts >= limit;
}

/** How long the Job may still be active; undefined where it has no deadline, or is suspended. */
function deadlineLeft({ spec, status }: Readonly<Job>, nowMs: number): number | undefined {
  if (spec.activeDeadlineSeconds === undefined || spec.suspend) return undefined;
  const startedMs = status?.startTime ? Date.parse(status.startTime) : nowMs;
  return Math.max(0, startedMs + spec.activeDeadlineSeconds * 1000 - nowMs);
}

/** How many pods there should be, by completions and parallelism. */
export function wantedActive({ job, active, succeeded }: Survey): number {
  const { completions, parallelism = 1 } = job.spec;
  // Without completions the first success says that the work is done: what still runs may finish.
  if (completions === undefined) return succeeded > 0 ? active.length : parallelism;
  return Math.max(0, Math.min(completions - succeeded, parallelism));
}

function planPods(survey: Survey, { nowMs, timing }: JobTime): JobPlan {
  const { job, active } = survey;
  if (job.spec.suspend) return { remove: tooMany(survey, active.length, nowMs), uncounted: true, create: [] };
  const wanted = wantedActive(survey);
  const remove = tooMany(survey, Math.max(0, active.length - wanted), nowMs).slice(0, BURST);
  // Deleting comes first: two pods of one index must not be joined by a third.
  if (remove.length > 0) return { remove, uncounted: true, create: [] };
  const none: JobPlan = { remove: [], uncounted: false, create: [] };
  const missing = wanted - active.length - (replacesOnlyFailed(job) ? survey.terminating : 0);
  if (missing <= 0) return none;
  const count = Math.min(missing, BURST);
  if (job.spec.backoffLimitPerIndex !== undefined)
    return { ...none, ...planIndexes(survey, count, { nowMs, timing }) };
  const againMs = backoffLeft(survey.backoff, timing, nowMs);
  if (againMs > 0) return { ...none, againMs };
  const create = isIndexed(job)
    ? pendingIndexes(survey, count).map((index) => ({ index }))
    : Array.from({ length: count }, () => undefined);
  return { ...none, create };
}

/** With backoffLimitPerIndex each index waits for itself, and a new pod goes on counting from the one that it replaces. */
function planIndexes(
  survey: Survey,
  count: number,
  { nowMs, timing }: JobTime,
): Pick<JobPlan, "create" | "againMs"> {
  const pending = pendingIndexes(survey, count).map((index) => {
    const last = survey.replaced.get(index);
    return { index, failures: nextFailures(survey.job, last), leftMs: indexBackoffLeft(last, timing, nowMs) };
  });
  const create = pending
    .filter(({ leftMs }) => leftMs === 0)
    .map(({ index, failures }) => ({ index, failures }));
  const waits = pending.filter(({ leftMs }) => leftMs > 0).map(({ leftMs }) => leftMs);
  return { create, ...(waits.length > 0 ? { againMs: Math.min(...waits) } : {}) };
}

function nextFailures(job: Readonly<Job>, last: Readonly<Pod> | undefined) {
  if (!last) return { counted: 0, ignored: 0 };
  const { counted, ignored } = earlierFailures(last);
  return judgeFailure(job, last).counts
    ? { counted: counted + 1, ignored }
    : { counted, ignored: ignored + 1 };
}

function pendingIndexes({ job, pods, active, indexes }: Survey, count: number): number[] {
  const taken = replacesOnlyFailed(job) ? [...active, ...pods.filter(isTerminating)] : active;
  const busy = taken.map(completionIndex).filter((index) => index !== undefined);
  const settled = unionOf(indexes.succeeded, indexes.failed ?? []);
  return firstMissing(withIndexes(settled, busy), count, job.spec.completions ?? 0);
}

/** At least `atLeast` of the active pods, the least useful first; of an Indexed Job all that double an index or have none. */
function tooMany({ job, active }: Survey, atLeast: number, nowMs: number): readonly Readonly<Pod>[] {
  const ranked = leastUsefulFirst(active, { nowMs, podsOnNode: () => 0 });
  if (!isIndexed(job)) return ranked.slice(0, atLeast);
  const seen = new Set<number>();
  const surplus: Readonly<Pod>[] = [];
  const left: Readonly<Pod>[] = [];
  // From the most useful on: of each index the first one stays.
  for (const pod of [...ranked].reverse()) {
    const index = completionIndex(pod);
    const stays = index !== undefined && index < (job.spec.completions ?? 0) && !seen.has(index);
    if (index !== undefined) seen.add(index);
    (stays ? left : surplus).push(pod);
  }
  return [...surplus, ...left.reverse().slice(0, Math.max(0, atLeast - surplus.length))];
}
