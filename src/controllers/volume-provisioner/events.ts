// The events of the sig-storage provisioner and resizer libraries.
import type { PersistentVolumeClaim } from "../../api/generated/types.ts";
import { keyOf } from "../../api/object.ts";

export const PROVISIONING = "Provisioning";
export const PROVISIONED = "ProvisioningSucceeded";
export const FAILED = "ProvisioningFailed";
export const DELETE_FAILED = "VolumeFailedDelete";
export const RESIZED = "VolumeResizeSuccessful";

export const provisioning = (claim: Readonly<PersistentVolumeClaim>): string =>
  `External provisioner is provisioning volume for claim "${keyOf(claim)}"`;

export const provisioned = (volume: string): string => `Successfully provisioned volume ${volume}`;

export const failed = (storageClass: string, why: string): string =>
  `failed to provision volume with StorageClass "${storageClass}": ${why}`;

export const resized = "Resize volume succeeded";
