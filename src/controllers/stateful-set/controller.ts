// Keeps the pods of each StatefulSet: one a wanted ordinal, by name. Decides nothing itself (plan.ts): it finds pods and revisions, creates, deletes,
// sees to claims and writes status. Each reconcile takes the steps that may be taken at once; what they wait for arrives as a change.
import type { Pod, StatefulSet } from "../../api/generated/types.ts";
import { controllerRevisions } from "../../api/kinds/controller-revision.ts";
import { persistentVolumeClaims } from "../../api/kinds/persistent-volume-claim.ts";
import { pods } from "../../api/kinds/pod.ts";
import { statefulSets } from "../../api/kinds/stateful-set.ts";
import { type Draft, keyOf } from "../../api/object.ts";
import { labelMatcher } from "../../api/selectors.ts";
import { hasReason } from "../../api/status-error.ts";
import { createRecorder } from "../../client/recorder.ts";
import { claimObjects } from "../runtime/claims.ts";
import type { ControllerContext, RunningController } from "../runtime/context.ts";
import { CONTROLLED_BY, controlledByIndex } from "../runtime/controlled-by.ts";
import { type Enqueue, startController } from "../runtime/start-controller.ts";
import { nextAvailability } from "../shared/pod-availability.ts";
import { isNamespaceTerminating, messageOf, say } from "../shared/pod-control.ts";
import { deleteRevisions, inOrder, planTruncation, syncRevision } from "../shared/revisions.ts";
import { errorsOf, slowStart } from "../shared/slow-start.ts";
import { watchOwners } from "../shared/watch-owners.ts";
import { ensureClaims, keepClaims } from "./apply-claims.ts";
import { mayClaim } from "./claims.ts";
import { draftReplica } from "./draft-replica.ts";
import * as events from "./events.ts";
import { ordinalOf, revisionOf } from "./identity.ts";
import { planStatefulSet, type Removal, type Revision, type StatefulInput } from "./plan.ts";
import { createRestingNames } from "./resting-names.ts";
import { sameStatus, statefulStatus } from "./status.ts";
import type { Work } from "./work.ts";

const COMPONENT = "statefulset-controller";
// Kubernetes' label for the hash of a StatefulSet's revision; its pods carry the revision's whole name.
const HASH_LABEL = "controller.kubernetes.io/hash";

const OWNERS = {
  resource: statefulSets,
  selects: ({ spec }: Readonly<StatefulSet>) => labelMatcher(spec.selector),
};

export function startStatefulSetController(context: ControllerContext): RunningController {
  const { informers, client, clock } = context;
  const recorder = createRecorder(client, { component: COMPONENT, clock });
  informers.addIndex(pods, CONTROLLED_BY, controlledByIndex);
  informers.addIndex(controllerRevisions, CONTROLLED_BY, controlledByIndex);
  const names = createRestingNames(context);
  return startController(context, {
    name: COMPONENT,
    watch: (enqueue) => [
      names.watch(),
      ...watchOwners(informers, OWNERS, enqueue),
      watchClaims(context, enqueue),
    ],
    reconcile: async (key, _signal, writes) => {
      const owner = informers.of(statefulSets).get(key);
      return owner && reconcile({ context, recorder, writes, names, owner });
    },
  });
}

/** A replica may wait for the claim of an earlier one to be gone. */
function watchClaims({ informers }: ControllerContext, enqueue: Enqueue): () => void {
  const sets = informers.of(statefulSets);
  return informers.of(persistentVolumeClaims).onChange((after, before) => {
    if (after || !before) return;
    for (const set of sets.inNamespace(before.metadata.namespace ?? ""))
      if (mayClaim(set, before.metadata.name)) enqueue(keyOf(set));
  });
}

async function reconcile(work: Work): Promise<{ requeueAfterMs: number } | undefined> {
  const { context, owner: set } = work;
  // What it has goes or stays with it by the garbage collector's doing.
  if (set.metadata.deletionTimestamp) return undefined;
  const owned = await claimPods(work);
  const revisions = await claimRevisions(work);
  const { update, current, collisionCount } = await findRevisions(work, revisions);
  const input: StatefulInput = {
    set,
    currentRevision: current,
    updateRevision: update,
    pods: owned,
    nowMs: context.clock.now(),
  };
  const { errors, restMs } = await applyPlan(work, input);
  await writeStatus(work, input, collisionCount);
  await truncate(work, input, [...revisions, update]);
  if (errors.length > 0) throw errors[0];
  const waits = [restMs, nextAvailability(owned, set.spec, context.clock.now())].filter(
    (ms) => ms !== undefined,
  );
  return waits.length === 0 ? undefined : { requeueAfterMs: Math.min(...waits) };
}

/** A pod is of this set only with a name of its own: one that merely has the labels is left alone. */
async function claimPods({ context, writes, owner: set }: Work): Promise<readonly Readonly<Pod>[]> {
  const mine = await claimObjects<Pod>(context, {
    owner: set,
    ownerResource: statefulSets,
    resource: pods,
    selects: OWNERS.selects(set),
    mayAdopt: (pod) => pod.metadata.deletionTimestamp === undefined && ordinalOf(set, pod) !== undefined,
    writes,
  });
  return mine.filter((pod) => ordinalOf(set, pod) !== undefined);
}

