// Lets go of tracked pods that no Job will count any more: the Job is gone or over, or the pod is no longer the Job's. Without this their
// finalizer would keep them for ever.
import type { Job, Pod } from "../../api/generated/types.ts";
import { jobEnd } from "../../api/job-status.ts";
import { jobs } from "../../api/kinds/job.ts";
import { pods } from "../../api/kinds/pod.ts";
import { controllerOf, keyOf } from "../../api/object.ts";
import type { ControllerContext, RunningController } from "../runtime/context.ts";
import { controlledBy } from "../runtime/controlled-by.ts";
import { startController } from "../runtime/start-controller.ts";
import { release } from "./finalizer.ts";
import { isTracked } from "./pods.ts";

export function startOrphanedPods(context: ControllerContext): RunningController {
  const { client, informers } = context;
  const podList = informers.of(pods);
  const jobList = informers.of(jobs);

  const ownerOf = (pod: Readonly<Pod>) => {
    const reference = controllerOf(pod);
    return reference?.kind === jobs.kind ? reference : undefined;
  };
  const counts = (job: Readonly<Job> | undefined, uid: string) => job?.metadata.uid === uid && !jobEnd(job);
  const isOrphan = (pod: Readonly<Pod>): boolean => {
    const owner = ownerOf(pod);
    if (!owner) return true;
    const key = keyOf({ metadata: { namespace: pod.metadata.namespace ?? "", name: owner.name } });
    return !counts(jobList.get(key), owner.uid);
  };
  return startController(context, {
    name: "job-orphaned-pods",
    watch: (enqueue) => [
      podList.onChange((pod) => pod && isTracked(pod) && isOrphan(pod) && enqueue(keyOf(pod))),
      jobList.onChange((after, before) => {
        const job = after ?? before;
        if (!job || counts(after, job.metadata.uid)) return;
        for (const pod of controlledBy(podList, job.metadata.uid)) if (isTracked(pod)) enqueue(keyOf(pod));
      }),
    ],
    async reconcile(key, _signal, writes) {
      const pod = podList.get(key);
      if (!pod || !isTracked(pod) || !isOrphan(pod)) return;
      const owner = ownerOf(pod);
      // The cache may be behind: before a Job is taken for gone, the server is asked.
      const { namespace } = pod.metadata;
      const job = owner && (await client.find(jobs, { namespace, name: owner.name }));
      if (!owner || !counts(job, owner.uid)) await release(pod, { client, writes });
    },
  });
}
