// Which volume a claim can have (component-helpers' storage/volume). Asked by the volume binder for claims that are bound at
// once, and by the scheduler, node by node, for claims that wait for their first pod.
import { compareQuantities } from "../base/quantity.ts";
import type {
  PersistentVolume,
  PersistentVolumeClaim,
  Pod,
  StorageClass,
  Volume,
} from "./generated/types.ts";
import { BOUND_BY_CONTROLLER, DEFAULT_CLASS, SELECTED_NODE, STORAGE_CLASS_BETA } from "./names.ts";
import { labelMatcher } from "./selectors.ts";

/** "" for no class. */
export const classOf = ({ metadata, spec }: Readonly<PersistentVolumeClaim>): string =>
  metadata.annotations?.[STORAGE_CLASS_BETA] ?? spec.storageClassName ?? "";

export const classOfVolume = ({ metadata, spec }: Readonly<PersistentVolume>): string =>
  metadata.annotations?.[STORAGE_CLASS_BETA] ?? spec.storageClassName ?? "";

/** True when the claim leaves it to the cluster which class it gets. */
export const wantsDefaultClass = ({ metadata, spec }: Readonly<PersistentVolumeClaim>): boolean =>
  metadata.annotations?.[STORAGE_CLASS_BETA] === undefined && spec.storageClassName === undefined;

/** Whether claims that name no class get this one. */
export const isDefaultClass = ({ metadata }: StorageClass): boolean =>
  metadata.annotations?.[DEFAULT_CLASS] === "true" ||
  metadata.annotations?.["storageclass.beta.kubernetes.io/is-default-class"] === "true";

/** Of several default classes the newest; of those made within one second the first by name. */
export function defaultClassOf(
  classes: readonly Readonly<StorageClass>[],
): Readonly<StorageClass> | undefined {
  const [first] = classes.filter(isDefaultClass).sort((a, b) => {
    const [left, right] = [a.metadata, b.metadata];
    if (left.creationTimestamp !== right.creationTimestamp)
      return left.creationTimestamp > right.creationTimestamp ? -1 : 1;
    return left.name < right.name ? -1 : 1;
  });
  return first;
}

/** True while the claim must not be bound because no pod that uses it has a node yet. */
export const waitsForConsumer = (
  claim: Readonly<PersistentVolumeClaim>,
  storageClass: Readonly<StorageClass> | undefined,
): boolean =>
  storageClass?.volumeBindingMode === "WaitForFirstConsumer" &&
  claim.metadata.annotations?.[SELECTED_NODE] === undefined;

/** True when the volume's claimRef names this very claim; by name alone where an administrator wrote it. */
export function isVolumeOf(
  { spec: { claimRef } }: Readonly<PersistentVolume>,
  { metadata }: Readonly<PersistentVolumeClaim>,
): boolean {
  if (!claimRef || claimRef.name !== metadata.name || claimRef.namespace !== metadata.namespace) return false;
  return !claimRef.uid || claimRef.uid === metadata.uid;
}

/** Why the claim cannot have a volume that it asks for by name, in the binder's words. */
export function mismatchOf(
  claim: Readonly<PersistentVolumeClaim>,
  volume: Readonly<PersistentVolume>,
): string | undefined {
  if (!isLargeEnough(claim, volume)) return "requested PV is too small";
  if (classOf(claim) !== classOfVolume(volume)) return "storageClassName does not match";
  if (!sameMode(claim, volume)) return "incompatible volumeMode";
  if (!allowsModes(claim, volume)) return "incompatible accessMode";
  return undefined;
}

