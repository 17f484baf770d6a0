// The spec of a claim, wherever one stands: in a claim, in a StatefulSet's claim templates, in a pod's ephemeral volume.
import { canonicalAmounts } from "../../../base/quantity.ts";
import type { PersistentVolumeClaimSpec } from "../../generated/types.ts";
import type { Draft } from "../../object.ts";
import { type FieldError, required } from "../../status-error.ts";
import { validateLabelSelector } from "../../validation/labels.ts";
import {
  validateAccessModes,
  validateClassName,
  validateStorageAmount,
  validateVolumeMode,
} from "../../validation/storage.ts";

/** Idempotent. */
export function defaultClaimSpec(spec: Draft<PersistentVolumeClaimSpec>): void {
  spec.volumeMode ??= "Filesystem";
  canonicalAmounts(spec.resources?.limits);
  canonicalAmounts(spec.resources?.requests);
}

/** `path` is where the spec stands: `spec`. */
export function validateClaimSpec(spec: PersistentVolumeClaimSpec = {}, path: string): FieldError[] {
  const storage = spec.resources?.requests?.["storage"];
  const amount = `${path}.resources[storage]`;
  return [
    ...validateAccessModes(spec.accessModes, `${path}.accessModes`, "at least 1 access mode is required"),
    ...validateLabelSelector(spec.selector, `${path}.selector`),
    ...(storage === undefined ? [required(amount)] : validateStorageAmount(storage, amount)),
    ...validateClassName(spec.storageClassName, `${path}.storageClassName`),
    ...validateVolumeMode(spec.volumeMode, `${path}.volumeMode`),
  ];
}
