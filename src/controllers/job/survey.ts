// What there is of a Job: its pods sorted by what they mean, and the counts that follow. Pure; plan.ts and tracking.ts decide on it.
import type { Job, Pod } from "../../api/generated/types.ts";
import { countIndexes, hasIndex, type IndexSet, parseIndexes, withIndexes } from "../../api/index-set.ts";
import { isIndexed } from "../../api/job-status.ts";
import { isPodReady } from "../../api/pod-status.ts";
import { isActive } from "../shared/pod-availability.ts";
import { type BackoffRecord, nextRecord } from "./backoff.ts";
import { completionIndex, earlierFailures, finishedAt, isFailed, isTerminating, isTracked } from "./pods.ts";
import { judgeFailure } from "./policies.ts";

export interface Survey {
  readonly job: Readonly<Job>;
  readonly pods: readonly Readonly<Pod>[];
  readonly active: readonly Readonly<Pod>[];
  readonly ready: number;
  readonly terminating: number;
  /** What the status counts, what it has noted to count, and what has ended since. */
  readonly succeeded: number;
  readonly failed: number;
  /** Of an Indexed Job; the failed ones with backoffLimitPerIndex only. */
  readonly indexes: { readonly before: IndexSet; readonly succeeded: IndexSet; readonly failed?: IndexSet };
  /** By index: the failed pod that is kept until its replacement, which goes on counting from it, is there. */
  readonly replaced: ReadonlyMap<number, Readonly<Pod>>;
  readonly backoff: BackoffRecord;
}

export function surveyJob(
  job: Readonly<Job>,
  pods: readonly Readonly<Pod>[],
  backoff: BackoffRecord,
): Survey {
  const { uncountedTerminatedPods: uncounted, succeeded = 0, failed = 0 } = job.status ?? {};
  const active = pods.filter(isActive);
  const isNew = (pod: Readonly<Pod>, noted: readonly string[] = []) =>
    isTracked(pod) && isValid(job, pod) && !noted.includes(pod.metadata.uid);
  const newSucceeded = pods.filter(
    (pod) => pod.status?.phase === "Succeeded" && isNew(pod, uncounted?.succeeded),
  );
  const newFailed = pods.filter((pod) => isFailed(pod, job) && isNew(pod, uncounted?.failed));
  const counted = newFailed.filter((pod) => judgeFailure(job, pod).counts);
  const indexes = surveyIndexes(job, pods);
  return {
    job,
    pods,
    active,
    ready: active.filter(isPodReady).length,
    terminating: pods.filter(isTerminating).length,
    succeeded: isIndexed(job)
      ? countIndexes(indexes.succeeded)
      : succeeded + newSucceeded.length + (uncounted?.succeeded?.length ?? 0),
    failed: failed + counted.length + (uncounted?.failed?.length ?? 0),
    indexes,
    replaced: replacedPods(job, pods, { active, indexes }),
    backoff: nextRecord(backoff, newSucceeded, newFailed),
  };
}

/** A pod of an Indexed Job counts only with an index that the Job has. */
export function isValid(job: Readonly<Job>, pod: Readonly<Pod>): boolean {
  if (!isIndexed(job)) return true;
  const index = completionIndex(pod);
  return index !== undefined && index < (job.spec.completions ?? 0);
}

function surveyIndexes(job: Readonly<Job>, pods: readonly Readonly<Pod>[]): Survey["indexes"] {
  if (!isIndexed(job)) return { before: [], succeeded: [] };
  const { completions = 0, backoffLimitPerIndex } = job.spec;
  const read = (text = "") => parseIndexes(text, completions);
  const indexesOf = (fits: (pod: Readonly<Pod>) => boolean) =>
    pods.flatMap((pod) =>
      isTracked(pod) && isValid(job, pod) && fits(pod) ? [completionIndex(pod) ?? 0] : [],
    );
  const before = read(job.status?.completedIndexes);
  const succeeded = withIndexes(
    before,
    indexesOf((pod) => pod.status?.phase === "Succeeded"),
  );
  if (backoffLimitPerIndex === undefined) return { before, succeeded };
  const failed = withIndexes(
    read(job.status?.failedIndexes),
    indexesOf((pod) => failsItsIndex(job, pod, backoffLimitPerIndex)),
  );
  return { before, succeeded, failed };
}

function failsItsIndex(job: Readonly<Job>, pod: Readonly<Pod>, limit: number): boolean {
  if (!isFailed(pod, job)) return false;
  const { counts, failsIndex } = judgeFailure(job, pod);
  return failsIndex || (counts && earlierFailures(pod).counted >= limit);
}

function replacedPods(
  job: Readonly<Job>,
  pods: readonly Readonly<Pod>[],
  { active, indexes }: Pick<Survey, "active" | "indexes">,
): ReadonlyMap<number, Readonly<Pod>> {
  const found = new Map<number, Readonly<Pod>>();
  if (job.spec.backoffLimitPerIndex === undefined) return found;
  const running = new Set(active.map(completionIndex));
  for (const pod of pods) {
    const index = completionIndex(pod);
    if (index === undefined || !isTracked(pod) || !isValid(job, pod) || !isFailed(pod, job)) continue;
    const isSettled = hasIndex(indexes.succeeded, index) || hasIndex(indexes.failed ?? [], index);
    if (isSettled || running.has(index)) continue;
    const other = found.get(index);
    if (!other || isLater(pod, other)) found.set(index, pod);
  }
  return found;
}

const isLater = (pod: Readonly<Pod>, other: Readonly<Pod>): boolean =>
  failuresOf(pod) >= failuresOf(other) && finishedAt(pod) >= finishedAt(other);

function failuresOf(pod: Readonly<Pod>): number {
  const { counted, ignored } = earlierFailures(pod);
  return counted + ignored;
}
