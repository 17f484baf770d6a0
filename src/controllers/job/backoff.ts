// How long a Job waits before it replaces pods that fail. Pure; the controller keeps a Job's record in memory, as Kubernetes does: after a
// restart of the control plane the back-off starts anew, the counts in the status do not.
import type { Pod } from "../../api/generated/types.ts";
import { earlierFailures, finishedAt } from "./pods.ts";

export interface BackoffRecord {
  readonly failuresSinceSuccess: number;
  readonly lastFailureMs: number;
}

export const NO_BACKOFF: BackoffRecord = { failuresSinceSuccess: 0, lastFailureMs: 0 };

export interface BackoffTiming {
  readonly jobBackoffMs: number;
  readonly jobBackoffMaxMs: number;
}

/** The record after these pods have ended as well: a success forgets the failures before it. */
export function nextRecord(
  before: BackoffRecord,
  succeeded: readonly Readonly<Pod>[],
  failed: readonly Readonly<Pod>[],
): BackoffRecord {
  const lastSuccess = Math.max(...succeeded.map(finishedAt));
  const later = failed.map(finishedAt).filter((end) => end > lastSuccess);
  const kept = succeeded.length > 0 ? NO_BACKOFF : before;
  if (later.length === 0) return kept;
  return {
    failuresSinceSuccess: kept.failuresSinceSuccess + later.length,
    lastFailureMs: Math.max(...later),
  };
}

/** How long no pod may be created yet, 0 when one may. */
export function backoffLeft(record: BackoffRecord, timing: BackoffTiming, nowMs: number): number {
  const { failuresSinceSuccess, lastFailureMs } = record;
  if (failuresSinceSuccess === 0) return 0;
  const delayMs = Math.min(timing.jobBackoffMs * 2 ** (failuresSinceSuccess - 1), timing.jobBackoffMaxMs);
  return Math.max(0, lastFailureMs + delayMs - nowMs);
}

/** The same for one index, whose failures its last pod counts. */
export function indexBackoffLeft(
  last: Readonly<Pod> | undefined,
  timing: BackoffTiming,
  nowMs: number,
): number {
  if (!last) return 0;
  const { counted, ignored } = earlierFailures(last);
  const record = { failuresSinceSuccess: counted + ignored + 1, lastFailureMs: finishedAt(last) };
  return backoffLeft(record, timing, nowMs);
}
