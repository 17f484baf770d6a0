// The small questions about a Job that several parts ask.
import type { Job, JobCondition } from "./generated/types.ts";

export function jobCondition(job: Readonly<Job>, type: string): JobCondition | undefined {
  return job.status?.conditions?.find((condition) => condition.type === type);
}

/** How the Job ended, undefined while it has not. */
export function jobEnd(job: Readonly<Job>): "Complete" | "Failed" | undefined {
  const is = (type: string) => jobCondition(job, type)?.status === "True";
  if (is("Complete")) return "Complete";
  return is("Failed") ? "Failed" : undefined;
}

export const isIndexed = (job: Readonly<Pick<Job, "spec">>): boolean => job.spec.completionMode === "Indexed";
