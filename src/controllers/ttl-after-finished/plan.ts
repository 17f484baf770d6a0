// Pure: when a Job that has ended is to go.
import type { Job } from "../../api/generated/types.ts";
import { jobCondition, jobEnd } from "../../api/job-status.ts";

/** How many ms the Job has left: 0 when it is due, undefined where it has no time to live, has not ended or is going already. */
export function timeLeft(job: Readonly<Job>, nowMs: number): number | undefined {
  const { ttlSecondsAfterFinished } = job.spec;
  const end = jobEnd(job);
  if (ttlSecondsAfterFinished === undefined || !end || job.metadata.deletionTimestamp) return undefined;
  const endedMs = Date.parse(jobCondition(job, end)?.lastTransitionTime ?? "");
  if (Number.isNaN(endedMs)) return undefined;
  return Math.max(0, endedMs + ttlSecondsAfterFinished * 1000 - nowMs);
}
