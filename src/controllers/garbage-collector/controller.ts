// Deletes what has lost its owners, in the background or the foreground, and cuts dependents loose where they are to be orphaned. It acts on
// changes, not by polling: an object is looked at when it is new or being deleted, when its owner references change, and when one of its
// owners or dependents goes.
import type { KubeObject, ObjectMeta, OwnerReference } from "../../api/object.ts";
import type { Resource } from "../../api/resource.ts";
import { hasReason } from "../../api/status-error.ts";
import { createRecorder } from "../../client/recorder.ts";
import type { ControllerContext, RunningController } from "../runtime/context.ts";
import { type Enqueue, startController, type Writes } from "../runtime/start-controller.ts";
import { ownerElsewhere } from "./events.ts";
import { createGraph, idOf, type Vertex } from "./graph.ts";
import {
  FOREGROUND,
  isNews,
  isWaitingForDependents,
  ORPHAN,
  type OwnedBy,
  type OwnerState,
  planObject,
  planOwner,
} from "./plan.ts";

export interface GarbageCollectorOptions {
  /** Everything that is served; asked again every timing.garbageSyncMs, so that kinds which come later are collected too. */
  resources: () => readonly Resource[];
  /** The one of them that an owner reference means which names its kind in another group or version. */
  storedAs?: (reference: Pick<OwnerReference, "apiVersion" | "kind">) => Resource | undefined;
}

