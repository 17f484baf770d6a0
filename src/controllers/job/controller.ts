// Runs each Job's pods to their end and counts them. Decides nothing itself: survey.ts sorts the pods, plan.ts says which to make and delete,
// tracking.ts what is counted. The runtime holds a key until the cache shows what was done, so no pod is made or counted twice.
import type { Job, JobStatus, Pod } from "../../api/generated/types.ts";
import { jobEnd } from "../../api/job-status.ts";
import { jobs } from "../../api/kinds/job.ts";
import { pods } from "../../api/kinds/pod.ts";
import { equalJson } from "../../api/own.ts";
import { isPodReady } from "../../api/pod-status.ts";
import { labelMatcher } from "../../api/selectors.ts";
import { createRecorder, type Recorder } from "../../client/recorder.ts";
import { claimObjects } from "../runtime/claims.ts";
import type { ControllerContext, RunningController } from "../runtime/context.ts";
import { CONTROLLED_BY, controlledByIndex } from "../runtime/controlled-by.ts";
import { startController, type Writes } from "../runtime/start-controller.ts";
import { isActive } from "../shared/pod-availability.ts";
import { createPod, deletePod, type PodWork, say } from "../shared/pod-control.ts";
import { errorsOf, slowStart } from "../shared/slow-start.ts";
import { watchOwners } from "../shared/watch-owners.ts";
import { type BackoffRecord, NO_BACKOFF } from "./backoff.ts";
import { ended } from "./events.ts";
import { hold, release } from "./finalizer.ts";
import { startOrphanedPods } from "./orphans.ts";
import { type JobPlan, planJob } from "./plan.ts";
import { isTracked, podOfJob } from "./pods.ts";
import { type Survey, surveyJob } from "./survey.ts";
import { type Outcome, settleStatus, trackPods } from "./tracking.ts";

/** The value of spec.managedBy that means this controller. */
const OWN_NAME = "kubernetes.io/job-controller";

interface Work extends PodWork {
  readonly context: ControllerContext;
  readonly writes: Writes;
  readonly owner: Job;
}

export function startJobController(context: ControllerContext): RunningController {
  const { informers, client, clock } = context;
  const recorder = createRecorder(client, { component: "job-controller", clock });
  const backoffs = new Map<string, BackoffRecord>();
  informers.addIndex(pods, CONTROLLED_BY, controlledByIndex);
  const controller = startController(context, {
    name: "job-controller",
    watch: (enqueue) =>
      watchOwners(informers, { resource: jobs, selects: ({ spec }) => labelMatcher(spec.selector) }, enqueue),
    reconcile: (key, _signal, writes) => reconcile(key, { context, recorder, writes, backoffs }),
  });
  const orphans = startOrphanedPods(context);
  return {
    async stop() {
      await Promise.all([controller.stop(), orphans.stop()]);
    },
  };
}

interface Reconcile {
  readonly context: ControllerContext;
  readonly recorder: Recorder;
  readonly writes: Writes;
  /** By key: how often the Job's pods have failed lately. */
  readonly backoffs: Map<string, BackoffRecord>;
}

async function reconcile(
  key: string,
  { context, recorder, writes, backoffs }: Reconcile,
): Promise<{ requeueAfterMs: number } | undefined> {
  const { client, clock, timing } = context;
  const job = context.informers.of(jobs).get(key);
  if (!job || jobEnd(job)) {
    backoffs.delete(key);
    return undefined;
  }
  if ((job.spec.managedBy ?? OWN_NAME) !== OWN_NAME) return undefined;
  const work: Work = { context, client, recorder, writes, owner: job };
  const survey = surveyJob(job, await claimPods(work), backoffs.get(key) ?? NO_BACKOFF);
  const plan = planJob(survey, { nowMs: clock.now(), timing });
  const { outcome, errors } = await applyPlan(survey, plan, work);
  await track(survey, { plan, outcome }, work);
  backoffs.set(key, survey.backoff);
  if (errors.length > 0) throw errors[0];
  return plan.againMs === undefined ? undefined : { requeueAfterMs: plan.againMs };
}

/** The Job's pods; those that it adopts are tracked from now on. */
async function claimPods({ context, writes, owner }: Work): Promise<readonly Readonly<Pod>[]> {
  const selects = labelMatcher(owner.spec.selector);
  const claim = { owner, ownerResource: jobs, resource: pods, selects, mayAdopt: isActive, writes };
  const claimed = await claimObjects(context, claim);
  return await Promise.all(
    claimed.map(async (pod) =>
      isActive(pod) && !isTracked(pod) ? ((await hold(pod, { client: context.client, writes })) ?? pod) : pod,
    ),
  );
}

async function applyPlan(
  survey: Survey,
  plan: JobPlan,
  work: Work,
): Promise<{ outcome: Outcome; errors: readonly unknown[] }> {
  const gone: Readonly<Pod>[] = [];
  const remove = async (pod: Readonly<Pod>) => {
    // A pod that is not to count must lose its finalizer before it can look like one that failed.
    if (plan.uncounted) await release(pod, work);
    await deletePod(work, pod);
    gone.push(pod);
  };
  let made = 0;
  const make = async (at: number) => {
    await createPod(work, podOfJob(survey.job, plan.create[at]));
    made += 1;
  };
  const errors = [
    ...(await errorsOf(plan.remove.map(remove))),
    ...(await slowStart(plan.create.length, make)),
  ];
  const outcome = {
    active: survey.active.length - gone.length + made,
    ready: survey.ready - gone.filter(isPodReady).length,
    terminating: survey.terminating + gone.length,
    complete: errors.length === 0,
  };
  return { outcome, errors };
}

/** The three steps of tracking.ts, each written before the next is begun. */
async function track(
  survey: Survey,
  { plan, outcome }: { plan: JobPlan; outcome: Outcome },
  work: Work,
): Promise<void> {
  const { job, pods: all } = survey;
  const tracking = trackPods(survey, plan, outcome, work.context.clock.now());
  const noted = await writeStatus(job, tracking.status, work);
  for (const event of tracking.events) say(work, event);
  const tracked = new Set(all.filter(isTracked).map(({ metadata }) => metadata.uid));
  const errors = await errorsOf(
    tracking.release.map(async (pod) => {
      await release(pod, work);
      tracked.delete(pod.metadata.uid);
    }),
  );
  const settled = settleStatus(noted.status ?? {}, tracked, tracking.end);
  const last = await writeStatus(noted, settled.status, work);
  if (settled.ended && tracking.end) for (const event of ended(last, tracking.end)) say(work, event);
  if (errors.length > 0) throw errors[0];
}

async function writeStatus(job: Job, status: JobStatus, { client, writes }: Work): Promise<Job> {
  if (equalJson(job.status ?? {}, status)) return job;
  const written = await client.updateStatus(jobs, { ...job, status });
  writes.wrote(jobs, written);
  return written;
}
