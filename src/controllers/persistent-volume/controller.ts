// Binds claims and volumes to each other. One worker, which waits until its informers have seen what it wrote: no volume is
// given to two claims. Makes no volumes (the provisioner of a class does) and deletes none.
import type { PersistentVolume, PersistentVolumeClaim } from "../../api/generated/types.ts";
import { persistentVolumes } from "../../api/kinds/persistent-volume.ts";
import { persistentVolumeClaims } from "../../api/kinds/persistent-volume-claim.ts";
import { storageClasses } from "../../api/kinds/storage-class.ts";
import { BOUND_BY_CONTROLLER, STORAGE_PROVISIONER, STORAGE_PROVISIONER_BETA } from "../../api/names.ts";
import { keyOf } from "../../api/object.ts";
import { equalJson } from "../../api/own.ts";
import { capacityOf, planClaimRef } from "../../api/volume-match.ts";
import { timestamp } from "../../base/clock.ts";
import { createRecorder } from "../../client/recorder.ts";
import type { ControllerContext, RunningController } from "../runtime/context.ts";
import { createPodsByClaim } from "../runtime/pods-by-claim.ts";
import { type Enqueue, startController, type Writes } from "../runtime/start-controller.ts";
import { type ClaimPlan, planClaim, planVolume, planVolumeName } from "./plan.ts";

const CLAIM = "claim:";
const VOLUME = "volume:";