/** claimRef and annotations of a volume that is given to `claim`; undefined when it has them. */
export function planClaimRef(
  volume: Readonly<PersistentVolume>,
  claim: Readonly<PersistentVolumeClaim>,
): Readonly<PersistentVolume> | undefined {
  if (isVolumeOf(volume, claim) && volume.spec.claimRef?.uid) return undefined;
  const { namespace, name, uid, resourceVersion } = claim.metadata;
  const reserved = volume.spec.claimRef !== undefined;
  const annotations = reserved
    ? volume.metadata.annotations
    : { ...volume.metadata.annotations, [BOUND_BY_CONTROLLER]: "yes" };
  return {
    ...volume,
    metadata: { ...volume.metadata, ...(annotations ? { annotations } : {}) },
    spec: {
      ...volume.spec,
      claimRef: {
        kind: "PersistentVolumeClaim",
        apiVersion: "v1",
        ...(namespace ? { namespace } : {}),
        name,
        uid,
        resourceVersion,
      },
    },
  };
}

export interface MatchOptions {
  /** Only what an administrator reserved for the claim: it is not to be bound yet. */
  readonly reservedOnly: boolean;
  /** Asked by the scheduler: whether the volume can be used where the pod would go, and is not promised to another. */
  readonly allows?: (volume: Readonly<PersistentVolume>) => boolean;
}

/**
 * The volume reserved for the claim, else of those that fit the one with the fewest access modes and then the least capacity:
 * what is larger or more capable is left for those who need it.
 */
export function matchVolume(
  claim: Readonly<PersistentVolumeClaim>,
  volumes: readonly Readonly<PersistentVolume>[],
  { reservedOnly, allows = () => true }: MatchOptions,
): Readonly<PersistentVolume> | undefined {
  const selects = labelMatcher(claim.spec.selector);
  let best: Readonly<PersistentVolume> | undefined;
  for (const volume of volumes) {
    if (volume.metadata.deletionTimestamp || !allows(volume)) continue;
    if (!isLargeEnough(claim, volume) || !sameMode(claim, volume) || !allowsModes(claim, volume)) continue;
    if (volume.spec.claimRef) {
      if (isVolumeOf(volume, claim)) return volume;
      continue;
    }
    if (reservedOnly || volume.status?.phase !== "Available") continue;
    if (classOf(claim) !== classOfVolume(volume)) continue;
    if (claim.spec.selector && !selects(volume.metadata.labels)) continue;
    if (!best || isCloser(volume, best)) best = volume;
  }
  return best;
}

function isCloser(a: Readonly<PersistentVolume>, b: Readonly<PersistentVolume>): boolean {
  const modes = (a.spec.accessModes?.length ?? 0) - (b.spec.accessModes?.length ?? 0);
  if (modes !== 0) return modes < 0;
  const size = compareQuantities(capacityOf(a), capacityOf(b));
  return size !== 0 ? size < 0 : a.metadata.name < b.metadata.name;
}

export const capacityOf = ({ spec }: Readonly<PersistentVolume>): string => spec.capacity?.["storage"] ?? "0";

export const requestOf = ({ spec }: Readonly<PersistentVolumeClaim>): string =>
  spec.resources?.requests?.["storage"] ?? "0";

const isLargeEnough = (claim: Readonly<PersistentVolumeClaim>, volume: Readonly<PersistentVolume>): boolean =>
  compareQuantities(capacityOf(volume), requestOf(claim)) >= 0;

const sameMode = (claim: Readonly<PersistentVolumeClaim>, volume: Readonly<PersistentVolume>): boolean =>
  (claim.spec.volumeMode ?? "Filesystem") === (volume.spec.volumeMode ?? "Filesystem");

const allowsModes = (claim: Readonly<PersistentVolumeClaim>, volume: Readonly<PersistentVolume>): boolean =>
  (claim.spec.accessModes ?? []).every((mode) => volume.spec.accessModes?.includes(mode));

/** The claim that a pod's volume stands on; undefined for other volumes. An ephemeral volume's claim is POD-VOLUME. */
export function claimNameOf(pod: Readonly<Pod>, volume: Volume): string | undefined {
  if (volume.ephemeral) return `${pod.metadata.name}-${volume.name}`;
  return volume.persistentVolumeClaim?.claimName;
}

/** The names of all claims that the pod uses. */
export const claimsOf = (pod: Readonly<Pod>): readonly string[] =>
  (pod.spec.volumes ?? []).flatMap((volume) => claimNameOf(pod, volume) ?? []);
