// Keeps `spec.replicas` pods of each ReplicaSet and ReplicationController alive. Decides nothing itself (plan.ts): it finds the
// pods, adopts and releases, creates and deletes, and writes status. The runtime holds a key until the cache shows what it did.
import type { Pod } from "../../api/generated/types.ts";
import { pods } from "../../api/kinds/pod.ts";
import { controllerOf } from "../../api/object.ts";
import { hasReason, StatusError } from "../../api/status-error.ts";
import { createRecorder, type Recorder } from "../../client/recorder.ts";
import { claimObjects } from "../runtime/claims.ts";
import type { ControllerContext, RunningController } from "../runtime/context.ts";
import { CONTROLLED_BY, controlledBy, controlledByIndex } from "../runtime/controlled-by.ts";
import { startController, type Writes } from "../runtime/start-controller.ts";
import * as events from "./events.ts";
import {
  type Flavour,
  type ReplicaOwner,
  replicaSetFlavour,
  replicationControllerFlavour,
} from "./flavour.ts";
import {
  isActive,
  nextAvailability,
  planReplicas,
  podFromTemplate,
  type ReplicaFailure,
  replicaStatus,
  sameStatus,
  slowStart,
} from "./plan.ts";
import { watchReplicaOwners } from "./watch.ts";

export function startReplicaSetController(context: ControllerContext): RunningController {
  return startFlavour(context, replicaSetFlavour);
}

export function startReplicationControllerController(context: ControllerContext): RunningController {
  return startFlavour(context, replicationControllerFlavour);
}

interface Work {
  readonly context: ControllerContext;
  readonly flavour: Flavour;
  readonly recorder: Recorder;
  readonly writes: Writes;
}

function startFlavour(context: ControllerContext, flavour: Flavour): RunningController {
  const { informers, clock, client } = context;
  const recorder = createRecorder(client, { component: flavour.component, clock });
  informers.addIndex(pods, CONTROLLED_BY, controlledByIndex);
  informers.addIndex(flavour.resource, CONTROLLED_BY, controlledByIndex);
  return startController(context, {
    name: flavour.component,
    watch: (enqueue) => watchReplicaOwners(informers, flavour, enqueue),
    reconcile: (key, _signal, writes) => reconcile(key, { context, flavour, recorder, writes }),
  });
}

async function reconcile(key: string, work: Work): Promise<{ requeueAfterMs: number } | undefined> {
  const { context, flavour, writes } = work;
  const { informers, clock, client } = context;
  const owner = informers.of(flavour.resource).get(key);
  if (!owner) return undefined;
  const selects = flavour.selects(owner);
  const ownerResource = flavour.resource;
  const claim = { owner, ownerResource, resource: pods, selects, mayAdopt: isActive, writes };
  const active = (await claimObjects(context, claim)).filter(isActive);
  const { errors, failure } = await applyPlan(owner, active, work);
  const nowMs = clock.now();
  const status = replicaStatus(owner, active, { failure, nowMs });
  if (!sameStatus(owner.status, status))
    writes.wrote(flavour.resource, await client.updateStatus(flavour.resource, { ...owner, status }));
  if (errors.length > 0) throw errors[0];
  const waitMs = nextAvailability(owner, active, nowMs);
  return waitMs === undefined ? undefined : { requeueAfterMs: waitMs };
}

async function applyPlan(
  owner: ReplicaOwner,
  active: readonly Readonly<Pod>[],
  work: Work,
): Promise<{ errors: readonly unknown[]; failure?: ReplicaFailure }> {
  const { create, remove } = planReplicas(owner, active, {
    nowMs: work.context.clock.now(),
    podsOnNode: podsOnNode(owner, work),
  });
  const errors =
    create > 0
      ? await slowStart(create, () => createPod(owner, work))
      : (await Promise.allSettled(remove.map((pod) => deletePod(owner, pod, work)))).flatMap((result) =>
          result.status === "rejected" ? [result.reason] : [],
        );
  if (errors.length === 0) return { errors };
  const reason = create > 0 ? "FailedCreate" : "FailedDelete";
  return { errors, failure: { reason, message: messageOf(errors[0]) } };
}

async function createPod(owner: ReplicaOwner, { context, flavour, recorder, writes }: Work): Promise<void> {
  const { template } = owner.spec;
  if (!template) return;
  try {
    const pod = await context.client.create(pods, podFromTemplate(owner, flavour, template));
    writes.wrote(pods, pod);
    record(recorder, owner, events.successfulCreate(pod.metadata.name));
  } catch (error) {
    // The namespace takes its pods with it; there is nothing to report and nothing to retry.
    if (isNamespaceTerminating(error)) return;
    record(recorder, owner, events.failedCreate(messageOf(error)));
    throw error;
  }
}

async function deletePod(owner: ReplicaOwner, pod: Readonly<Pod>, work: Work): Promise<void> {
  const { context, recorder, writes } = work;
  try {
    await context.client.delete(pods, pod.metadata);
    writes.deleted(pods, pod);
    record(recorder, owner, events.successfulDelete(pod.metadata.name));
  } catch (error) {
    if (hasReason(error, "NotFound")) return writes.deleted(pods, pod);
    record(recorder, owner, events.failedDelete(messageOf(error)));
    throw error;
  }
}

/** Counts, per node, the active pods of this owner and of its siblings (the other ReplicaSets of one Deployment). */
function podsOnNode(owner: ReplicaOwner, { context, flavour }: Work): (node: string) => number {
  let counts: Map<string, number> | undefined;
  const count = () => {
    const parent = controllerOf(owner);
    const family = parent ? controlledBy(context.informers.of(flavour.resource), parent.uid) : [owner];
    const found = new Map<string, number>();
    for (const { metadata } of family)
      for (const pod of controlledBy(context.informers.of(pods), metadata.uid)) {
        const node = pod.spec.nodeName ?? "";
        if (isActive(pod)) found.set(node, (found.get(node) ?? 0) + 1);
      }
    return found;
  };
  return (node) => {
    counts ??= count();
    return counts.get(node) ?? 0;
  };
}

function record(
  recorder: Recorder,
  owner: ReplicaOwner,
  event: { type: "Normal" | "Warning"; reason: string; message: string },
): void {
  recorder.event(owner, event.type, event.reason, event.message);
}

const messageOf = (error: unknown) => (error instanceof Error ? error.message : String(error));

function isNamespaceTerminating(error: unknown): boolean {
  return (
    error instanceof StatusError &&
    (error.status.details?.causes?.some(({ reason }) => reason === "NamespaceTerminating") ?? false)
  );
}
