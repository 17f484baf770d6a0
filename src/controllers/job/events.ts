// The Events of Jobs, worded as Kubernetes words them.
import type { Job, JobCondition } from "../../api/generated/types.ts";
import type { EventText } from "../shared/pod-events.ts";

/** How a Job ended; `end` is its last condition. */
export function ended({ spec, status }: Readonly<Job>, end: JobCondition): EventText[] {
  if (end.type !== "Complete")
    return [{ type: "Warning", reason: end.reason ?? "", message: end.message ?? "" }];
  const surplus = spec.completions !== undefined && (status?.succeeded ?? 0) > spec.completions;
  const tooMany: EventText = {
    type: "Warning",
    reason: "TooManySucceededPods",
    message: "Too many succeeded pods running after completion count reached",
  };
  return [...(surplus ? [tooMany] : []), { type: "Normal", reason: "Completed", message: "Job completed" }];
}