export function startGarbageCollector(
  context: ControllerContext,
  { resources, storedAs }: GarbageCollectorOptions,
): RunningController {
  const { client, informers, clock, timing } = context;
  const graph = createGraph(informers, storedAs);
  const recorder = createRecorder(client, { component: "garbage-collector-controller", clock });

  async function reconcile(id: string, _signal: AbortSignal, writes: Writes): Promise<void> {
    const vertex = graph.get(id);
    if (!vertex) return;
    await asOwner(vertex, writes);
    await asDependent(vertex, writes);
  }

  async function asOwner({ resource, object }: Vertex, writes: Writes): Promise<void> {
    const { metadata } = object;
    if (!metadata.deletionTimestamp) return;
    const dependents = graph.dependents(metadata.uid);
    const blocking = dependents.filter(
      ({ object: each }) => referenceTo(each, metadata.uid)?.blockOwnerDeletion,
    ).length;
    const plan = planOwner(metadata, { count: dependents.length, blocking });
    if (plan === "orphan-dependents") {
      await Promise.all(dependents.map((each) => release(each, [metadata.uid], writes)));
      await removeFinalizer({ resource, object }, ORPHAN, writes);
    } else if (plan === "remove-orphan") await removeFinalizer({ resource, object }, ORPHAN, writes);
    else if (plan === "remove-foreground") await removeFinalizer({ resource, object }, FOREGROUND, writes);
  }

  async function asDependent({ resource, object }: Vertex, writes: Writes): Promise<void> {
    const { metadata } = object;
    const references = metadata.ownerReferences ?? [];
    if (references.length === 0 || metadata.deletionTimestamp) return;
    // There is nowhere to look for an owner with a namespace of what has none: it is not taken for gone.
    const isPlaceless = (each: OwnerReference) => graph.resourceOf(each)?.namespaced;
    if (!resource.namespaced && references.some(isPlaceless)) return;
    const owners: OwnedBy[] = await Promise.all(
      references.map(async (reference) => ({
        reference,
        state: await ownerState(reference, metadata.namespace),
      })),
    );
    const dependents = graph.dependents(metadata.uid).map((each) => each.object.metadata);
    const plan = planObject(metadata, owners, dependents);
    if (plan.action === "release") await release({ resource, object }, plan.uids, writes);
    if (plan.action !== "delete") return;
    const { resourceVersion } = plan.unblock ? await unblock({ resource, object }) : metadata;
    await ignoring("NotFound", async () => {
      const preconditions = { uid: metadata.uid, resourceVersion };
      await client.delete(resource, metadata, { propagationPolicy: plan.propagationPolicy, preconditions });
      writes.deleted(resource, object);
    });
  }

  /** Said when a reference comes; it is never valid, and what it is in may be deleted for it. */
  function tellOfOwnersElsewhere(object: Readonly<KubeObject>): void {
    const { deletionTimestamp, namespace, ownerReferences = [] } = object.metadata;
    if (deletionTimestamp) return;
    for (const reference of ownerReferences) {
      if (!graph.isElsewhere(reference, namespace)) continue;
      const { type, reason, message } = ownerElsewhere(reference, namespace ?? "");
      recorder.event(object, type, reason, message);
    }
  }

  async function ownerState(reference: OwnerReference, namespace: string | undefined): Promise<OwnerState> {
    const resource = graph.resourceOf(reference);
    // A kind that is not served (yet) may well exist: what it owns is left alone.
    if (!resource) return "solid";
    const cached = graph.owner(reference, namespace)?.object;
    // The cache may be behind: before an owner is taken for gone, the server is asked.
    const owner =
      cached?.metadata.uid === reference.uid
        ? cached
        : await client.find(resource, {
            namespace: resource.namespaced ? namespace : undefined,
            name: reference.name,
          });
    if (owner?.metadata.uid !== reference.uid) return "absent";
    return isWaitingForDependents(owner.metadata) ? "waiting" : "solid";
  }

  async function release(
    { resource, object }: Vertex,
    uids: readonly string[],
    writes: Writes,
  ): Promise<void> {
    const { uid } = object.metadata;
    const ownerReferences = uids.map((each) => ({ $patch: "delete", uid: each }));
    await ignoring("NotFound", async () =>
      writes.wrote(
        resource,
        await client.patch(resource, object.metadata, "strategic", { metadata: { uid, ownerReferences } }),
      ),
    );
  }

  /** Its owners are then not held up by it. The metadata that it has after that. */
  async function unblock({ resource, object }: Vertex): Promise<ObjectMeta> {
    const { uid, ownerReferences = [] } = object.metadata;
    const changed = ownerReferences.map((each) => ({ uid: each.uid, blockOwnerDeletion: false }));
    const metadata = { uid, ownerReferences: changed };
    return (await client.patch(resource, object.metadata, "strategic", { metadata })).metadata;
  }

  async function removeFinalizer(
    { resource, object }: Vertex,
    finalizer: string,
    writes: Writes,
  ): Promise<void> {
    const { resourceVersion, finalizers = [] } = object.metadata;
    const patch = {
      metadata: { resourceVersion, finalizers: finalizers.filter((each) => each !== finalizer) },
    };
    await ignoring("NotFound", async () =>
      writes.wrote(resource, await client.patch(resource, object.metadata, "merge", patch)),
    );
  }

  const cancels: (() => void)[] = [];
  const watch = (enqueue: Enqueue) => {
    const onChange = (
      resource: Resource,
      after: Readonly<KubeObject> | undefined,
      before: Readonly<KubeObject> | undefined,
    ) => {
      if (after && isNews(after.metadata, before?.metadata)) {
        enqueue(idOf(resource, after));
        tellOfOwnersElsewhere(after);
      }
      enqueueOwners(before, after);
      const turned =
        after &&
        isWaitingForDependents(after.metadata) &&
        !(before && isWaitingForDependents(before.metadata));
      const { uid } = ((after ?? before) as KubeObject).metadata;
      if (!after || turned)
        for (const each of graph.dependents(uid)) enqueue(idOf(each.resource, each.object));
    };
    // A dependent that goes, or stops being one that blocks, may be what its owner waits for.
    const enqueueOwners = (
      before: Readonly<KubeObject> | undefined,
      after: Readonly<KubeObject> | undefined,
    ) => {
      for (const reference of before?.metadata.ownerReferences ?? []) {
        const still = after && referenceTo(after, reference.uid);
        if (still && still.blockOwnerDeletion === reference.blockOwnerDeletion) continue;
        const owner = graph.owner(reference, before?.metadata.namespace);
        if (owner) enqueue(idOf(owner.resource, owner.object));
      }
    };
    const look = () => {
      for (const resource of resources()) graph.add(resource, onChange);
      cancels[0] = clock.after(timing.garbageSyncMs, look);
    };
    look();
    return [() => cancels[0]?.(), () => graph.stop()];
  };
  return startController(context, { name: "garbage-collector", workers: 8, watch, reconcile });
}

const referenceTo = (object: Readonly<KubeObject>, uid: string) =>
  object.metadata.ownerReferences?.find((each) => each.uid === uid);

async function ignoring(reason: "NotFound", act: () => Promise<void>): Promise<void> {
  try {
    await act();
  } catch (error) {
    if (!hasReason(error, reason)) throw error;
  }
}