export function startPersistentVolumeController(context: ControllerContext): RunningController {
  const { client, clock, informers, timing } = context;
  const recorder = createRecorder(client, { component: "persistentvolume-controller", clock });
  const claimList = informers.of(persistentVolumeClaims);
  const volumeList = informers.of(persistentVolumes);
  const classList = informers.of(storageClasses);
  const podsOf = createPodsByClaim(informers);

  const waitingPods = (key: string) =>
    podsOf(key)
      .filter(({ metadata, spec }) => !spec.nodeName && !metadata.deletionTimestamp)
      .map(({ metadata }) => metadata.name)
      .sort();

  async function reconcileClaim(key: string, writes: Writes) {
    const claim = claimList.get(key);
    if (!claim) return undefined;
    const plan = planClaim(claim, {
      volumes: volumeList.list(),
      classes: classList.list(),
      waitingPods: waitingPods(key),
    });
    if ("event" in plan && plan.event)
      recorder.event(claim, plan.event.type, plan.event.reason, plan.event.message);
    await applyClaim(claim, plan, writes);
    // As Kubernetes: a claim that waits is looked at, and its event told, again and again.
    return plan.do === "wait" || plan.do === "provision"
      ? { requeueAfterMs: timing.volumeSyncMs }
      : undefined;
  }

  async function applyClaim(claim: Readonly<PersistentVolumeClaim>, plan: ClaimPlan, writes: Writes) {
    switch (plan.do) {
      case "bind":
        return bind(plan.volume, claim, writes);
      case "set-class": {
        const spec = { ...claim.spec, storageClassName: plan.name };
        writes.wrote(persistentVolumeClaims, await client.update(persistentVolumeClaims, { ...claim, spec }));
        return;
      }
      case "provision":
        await setProvisioner(claim, plan.provisioner, writes);
        return;
      case "lose":
        await writeClaimStatus({ ...claim, status: { ...claim.status, phase: "Lost" } }, claim, writes);
    }
  }

  async function setProvisioner(
    claim: Readonly<PersistentVolumeClaim>,
    provisioner: string,
    writes: Writes,
  ): Promise<void> {
    const { annotations } = claim.metadata;
    if (annotations?.[STORAGE_PROVISIONER] === provisioner) return;
    const patch = {
      metadata: {
        uid: claim.metadata.uid,
        annotations: { [STORAGE_PROVISIONER]: provisioner, [STORAGE_PROVISIONER_BETA]: provisioner },
      },
    };
    writes.wrote(
      persistentVolumeClaims,
      await client.patch(persistentVolumeClaims, claim.metadata, "merge", patch),
    );
  }

  /** The volume first: a crash in between leaves it promised to this claim and to no other. */
  async function bind(
    volume: Readonly<PersistentVolume>,
    claim: Readonly<PersistentVolumeClaim>,
    writes: Writes,
  ): Promise<void> {
    const referring = planClaimRef(volume, claim);
    let held = volume;
    if (referring) {
      held = await client.update(persistentVolumes, referring);
      writes.wrote(persistentVolumes, held);
    }
    await setPhase(held, "Bound", writes);
    const naming = planVolumeName(claim, held);
    let bound = claim;
    if (naming) {
      bound = await client.update(persistentVolumeClaims, naming);
      writes.wrote(persistentVolumeClaims, bound);
    }
    const { capacity } = bound.status ?? {};
    const status = {
      ...bound.status,
      phase: "Bound",
      accessModes: held.spec.accessModes ?? [],
      // Once bound, what the claim shows grows with the expansion of the volume only.
      capacity: bound.status?.phase === "Bound" && capacity ? capacity : { storage: capacityOf(held) },
    };
    await writeClaimStatus({ ...bound, status }, bound, writes);
  }

  async function writeClaimStatus(
    wanted: Readonly<PersistentVolumeClaim>,
    current: Readonly<PersistentVolumeClaim>,
    writes: Writes,
  ): Promise<void> {
    if (equalJson(wanted.status, current.status)) return;
    writes.wrote(persistentVolumeClaims, await client.updateStatus(persistentVolumeClaims, wanted));
  }

  async function setPhase(
    volume: Readonly<PersistentVolume>,
    phase: string,
    writes: Writes,
    why: { reason?: string; message?: string } = {},
  ): Promise<void> {
    if (volume.status?.phase === phase) return;
    const status = { ...why, phase, lastPhaseTransitionTime: timestamp(clock.now()) };
    writes.wrote(persistentVolumes, await client.updateStatus(persistentVolumes, { ...volume, status }));
  }

  /** What follows from a claim that is gone may be the loss of its data: the cache alone is not believed. */
  async function claimHolding({ spec: { claimRef } }: Readonly<PersistentVolume>) {
    if (!claimRef?.name) return undefined;
    const cached = claimList.get(`${claimRef.namespace}/${claimRef.name}`);
    if (cached?.metadata.uid === claimRef.uid) return cached;
    return client.find(persistentVolumeClaims, { namespace: claimRef.namespace, name: claimRef.name });
  }

  async function reconcileVolume(name: string, writes: Writes): Promise<void> {
    const volume = volumeList.get(name);
    if (!volume) return;
    const plan = planVolume(volume, await claimHolding(volume));
    if (plan.do === "set-phase") await setPhase(volume, plan.phase, writes);
    else if (plan.do === "unbind")
      writes.wrote(persistentVolumes, await client.update(persistentVolumes, unbound(volume)));
    else if (plan.do === "fail") {
      recorder.event(volume, "Warning", plan.reason, plan.message);
      await setPhase(volume, "Failed", writes, { message: plan.message });
    }
  }

  const enqueueClaimOf = (volume: Readonly<PersistentVolume> | undefined, enqueue: Enqueue) => {
    const claimRef = volume?.spec.claimRef;
    if (claimRef) enqueue(`${CLAIM}${claimRef.namespace}/${claimRef.name}`);
  };
  return startController(context, {
    name: "persistent-volume",
    workers: 1,
    watch: (enqueue) => {
      const enqueueWaiting = () => {
        for (const claim of claimList.list())
          if (claim.status?.phase !== "Bound") enqueue(`${CLAIM}${keyOf(claim)}`);
      };
      return [
        claimList.onChange((after, before) => {
          const claim = after ?? before;
          if (!claim) return;
          enqueue(`${CLAIM}${keyOf(claim)}`);
          const volume = claim.spec.volumeName;
          if (volume) enqueue(`${VOLUME}${volume}`);
          if (!after)
            for (const { metadata, spec } of volumeList.list())
              if (spec.claimRef?.uid === claim.metadata.uid) enqueue(`${VOLUME}${metadata.name}`);
        }),
        volumeList.onChange((after, before) => {
          const volume = after ?? before;
          if (!volume) return;
          enqueue(`${VOLUME}${volume.metadata.name}`);
          enqueueClaimOf(after, enqueue);
          if (!after) enqueueClaimOf(before, enqueue);
          if (after?.status?.phase === "Available" && before?.status?.phase !== "Available") enqueueWaiting();
        }),
        classList.onChange(enqueueWaiting),
      ];
    },
    async reconcile(key, _signal, writes) {
      if (key.startsWith(CLAIM)) return reconcileClaim(key.slice(CLAIM.length), writes);
      await reconcileVolume(key.slice(VOLUME.length), writes);
      return undefined;
    },
  });
}

/** Without what the binder wrote; an administrator's reservation stays, for a claim of that name yet to come. */
function unbound(volume: Readonly<PersistentVolume>): PersistentVolume {
  const { [BOUND_BY_CONTROLLER]: ours, ...annotations } = volume.metadata.annotations ?? {};
  const { claimRef, ...spec } = volume.spec;
  const reserved = ours === undefined && claimRef;
  const { uid: _uid, resourceVersion: _version, ...reference } = claimRef ?? {};
  return {
    ...volume,
    metadata: { ...volume.metadata, annotations },
    spec: reserved ? { ...spec, claimRef: reference } : spec,
  };
}
