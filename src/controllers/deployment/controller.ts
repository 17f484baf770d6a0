// Turns a Deployment into ReplicaSets, one a template, and moves replicas from the old to the current one step by step. Each reconcile takes
// at most one step; what it waits for (pods becoming available or going) arrives as a change of a ReplicaSet's status.
import type { Deployment, ReplicaSet } from "../../api/generated/types.ts";
import { deployments } from "../../api/kinds/deployment.ts";
import { pods } from "../../api/kinds/pod.ts";
import { replicaSets } from "../../api/kinds/replica-set.ts";
import { isPodOver } from "../../api/pod-status.ts";
import { labelMatcher } from "../../api/selectors.ts";
import { hasReason } from "../../api/status-error.ts";
import { createRecorder } from "../../client/recorder.ts";
import { claimObjects } from "../runtime/claims.ts";
import type { ControllerContext, RunningController } from "../runtime/context.ts";
import { CONTROLLED_BY, controlledBy, controlledByIndex } from "../runtime/controlled-by.ts";
import { startController } from "../runtime/start-controller.ts";
import { createCurrent, refreshCurrent } from "./current.ts";
import { selectingAll } from "./events.ts";
import { isRollingUpdate } from "./fenceposts.ts";
import { revisionOf } from "./revision.ts";
import {
  isScalingEvent,
  planHistory,
  planRollingUpdate,
  planScale,
  planScaleDownAll,
  type Scale,
  sizeOf,
} from "./scaling.ts";
import {
  baseStatus,
  deadlineIn,
  isComplete,
  pauseCondition,
  rolloutStatus,
  withCondition,
} from "./status.ts";
import { findNewReplicaSet } from "./template.ts";
import { watchDeployments } from "./watch.ts";
import { applyScale, record, type Work, writeStatus } from "./work.ts";

const COMPONENT = "deployment-controller";

type Set = Readonly<ReplicaSet>;

export function startDeploymentController(context: ControllerContext): RunningController {
  const { informers, client, clock } = context;
  const recorder = createRecorder(client, { component: COMPONENT, clock });
  informers.addIndex(pods, CONTROLLED_BY, controlledByIndex);
  informers.addIndex(replicaSets, CONTROLLED_BY, controlledByIndex);
  return startController(context, {
    name: COMPONENT,
    watch: (enqueue) => watchDeployments(informers, enqueue),
    reconcile: async (key, _signal, writes) => {
      const deployment = informers.of(deployments).get(key);
      if (!deployment) return undefined;
      const work: Work = { context, recorder, writes, deployment };
      await reconcile(work);
      const waitMs = deadlineIn(work.deployment, work.deployment.status ?? {}, clock.now());
      return waitMs === undefined ? undefined : { requeueAfterMs: waitMs };
    },
  });
}

async function reconcile(work: Work): Promise<void> {
  const { deployment, context } = work;
  const { matchLabels = {}, matchExpressions = [] } = deployment.spec.selector;
  if (Object.keys(matchLabels).length === 0 && matchExpressions.length === 0) {
    record(work, selectingAll);
    return;
  }
  const sets = await claimReplicaSets(work, deployment);
  const current = findNewReplicaSet(deployment, sets);
  const old = sets.filter((set) => set !== current);
  if (deployment.metadata.deletionTimestamp) {
    await writeStatus(work, baseStatus({ deployment, current, old, nowMs: context.clock.now() }));
    return;
  }
  await writePauseCondition(work);
  if (work.deployment.spec.paused || isScalingEvent({ deployment, current, old }))
    await resize(work, current, old);
  else if (isRollingUpdate(deployment)) await rollOut(work, current, old);
  else await recreate(work, current, old);
}

function claimReplicaSets({ context, writes }: Work, owner: Readonly<Deployment>): Promise<readonly Set[]> {
  return claimObjects<ReplicaSet>(context, {
    owner,
    ownerResource: deployments,
    resource: replicaSets,
    selects: labelMatcher(owner.spec.selector),
    mayAdopt: (set) => set.metadata.deletionTimestamp === undefined,
    writes,
  });
}

async function writePauseCondition(work: Work): Promise<void> {
  const condition = pauseCondition(work.deployment);
  if (!condition) return;
  const { status } = work.deployment;
  const conditions = withCondition(status?.conditions ?? [], condition, work.context.clock.now());
  await writeStatus(work, { ...status, conditions });
}

/** spec.replicas changed, or the Deployment is paused: sizes follow, templates do not. */
async function resize(work: Work, found: Set | undefined, old: readonly Set[]): Promise<void> {
  const current = found && (await refreshCurrent(work, found, old));
  const { deployment, context } = work;
  await applyScales(work, planScale({ deployment, current, old }));
  if (deployment.spec.paused) await cleanUp(work, old);
  await writeStatus(
    work,
    baseStatus({ deployment: work.deployment, current, old, nowMs: context.clock.now() }),
  );
}

async function rollOut(work: Work, found: Set | undefined, old: readonly Set[]): Promise<void> {
  const current = found ? await refreshCurrent(work, found, old) : await createCurrent(work, old);
  const { deployment } = work;
  const moved = await applyScales(work, planRollingUpdate({ deployment, current, old }));
  await finish(work, { current, old, moved });
}

async function recreate(work: Work, found: Set | undefined, old: readonly Set[]): Promise<void> {
  const known = found && (await refreshCurrent(work, found, old));
  const moved = await applyScales(work, planScaleDownAll(old));
  if (moved || hasOldPods(work, old)) return finish(work, { current: known, old, moved: true });
  const current = known ?? (await createCurrent(work, old));
  const replicas = work.deployment.spec.replicas ?? 1;
  const grown = sizeOf(current) === replicas ? [] : [{ replicaSet: current, replicas }];
  await finish(work, { current, old, moved: await applyScales(work, grown) });
}

/** Recreate's promise: no pod of two templates at once, so even a pod that is still stopping counts. */
function hasOldPods({ context }: Work, old: readonly Set[]): boolean {
  if (old.some(({ status }) => (status?.replicas ?? 0) > 0)) return true;
  const lister = context.informers.of(pods);
  return old.some(({ metadata }) => controlledBy(lister, metadata.uid).some((pod) => !isPodOver(pod)));
}

async function finish(
  work: Work,
  { current, old, moved }: { current: Set | undefined; old: readonly Set[]; moved: boolean },
): Promise<void> {
  const { deployment, context } = work;
  if (!moved && isComplete(deployment, deployment.status ?? {})) await cleanUp(work, old);
  await writeStatus(work, rolloutStatus({ deployment, current, old, nowMs: context.clock.now() }));
}

async function applyScales(work: Work, scales: readonly Scale[]): Promise<boolean> {
  let moved = false;
  for (const scale of scales) moved = (await applyScale(work, scale)) || moved;
  return moved;
}

async function cleanUp(work: Work, old: readonly Set[]): Promise<void> {
  const { client } = work.context;
  for (const set of planHistory({ deployment: work.deployment, old }, revisionOf)) {
    try {
      await client.delete(replicaSets, set.metadata);
    } catch (error) {
      if (!hasReason(error, "NotFound")) throw error;
    }
    work.writes.deleted(replicaSets, set);
  }
}
