// Keeps `spec.replicas` pods of each ReplicaSet and ReplicationController alive. Decides nothing itself (plan.ts): it finds the
// pods, adopts and releases, creates and deletes, and writes status. The runtime holds a key until the cache shows what it did.
import type { Pod } from "../../api/generated/types.ts";
import { pods } from "../../api/kinds/pod.ts";
import { controllerOf } from "../../api/object.ts";
import { createRecorder, type Recorder } from "../../client/recorder.ts";
import { claimObjects } from "../runtime/claims.ts";
import type { ControllerContext, RunningController } from "../runtime/context.ts";
import { CONTROLLED_BY, controlledBy, controlledByIndex } from "../runtime/controlled-by.ts";
import { startController, type Writes } from "../runtime/start-controller.ts";
import { isActive, nextAvailability } from "../shared/pod-availability.ts";
import { createPod, deletePod, messageOf } from "../shared/pod-control.ts";
import { podFromTemplate } from "../shared/pod-from-template.ts";
import { errorsOf, slowStart } from "../shared/slow-start.ts";
import { watchOwners } from "../shared/watch-owners.ts";
import {
  type Flavour,
  type ReplicaOwner,
  replicaSetFlavour,
  replicationControllerFlavour,
} from "./flavour.ts";
import { planReplicas, type ReplicaFailure, replicaStatus, sameStatus } from "./plan.ts";

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
    watch: (enqueue) => watchOwners(informers, flavour, enqueue),
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
  const waitMs = nextAvailability(active, owner.spec, nowMs);
  return waitMs === undefined ? undefined : { requeueAfterMs: waitMs };
}

async function applyPlan(
  owner: ReplicaOwner,
  active: readonly Readonly<Pod>[],
  work: Work,
): Promise<{ errors: readonly unknown[]; failure?: ReplicaFailure }> {
  const { context, flavour, recorder, writes } = work;
  const { create, remove } = planReplicas(owner, active, {
    nowMs: context.clock.now(),
    podsOnNode: podsOnNode(owner, work),
  });
  const podWork = { client: context.client, recorder, writes, owner };
  const { template } = owner.spec;
  const errors =
    create > 0 && template
      ? await slowStart(create, () => createPod(podWork, podFromTemplate(owner, flavour.resource, template)))
      : await errorsOf(remove.map((pod) => deletePod(podWork, pod)));
  if (errors.length === 0) return { errors };
  const reason = create > 0 ? "FailedCreate" : "FailedDelete";
  return { errors, failure: { reason, message: messageOf(errors[0]) } };
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
