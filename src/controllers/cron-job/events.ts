// The Events of CronJobs, worded as Kubernetes words them.
import type { EventText } from "../shared/pod-events.ts";

const normal = (reason: string, message: string): EventText => ({ type: "Normal", reason, message });
const warning = (reason: string, message: string): EventText => ({ type: "Warning", reason, message });

export const successfulCreate = (job: string) => normal("SuccessfulCreate", `Created job ${job}`);
export const failedCreate = (why: string) => warning("FailedCreate", `Error creating job: ${why}`);
export const successfulDelete = (job: string) => normal("SuccessfulDelete", `Deleted job ${job}`);
export const failedDelete = (why: string) => warning("FailedDelete", `Deleted job: ${why}`);
export const sawCompletedJob = (job: string, end: string) =>
  normal("SawCompletedJob", `Saw completed job: ${job}, condition: ${end}`);
export const missingJob = (job: string) => normal("MissingJob", `Active job went missing: ${job}`);
export const unexpectedJob = (job: string) =>
  warning("UnexpectedJob", `Saw a job that the controller did not create or forgot: ${job}`);
export const alreadyActive = () =>
  normal(
    "JobAlreadyActive",
    "Not starting job because prior execution is running and concurrency policy is Forbid",
  );
export const tooManyMissed = () =>
  warning(
    "TooManyMissedTimes",
    "too many missed start times. Set or decrease .spec.startingDeadlineSeconds or check clock skew",
  );
export const unparseableSchedule = (schedule: string, why: string) =>
  warning("UnparseableSchedule", `unparseable schedule: ${JSON.stringify(schedule)} : ${why}`);

/** The time as Go's RFC1123Z writes it: `Fri, 02 Jan 2026 03:04:00 +0000`. */
export const missSchedule = (dueMs: number) =>
  warning(
    "MissSchedule",
    `Missed scheduled time to start a job: ${new Date(dueMs).toUTCString().replace("GMT", "+0000")}`,
  );
