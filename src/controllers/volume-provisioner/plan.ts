// Pure: what the directory provisioner does about one claim or one volume.
import type { PersistentVolume, PersistentVolumeClaim, StorageClass } from "../../api/generated/types.ts";
import { DIRECTORY_PROVISIONER, PROVISIONED_BY, STORAGE_PROVISIONER } from "../../api/names.ts";
import type { Draft } from "../../api/object.ts";
import { capacityOf, requestOf, waitsForConsumer } from "../../api/volume-match.ts";
import { compareQuantities } from "../../base/quantity.ts";

/**
 * Whose claims get a directory: kubemu's own classes, and those written for the local provisioners of kind, minikube and
 * Docker Desktop, so that their manifests work as they are.
 */
const SERVED: ReadonlySet<string> = new Set([
  DIRECTORY_PROVISIONER,
  "rancher.io/local-path",
  "k8s.io/minikube-hostpath",
  "docker.io/hostpath",
]);
/** Keeps a volume until its directory is gone. */
export const PROVISIONER_FINALIZER = "external-provisioner.volume.kubernetes.io/finalizer";

export const volumeNameOf = ({ metadata }: Readonly<PersistentVolumeClaim>): string => `pvc-${metadata.uid}`;

/** True when the binder has left the claim to this provisioner and it has no volume yet. */
export function isToProvision(
  claim: Readonly<PersistentVolumeClaim>,
  storageClass: Readonly<StorageClass> | undefined,
): boolean {
  const provisioner = claim.metadata.annotations?.[STORAGE_PROVISIONER];
  if (!storageClass || claim.spec.volumeName || claim.metadata.deletionTimestamp) return false;
  if (!provisioner || provisioner !== storageClass.provisioner || !SERVED.has(provisioner)) return false;
  return !waitsForConsumer(claim, storageClass);
}

/** Why a claim cannot have a directory; undefined when it can. */
export function refusalOf({ spec }: Readonly<PersistentVolumeClaim>): string | undefined {
  if (spec.volumeMode === "Block")
    return "directories cannot be block volumes: volumeMode must be Filesystem";
  if (spec.selector) return "claim.Spec.Selector is not supported for dynamic provisioning";
  return undefined;
}

export function planVolumeFor(
  claim: Readonly<PersistentVolumeClaim>,
  storageClass: Readonly<StorageClass>,
  path: string,
): Draft<PersistentVolume> {
  const { namespace = "", name, uid, resourceVersion } = claim.metadata;
  const policy = storageClass.reclaimPolicy ?? "Delete";
  return {
    metadata: {
      name: volumeNameOf(claim),
      annotations: { [PROVISIONED_BY]: storageClass.provisioner },
      ...(policy === "Delete" ? { finalizers: [PROVISIONER_FINALIZER] } : {}),
    },
    spec: {
      capacity: { storage: requestOf(claim) },
      accessModes: [...(claim.spec.accessModes ?? [])],
      claimRef: { kind: "PersistentVolumeClaim", apiVersion: "v1", namespace, name, uid, resourceVersion },
      persistentVolumeReclaimPolicy: policy,
      storageClassName: storageClass.metadata.name,
      volumeMode: "Filesystem",
      // A directory that has gone missing is told to whoever mounts it, not quietly made anew.
      hostPath: { path, type: "Directory" },
    },
  };
}

/** True when the volume's directory and then the volume are to go: its claim is gone and it is not to be kept. */
export function isToDelete({ metadata, spec, status }: Readonly<PersistentVolume>): boolean {
  return (
    SERVED.has(metadata.annotations?.[PROVISIONED_BY] ?? "") &&
    spec.persistentVolumeReclaimPolicy === "Delete" &&
    status?.phase === "Released"
  );
}

/** How much a bound claim asks for beyond what it has; undefined when it has enough or may not grow. */
export function planExpansion(
  claim: Readonly<PersistentVolumeClaim>,
  volume: Readonly<PersistentVolume>,
  storageClass: Readonly<StorageClass> | undefined,
): string | undefined {
  if (claim.status?.phase !== "Bound" || !SERVED.has(volume.metadata.annotations?.[PROVISIONED_BY] ?? ""))
    return undefined;
  if (!storageClass?.allowVolumeExpansion) return undefined;
  const wanted = requestOf(claim);
  const has = claim.status.capacity?.["storage"] ?? "0";
  const enough = compareQuantities(wanted, has) <= 0 && compareQuantities(wanted, capacityOf(volume)) <= 0;
  return enough ? undefined : wanted;
}
