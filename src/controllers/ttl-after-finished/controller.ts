// Deletes Jobs with ttlSecondsAfterFinished when their time is up, and their pods before them.
import { jobs } from "../../api/kinds/job.ts";
import { keyOf } from "../../api/object.ts";
import { hasReason } from "../../api/status-error.ts";
import type { ControllerContext, RunningController } from "../runtime/context.ts";
import { startController } from "../runtime/start-controller.ts";
import { timeLeft } from "./plan.ts";

export function startTtlAfterFinished(context: ControllerContext): RunningController {
  const { client, clock, informers } = context;
  const list = informers.of(jobs);
  return startController(context, {
    name: "ttl-after-finished-controller",
    watch: (enqueue) => [
      list.onChange((job) => job && timeLeft(job, clock.now()) !== undefined && enqueue(keyOf(job))),
    ],
    async reconcile(key, _signal, writes) {
      const job = list.get(key);
      const leftMs = job && timeLeft(job, clock.now());
      if (!job || leftMs === undefined) return;
      if (leftMs > 0) return { requeueAfterMs: leftMs };
      // The time to live may have been made longer since the cache saw the Job.
      const { uid, resourceVersion } = job.metadata;
      const preconditions = { uid, resourceVersion };
      try {
        await client.delete(jobs, job.metadata, { propagationPolicy: "Foreground", preconditions });
        writes.deleted(jobs, job);
      } catch (error) {
        if (!hasReason(error, "NotFound")) throw error;
      }
      return;
    },
  });
}
