// Pure: what the volume binder does about one claim or one volume (Kubernetes' persistentvolume controller). Binding is four
// writes, each of which may be the last before a crash: every pass begins by finding out how far the one before came.
import type { PersistentVolume, PersistentVolumeClaim, StorageClass } from "../../api/generated/types.ts";
import { BIND_COMPLETED, BOUND_BY_CONTROLLER, NO_PROVISIONER, PROVISIONED_BY } from "../../api/names.ts";
import {
  classOf,
  defaultClassOf,
  isVolumeOf,
  matchVolume,
  mismatchOf,
  waitsForConsumer,
  wantsDefaultClass,
} from "../../api/volume-match.ts";
import {
  alreadyBound,
  CLAIM_MISBOUND,
  type ClaimEvent,
  externalProvisioning,
  LOST_REFERENCE,
  LOST_VOLUME,
  NO_VOLUME,
  provisioningFailed,
  volumeMismatch,
  waitingForConsumer,
} from "./events.ts";

export interface ClaimSurroundings {
  readonly volumes: readonly Readonly<PersistentVolume>[];
  readonly classes: readonly Readonly<StorageClass>[];
  /** The pods that use the claim and have no node yet. */
  readonly waitingPods: readonly string[];
}

export type ClaimPlan =
  | { readonly do: "bind"; readonly volume: Readonly<PersistentVolume> }
  /** Leaves it to the provisioner of the class. */
  | { readonly do: "provision"; readonly provisioner: string; readonly event: ClaimEvent }
  | { readonly do: "set-class"; readonly name: string }
  | { readonly do: "wait"; readonly event?: ClaimEvent }
  | { readonly do: "lose"; readonly event: ClaimEvent };

export function planClaim(
  claim: Readonly<PersistentVolumeClaim>,
  surroundings: ClaimSurroundings,
): ClaimPlan {
  const { volumeName } = claim.spec;
  const volume = surroundings.volumes.find(({ metadata }) => metadata.name === volumeName);
  if (claim.metadata.annotations?.[BIND_COMPLETED] !== undefined) {
    if (!volumeName) return { do: "lose", event: LOST_REFERENCE };
    if (!volume) return { do: "lose", event: LOST_VOLUME };
    if (!volume.spec.claimRef || isVolumeOf(volume, claim)) return { do: "bind", volume };
    return { do: "lose", event: CLAIM_MISBOUND };
  }
  if (claim.metadata.deletionTimestamp) return { do: "wait" };
  if (volumeName) return planNamedVolume(claim, volume);
  return planUnbound(claim, surroundings);
}

function planNamedVolume(
  claim: Readonly<PersistentVolumeClaim>,
  volume: Readonly<PersistentVolume> | undefined,
): ClaimPlan {
  if (!volume) return { do: "wait" };
  if (isVolumeOf(volume, claim)) return { do: "bind", volume };
  if (volume.spec.claimRef) return { do: "wait", event: alreadyBound(volume.metadata.name) };
  const mismatch = mismatchOf(claim, volume);
  if (mismatch) return { do: "wait", event: volumeMismatch(volume.metadata.name, mismatch) };
  return { do: "bind", volume };
}

function planUnbound(
  claim: Readonly<PersistentVolumeClaim>,
  { volumes, classes, waitingPods }: ClaimSurroundings,
): ClaimPlan {
  const className = classOf(claim);
  const storageClass = classes.find(({ metadata }) => metadata.name === className);
  const waits = waitsForConsumer(claim, storageClass);
  const volume = matchVolume(claim, volumes, { reservedOnly: waits });
  if (volume) return { do: "bind", volume };
  const standard = wantsDefaultClass(claim) ? defaultClassOf(classes) : undefined;
  if (standard) return { do: "set-class", name: standard.metadata.name };
  if (waits) return { do: "wait", event: waitingForConsumer(waitingPods) };
  if (!className) return { do: "wait", event: NO_VOLUME };
  if (!storageClass) {
    return { do: "wait", event: provisioningFailed(`storageclass.storage.k8s.io "${className}" not found`) };
  }
  const { provisioner } = storageClass;
  if (provisioner === NO_PROVISIONER) {
    return { do: "wait", event: provisioningFailed(`no volume plugin matched name: ${NO_PROVISIONER}`) };
  }
  return { do: "provision", provisioner, event: externalProvisioning(provisioner) };
}

export type VolumePlan =
  | { readonly do: "set-phase"; readonly phase: "Available" | "Bound" | "Released" }
  /** Its claim is gone and it cannot be deleted or recycled. */
  | { readonly do: "fail"; readonly reason: string; readonly message: string }
  /** It was given to a claim that has another: takes back what the binder wrote. */
  | { readonly do: "unbind" }
  | { readonly do: "nothing" };

/** `claim` is the one that claimRef names, if there is one of that name. */
export function planVolume(
  volume: Readonly<PersistentVolume>,
  claim: Readonly<PersistentVolumeClaim> | undefined,
): VolumePlan {
  const { claimRef } = volume.spec;
  // Reserved by name: free until that claim comes.
  if (!claimRef?.uid) return { do: "set-phase", phase: "Available" };
  if (!claim || claim.metadata.uid !== claimRef.uid) return planReclaim(volume);
  const { volumeName } = claim.spec;
  if (volumeName === volume.metadata.name) return { do: "set-phase", phase: "Bound" };
  // The claim's own pass comes to it.
  if (!volumeName) return { do: "nothing" };
  if (
    volume.metadata.annotations?.[PROVISIONED_BY] &&
    volume.spec.persistentVolumeReclaimPolicy === "Delete"
  ) {
    return { do: "set-phase", phase: "Released" };
  }
  return { do: "unbind" };
}

function planReclaim({ metadata, spec, status }: Readonly<PersistentVolume>): VolumePlan {
  if (status?.phase === "Failed") return { do: "nothing" };
  if (status?.phase !== "Released") return { do: "set-phase", phase: "Released" };
  if (spec.persistentVolumeReclaimPolicy === "Recycle") {
    return { do: "fail", reason: "VolumeFailedRecycle", message: "No recycler plugin found for the volume!" };
  }
  // What a provisioner made, that provisioner deletes.
  if (spec.persistentVolumeReclaimPolicy === "Delete" && !metadata.annotations?.[PROVISIONED_BY]) {
    const message = `error getting deleter volume plugin for volume "${metadata.name}": no deletable volume plugin matched`;
    return { do: "fail", reason: "VolumeFailedDelete", message };
  }
  return { do: "nothing" };
}

/** volumeName and annotations of a claim that has been given `volume`; undefined when it has them. */
export function planVolumeName(
  claim: Readonly<PersistentVolumeClaim>,
  volume: Readonly<PersistentVolume>,
): Readonly<PersistentVolumeClaim> | undefined {
  const { annotations = {} } = claim.metadata;
  const named = claim.spec.volumeName === volume.metadata.name;
  if (named && annotations[BIND_COMPLETED] !== undefined) return undefined;
  return {
    ...claim,
    metadata: {
      ...claim.metadata,
      annotations: {
        ...annotations,
        ...(named ? {} : { [BOUND_BY_CONTROLLER]: "yes" }),
        [BIND_COMPLETED]: "yes",
      },
    },
    spec: { ...claim.spec, volumeName: volume.metadata.name },
  };
}
