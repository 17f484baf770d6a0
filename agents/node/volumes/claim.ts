// persistentVolumeClaim and generic ephemeral volumes: from the claim to its volume, and to the directory that it is.
import type {
  PersistentVolume,
  PersistentVolumeClaim,
  Pod,
  Volume,
} from "../../../src/api/generated/types.ts";
import { persistentVolumes } from "../../../src/api/kinds/persistent-volume.ts";
import { persistentVolumeClaims } from "../../../src/api/kinds/persistent-volume-claim.ts";
import { isVolumeOf } from "../../../src/api/volume-match.ts";
import { sourcesOf } from "../../../src/api/volume-sources.ts";
import type { Client } from "../../../src/client/client.ts";
import { prepareHostPath } from "./host-path.ts";
import { VolumeError } from "./payload.ts";

/** The claim cannot be used (yet), in the kubelet's words. */
export class ClaimError extends Error {}

/**
 * Resolves with the directory that stands behind the claim. Throws a ClaimError where the claim has no volume for the pod, a
 * VolumeError where the volume cannot be mounted.
 */
export async function prepareClaim(
  client: Client,
  pod: Readonly<Pod>,
  { volume, claimName }: { volume: Volume; claimName: string },
): Promise<string> {
  const { namespace = "" } = pod.metadata;
  const refuse = (why: string) => new ClaimError(`error processing PVC ${namespace}/${claimName}: ${why}`);
  const claim = await client.find(persistentVolumeClaims, { namespace, name: claimName });
  if (!claim) {
    throw refuse(`failed to fetch PVC from API server: persistentvolumeclaims "${claimName}" not found`);
  }
  if (claim.metadata.deletionTimestamp) throw refuse("PVC is being deleted");
  const isForeign = volume.ephemeral && !isOwnedBy(claim, pod);
  if (isForeign) throw refuse(`PVC ${namespace}/${claimName} was not created for pod ${pod.metadata.name}`);
  const bound = claim.status?.phase === "Bound" && claim.spec.volumeName;
  const found = bound ? await client.find(persistentVolumes, { name: bound }) : undefined;
  if (!bound) throw refuse("PVC is not bound");
  if (!found) {
    throw refuse(`failed to fetch PV ${bound} from API server: persistentvolumes "${bound}" not found`);
  }
  if (!isVolumeOf(found, claim)) {
    throw refuse(`PV ${bound} spec.claimRef is not bound to PVC ${namespace}/${claimName}`);
  }
  return mountSource(found);
}

const isOwnedBy = ({ metadata }: PersistentVolumeClaim, pod: Readonly<Pod>): boolean =>
  metadata.ownerReferences?.some(({ uid }) => uid === pod.metadata.uid) ?? false;

/** Unlike Kubernetes: hostPath and local are what there is; they are the same host's on every node. */
async function mountSource({ spec }: PersistentVolume): Promise<string> {
  if (spec.volumeMode === "Block") throw new VolumeError("kubemu has no block volumes");
  if (spec.hostPath) {
    await prepareHostPath(spec.hostPath.path, spec.hostPath.type);
    return spec.hostPath.path;
  }
  if (spec.local) {
    await prepareHostPath(spec.local.path, "Directory");
    return spec.local.path;
  }
  throw new VolumeError(`kubemu mounts hostPath and local volumes only, not ${sourcesOf(spec).join(", ")}`);
}