function claimRevisions({ context, writes, owner: set }: Work): Promise<readonly Revision[]> {
  return claimObjects(context, {
    owner: set,
    ownerResource: statefulSets,
    resource: controllerRevisions,
    selects: OWNERS.selects(set),
    mayAdopt: (revision) => revision.metadata.deletionTimestamp === undefined,
    writes,
  });
}

async function findRevisions({ context, writes, owner: set }: Work, revisions: readonly Revision[]) {
  const { revision: update, collisionCount } = await syncRevision(
    {
      client: context.client,
      writes,
      owner: set,
      ownerResource: statefulSets,
      template: set.spec.template,
      hashLabel: HASH_LABEL,
      collisionCount: set.status?.collisionCount ?? 0,
    },
    revisions,
  );
  const current = revisions.find(({ metadata }) => metadata.name === set.status?.currentRevision) ?? update;
  return { update, current, collisionCount };
}

interface Applied {
  readonly errors: readonly unknown[];
  /** When a name that rests may be used, in ms from now. */
  readonly restMs?: number | undefined;
}

async function applyPlan(work: Work, input: StatefulInput): Promise<Applied> {
  const { create, remove, relabel } = planStatefulSet(input);
  const { context, writes, names, owner: set } = work;
  const kept = await errorsOf(input.pods.map((pod) => keepClaims(work, pod)));
  // A surplus pod must not go before its claims are its own, or they would stay.
  if (kept.length > 0) return { errors: kept };
  for (const { pod, labels } of relabel)
    writes.wrote(pods, await context.client.patch(pods, pod.metadata, "merge", { metadata: { labels } }));
  const wanted = create.map(({ ordinal, revision }) => {
    const draft = draftReplica(set, ordinal, revision);
    const key = `${set.metadata.namespace}/${draft.metadata?.name}`;
    return { ordinal, draft, restMs: names.remainingMs(key) };
  });
  const rests = wanted.flatMap(({ restMs }) => (restMs > 0 ? [restMs] : []));
  const ready = wanted.filter(({ restMs }) => restMs === 0);
  const errors = [
    ...(await slowStart(ready.length, async (index) => {
      const next = ready[index];
      if (next) await createReplica(work, next.ordinal, next.draft);
    })),
    ...(await errorsOf(remove.map((removal) => removeReplica(work, removal)))),
  ];
  return { errors, restMs: rests.length === 0 ? undefined : Math.min(...rests) };
}

async function createReplica(work: Work, ordinal: number, draft: Draft<Pod>): Promise<void> {
  const { context, writes, owner: set } = work;
  const name = draft.metadata?.name ?? "";
  try {
    if (!(await ensureClaims(work, ordinal))) return;
    writes.wrote(pods, await context.client.create(pods, draft));
    say(work, events.podDone("create", name, set.metadata.name));
  } catch (error) {
    if (isNamespaceTerminating(error)) return;
    // Another's pod has the name: whoever it is, two must not be.
    if (!hasReason(error, "AlreadyExists"))
      say(work, events.podFailed("create", name, set.metadata.name, messageOf(error)));
    throw error;
  }
}

async function removeReplica(work: Work, { pod, why }: Removal): Promise<void> {
  const { context, writes, names, owner: set } = work;
  const { name } = pod.metadata;
  names.removing(pod);
  if (why === "failed") say(work, events.recreatingFailed(keyOf(set), name));
  if (why === "succeeded") say(work, events.recreatingTerminated(keyOf(set), name));
  try {
    await context.client.delete(pods, pod.metadata, { preconditions: { uid: pod.metadata.uid } });
    writes.deleted(pods, pod);
    say(work, events.podDone("delete", name, set.metadata.name));
  } catch (error) {
    if (hasReason(error, "NotFound")) return writes.deleted(pods, pod);
    say(work, events.podFailed("delete", name, set.metadata.name, messageOf(error)));
    throw error;
  }
}

async function writeStatus(
  { context, writes, owner: set }: Work,
  input: StatefulInput,
  collisionCount: number,
): Promise<void> {
  const status = statefulStatus(input, collisionCount);
  if (sameStatus(set.status, status)) return;
  writes.wrote(statefulSets, await context.client.updateStatus(statefulSets, { ...set, status }));
}

/** Revisions that a pod or the status still names are no history. */
async function truncate(
  { context, writes, owner: set }: Work,
  { currentRevision, updateRevision, pods: owned }: StatefulInput,
  revisions: readonly Revision[],
): Promise<void> {
  const limit = set.spec.revisionHistoryLimit ?? 10;
  if (limit < 0) return;
  const live = new Set([currentRevision, updateRevision].map(({ metadata }) => metadata.name));
  for (const pod of owned) live.add(revisionOf(pod));
  const history = inOrder(revisions).filter(({ metadata }) => !live.has(metadata.name));
  await deleteRevisions(
    { client: context.client, writes },
    planTruncation(history, { limit, isLive: () => false }),
  );
}
