// Keeps one pod of each DaemonSet on every node that should have it. Decides nothing itself (plan.ts, placement.ts); the scheduler binds the pods.
import type { DaemonSet, Node, Pod } from "../../api/generated/types.ts";
import { controllerRevisions } from "../../api/kinds/controller-revision.ts";
import { daemonSets } from "../../api/kinds/daemon-set.ts";
import { nodes } from "../../api/kinds/node.ts";
import { pods } from "../../api/kinds/pod.ts";
import { CONTROLLER_REVISION_HASH } from "../../api/names.ts";
import { keyOf } from "../../api/object.ts";
import { labelMatcher } from "../../api/selectors.ts";
import { createRecorder } from "../../client/recorder.ts";
import { claimObjects } from "../runtime/claims.ts";
import type { ControllerContext, RunningController } from "../runtime/context.ts";
import { CONTROLLED_BY, controlledByIndex } from "../runtime/controlled-by.ts";
import { type Enqueue, startController } from "../runtime/start-controller.ts";
import { isActive, nextAvailability } from "../shared/pod-availability.ts";
import { createPod, deletePod, type PodWork, say } from "../shared/pod-control.ts";
import { deleteRevisions, planTruncation, syncRevision } from "../shared/revisions.ts";
import { errorsOf, slowStart } from "../shared/slow-start.ts";
import { watchOwners } from "../shared/watch-owners.ts";
import * as events from "./events.ts";
import { createFailedBackoff, type FailedBackoff } from "./failed-backoff.ts";
import { draftDaemonPod } from "./placement.ts";
import { type DaemonInput, type DaemonRemoval, planDaemonSet } from "./plan.ts";
import { daemonStatus, sameStatus } from "./status.ts";

const COMPONENT = "daemonset-controller";
// Kubernetes' BurstReplicas.
const BURST = 250;

const OWNERS = {
  resource: daemonSets,
  selects: ({ spec }: Readonly<DaemonSet>) => labelMatcher(spec.selector),
};

interface Work extends PodWork {
  readonly context: ControllerContext;
  readonly owner: Readonly<DaemonSet>;
  readonly backoff: FailedBackoff;
}

export function startDaemonSetController(context: ControllerContext): RunningController {
  const { informers, client, clock, timing } = context;
  const recorder = createRecorder(client, { component: COMPONENT, clock });
  const backoff = createFailedBackoff(clock, {
    firstMs: timing.daemonBackoffMs,
    maxMs: timing.daemonBackoffMaxMs,
  });
  informers.addIndex(pods, CONTROLLED_BY, controlledByIndex);
  informers.addIndex(controllerRevisions, CONTROLLED_BY, controlledByIndex);
  return startController(context, {
    name: COMPONENT,
    watch: (enqueue) => [...watchOwners(informers, OWNERS, enqueue), watchNodes(context, enqueue)],
    reconcile: async (key, _signal, writes) => {
      const owner = informers.of(daemonSets).get(key);
      return owner && reconcile({ context, client, recorder, writes, owner, backoff });
    },
  });
}

/** What of a node decides who runs there. */
const shown = (node: Readonly<Node> | undefined): string =>
  JSON.stringify([node?.metadata.uid, node?.metadata.labels, node?.spec?.taints]);

function watchNodes({ informers }: ControllerContext, enqueue: Enqueue): () => void {
  return informers.of(nodes).onChange((after, before) => {
    if (shown(after) === shown(before)) return;
    for (const set of informers.of(daemonSets).list()) enqueue(keyOf(set));
  });
}

async function reconcile(work: Work): Promise<{ requeueAfterMs: number } | undefined> {
  const { context, owner, backoff } = work;
  // What it has goes or stays with it by the garbage collector's doing.
  if (owner.metadata.deletionTimestamp) return undefined;
  const owned = await claim(work);
  const { hash, collisionCount } = await syncHistory(work, owned);
  const waits: number[] = [];
  const input: DaemonInput = {
    set: owner,
    hash,
    nodes: context.informers.of(nodes).list(),
    pods: owned,
    nowMs: context.clock.now(),
    backoffMs(node) {
      const leftMs = backoff.leftMs(backoffKey(owner, node));
      if (leftMs > 0) waits.push(leftMs);
      return leftMs;
    },
  };
  const errors = await applyPlan(work, input);
  await writeStatus(work, input, collisionCount);
  if (errors.length > 0) throw errors[0];
  const availableMs = nextAvailability(owned, owner.spec, context.clock.now());
  if (availableMs !== undefined) waits.push(availableMs);
  return waits.length > 0 ? { requeueAfterMs: Math.min(...waits) } : undefined;
}

function claim({ context, writes, owner }: Work): Promise<readonly Readonly<Pod>[]> {
  return claimObjects<Pod>(context, {
    owner,
    ownerResource: daemonSets,
    resource: pods,
    selects: OWNERS.selects(owner),
    mayAdopt: isActive,
    writes,
  });
}

/** The current template's revision; what is too old and runs nowhere any more is deleted. */
async function syncHistory(
  { context, client, writes, owner }: Work,
  owned: readonly Readonly<Pod>[],
): Promise<{ hash: string; collisionCount: number }> {
  const revisions = await claimObjects(context, {
    owner,
    ownerResource: daemonSets,
    resource: controllerRevisions,
    selects: OWNERS.selects(owner),
    mayAdopt: ({ metadata }) => metadata.deletionTimestamp === undefined,
    writes,
  });
  const { revision, collisionCount } = await syncRevision(
    {
      client,
      writes,
      owner,
      ownerResource: daemonSets,
      template: owner.spec.template,
      hashLabel: CONTROLLER_REVISION_HASH,
      collisionCount: owner.status?.collisionCount ?? 0,
    },
    revisions,
  );
  const hashOf = ({ metadata }: { metadata: Pod["metadata"] }) =>
    metadata.labels?.[CONTROLLER_REVISION_HASH] ?? "";
  const live = new Set(owned.map(hashOf));
  const history = revisions.filter(({ metadata }) => metadata.uid !== revision.metadata.uid);
  const limit = owner.spec.revisionHistoryLimit ?? 10;
  const old = planTruncation(history, { limit, isLive: (one) => live.has(hashOf(one)) });
  await deleteRevisions({ client, writes }, old);
  return { hash: hashOf(revision), collisionCount };
}

async function applyPlan(work: Work, input: DaemonInput): Promise<readonly unknown[]> {
  const { create, remove } = planDaemonSet(input);
  const places = create.slice(0, BURST);
  return [
    ...(await slowStart(places.length, (index) =>
      createPod(work, draftDaemonPod(input.set, places[index] ?? "", input.hash)),
    )),
    ...(await errorsOf(remove.slice(0, BURST).map((removal) => removeDaemon(work, removal)))),
  ];
}

async function removeDaemon(work: Work, { pod, node, why }: DaemonRemoval): Promise<void> {
  if (why === "failed") {
    work.backoff.count(backoffKey(work.owner, node));
    say(work, events.failedDaemonPod(keyOf(pod), node));
  }
  if (why === "succeeded") say(work, events.succeededDaemonPod(keyOf(pod), node));
  await deletePod(work, pod);
}

const backoffKey = ({ metadata }: Readonly<DaemonSet>, node: string): string => `${metadata.uid}/${node}`;

async function writeStatus(
  { client, writes, owner }: Work,
  input: DaemonInput,
  collisionCount: number,
): Promise<void> {
  const status = daemonStatus(input, collisionCount);
  if (sameStatus(owner.status, status)) return;
  writes.wrote(daemonSets, await client.updateStatus(daemonSets, { ...owner, status }));
}
