// Pure: whether something still stands on a claim or a volume that is being deleted.
import type { PersistentVolume, PersistentVolumeClaim, Pod } from "../../api/generated/types.ts";
import { PV_PROTECTION, PVC_PROTECTION } from "../../api/names.ts";
import { claimsOf } from "../../api/volume-match.ts";

/** A pod counts from when it has a node until it is gone; one that has ended counts too, as in Kubernetes. */
export function mayDropClaim(
  claim: Readonly<PersistentVolumeClaim>,
  users: readonly Readonly<Pod>[],
): boolean {
  const { metadata } = claim;
  if (!metadata.deletionTimestamp || !metadata.finalizers?.includes(PVC_PROTECTION)) return false;
  return !users.some((pod) => pod.spec.nodeName && claimsOf(pod).includes(metadata.name));
}

export function mayDropVolume({ metadata, status }: Readonly<PersistentVolume>): boolean {
  if (!metadata.deletionTimestamp || !metadata.finalizers?.includes(PV_PROTECTION)) return false;
  return status?.phase !== "Bound";
}
