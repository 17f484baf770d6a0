// What an update may change in a claim: its volume once, its class where it had none, and once bound how much it asks for.
import { isDeepStrictEqual } from "node:util";
import { compareQuantities, isQuantity } from "../../../base/quantity.ts";
import type { PersistentVolumeClaim, PersistentVolumeClaimSpec } from "../../generated/types.ts";
import { type FieldError, forbiddenField } from "../../status-error.ts";
import { changedPaths } from "../../validation/changed-paths.ts";

const IMMUTABLE =
  "spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims";

export function validateClaimUpdate(
  { spec, status }: PersistentVolumeClaim,
  { spec: old, status: oldStatus }: PersistentVolumeClaim,
): FieldError[] {
  const kept = withoutMutable(spec, old, status?.phase === "Bound");
  const errors: FieldError[] = [];
  if (!isDeepStrictEqual(kept, old)) {
    errors.push(forbiddenField("spec", [IMMUTABLE, ...changedPaths(kept, old, "spec")].join("\n")));
  }
  const now = storageOf(spec);
  const before = storageOf(old);
  const least = oldStatus?.capacity?.["storage"] ?? "0";
  if (compareQuantities(now, before) < 0 && compareQuantities(now, least) < 0) {
    errors.push(
      forbiddenField("spec.resources.requests.storage", "field can not be less than status.capacity"),
    );
  }
  return errors;
}

function storageOf({ resources }: PersistentVolumeClaimSpec): string {
  const amount = resources?.requests?.["storage"] ?? "0";
  // What is no quantity is told by the validation of the spec.
  return isQuantity(amount) ? amount : "0";
}

/** `spec` with everything that may change set back to what it was. */
function withoutMutable(
  spec: PersistentVolumeClaimSpec,
  old: PersistentVolumeClaimSpec,
  bound: boolean,
): PersistentVolumeClaimSpec {
  const kept: PersistentVolumeClaimSpec = { ...spec };
  if (!old.volumeName) setBack(kept, old, "volumeName");
  // A class that became the default later is given to claims that wait for one.
  if (old.storageClassName === undefined && !old.volumeName) setBack(kept, old, "storageClassName");
  setBack(kept, old, "volumeAttributesClassName");
  const before = old.resources?.requests?.["storage"];
  if (bound && spec.resources?.requests && before !== undefined) {
    kept.resources = { ...spec.resources, requests: { ...spec.resources.requests, storage: before } };
  }
  return kept;
}

function setBack<Field extends keyof PersistentVolumeClaimSpec>(
  spec: PersistentVolumeClaimSpec,
  old: PersistentVolumeClaimSpec,
  field: Field,
): void {
  if (old[field] === undefined) delete spec[field];
  else spec[field] = old[field];
}
