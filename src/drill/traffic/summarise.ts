// From the records of requests to what a report says about them. Pure.
import { FAILED, type Failure, type PodAnswers, type Records, SERVED } from "./records.ts";

export interface Latency {
  readonly p50: number;
  readonly p90: number;
  readonly p99: number;
  readonly p999: number;
  readonly max: number;
}

export interface Outage {
  readonly at: number;
  readonly ms: number;
  readonly failed: number;
}

/** A slice of time, for the timeline. */
export interface Bucket {
  readonly at: number;
  readonly sent: number;
  readonly failed: number;
  /** The slowest answer's latency. */
  readonly slowest: number;
}

export interface StreamSummary {
  readonly name: string;
  readonly rateAsked: number;
  /** What this machine really sent a second. */
  readonly rateSent: number;
  /** How late the latest request was sent. */
  readonly worstLag: number;
  readonly sent: number;
  readonly served: number;
  readonly failed: number;
  readonly refused: number;
  readonly causes: Readonly<Record<string, number>>;
  /** Of what was served, from the moment a request was due. Zero where nothing was. */
  readonly latency: Latency;
  /** The longest run of failed requests, from when its first was due until one was served that was due later. */
  readonly longestOutage?: Outage;
  readonly failures: readonly Failure[];
  readonly pods: Readonly<Record<string, PodAnswers>>;
  readonly bucketMs: number;
  readonly buckets: readonly Bucket[];
}

const MOST_BUCKETS = 600;
const LEAST_BUCKET_MS = 100;

export function summarise(records: readonly Records[], name: string, endedAt: number): StreamSummary {
  const startedAt = Math.min(...records.map((each) => each.startedAt));
  const seconds = Math.max(endedAt - startedAt, 1) / 1_000;
  const sum = (of: (each: Records) => number) => records.reduce((all, each) => all + of(each), 0);
  const causes: Record<string, number> = {};
  const pods: Record<string, PodAnswers> = {};
  for (const each of records) {
    for (const [cause, count] of each.causes) causes[cause] = (causes[cause] ?? 0) + count;
    for (const [pod, { served, lastSentAt }] of each.pods) {
      const before = pods[pod] ?? { served: 0, lastSentAt: 0 };
      pods[pod] = {
        served: before.served + served,
        lastSentAt: Math.max(before.lastSentAt, lastSentAt),
      };
    }
  }
  const longestOutage = records
    .flatMap((each) => outagesOf(each, endedAt))
    .reduce<Outage | undefined>((worst, each) => (each.ms > (worst?.ms ?? 0) ? each : worst), undefined);
  const bucketMs = Math.max(LEAST_BUCKET_MS, Math.ceil((seconds * 1_000) / MOST_BUCKETS));
  return {
    name,
    rateAsked: sum(({ rate }) => rate),
    rateSent: sum(({ sent }) => sent) / seconds,
    worstLag: Math.max(0, ...records.map(({ worstLag }) => worstLag)),
    sent: sum(({ sent }) => sent),
    served: sum(({ served }) => served),
    failed: sum(({ failed }) => failed),
    refused: sum(({ refused }) => refused),
    causes,
    latency: latencyOf(records),
    ...(longestOutage ? { longestOutage } : {}),
    failures: records.flatMap(({ failures }) => failures).sort((a, b) => a.at - b.at),
    pods,
    bucketMs,
    buckets: bucketsOf(records, { startedAt, endedAt, bucketMs }),
  };
}

/** By nearest rank: the smallest value that at least so much of all are at most. */
export function percentile(sorted: ArrayLike<number>, percent: number): number {
  return sorted[Math.max(Math.ceil((percent / 100) * sorted.length) - 1, 0)] ?? 0;
}

function latencyOf(records: readonly Records[]): Latency {
  const served = new Float32Array(records.reduce((all, each) => all + each.served, 0));
  let next = 0;
  for (const each of records)
    for (let index = 0; index < each.sent; index++)
      if (each.outcomeOf(index) === SERVED) served[next++] = each.latencyOf(index);
  served.sort();
  const at = (percent: number) => percentile(served, percent);
  return { p50: at(50), p90: at(90), p99: at(99), p999: at(99.9), max: at(100) };
}

export function outagesOf(records: Records, endedAt: number): Outage[] {
  const outages: Outage[] = [];
  let first = -1;
  let failed = 0;
  const close = (until: number) => {
    if (first >= 0) outages.push({ at: records.dueAt(first), ms: until - records.dueAt(first), failed });
    first = -1;
    failed = 0;
  };
  for (let index = 0; index < records.sent; index++) {
    const outcome = records.outcomeOf(index);
    if (outcome === SERVED) close(records.dueAt(index));
    else if (outcome === FAILED) {
      if (first < 0) first = index;
      failed++;
    }
  }
  close(Math.max(endedAt, records.dueAt(records.sent)));
  return outages;
}

function bucketsOf(
  records: readonly Records[],
  { startedAt, endedAt, bucketMs }: { startedAt: number; endedAt: number; bucketMs: number },
): Bucket[] {
  const count = Math.max(Math.ceil((endedAt - startedAt) / bucketMs), 1);
  const buckets = Array.from({ length: count }, (_, index) => ({
    at: startedAt + index * bucketMs,
    sent: 0,
    failed: 0,
    slowest: 0,
  }));
  for (const each of records)
    for (let index = 0; index < each.sent; index++) {
      const place = Math.min(Math.floor((each.dueAt(index) - startedAt) / bucketMs), count - 1);
      const bucket = buckets[Math.max(place, 0)];
      if (!bucket) continue;
      bucket.sent++;
      if (each.outcomeOf(index) === FAILED) bucket.failed++;
      if (each.outcomeOf(index) === SERVED) bucket.slowest = Math.max(bucket.slowest, each.latencyOf(index));
    }
  return buckets;
}
