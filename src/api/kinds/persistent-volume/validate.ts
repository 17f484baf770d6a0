// Validation of PersistentVolumes. Of the sources only those that kubemu mounts are looked into.
import { isDeepStrictEqual } from "node:util";
import type { PersistentVolume, PersistentVolumeSpec, VolumeNodeAffinity } from "../../generated/types.ts";
import { type FieldError, forbiddenField, invalid, notSupported, required } from "../../status-error.ts";
import { changedPaths } from "../../validation/changed-paths.ts";
import { validateImmutable } from "../../validation/object-meta.ts";
import {
  validateAccessModes,
  validateClassName,
  validateStorageAmount,
  validateVolumeMode,
} from "../../validation/storage.ts";
import { sourcesOf } from "../../volume-sources.ts";
import { validateFields, validateRequirements } from "../pod/validate-scheduling.ts";
import { validateHostPath } from "../pod/validate-volumes.ts";

const RECLAIM_POLICIES = ["Delete", "Recycle", "Retain"];
const sourceOf = (spec: PersistentVolumeSpec) =>
  Object.fromEntries(sourcesOf(spec).map((field) => [field, spec[field as keyof PersistentVolumeSpec]]));

export function validateVolume({ spec }: PersistentVolume): FieldError[] {
  const { persistentVolumeReclaimPolicy: policy } = spec;
  return [
    ...validateAccessModes(spec.accessModes, "spec.accessModes"),
    ...validateCapacity(spec.capacity),
    ...(policy && !RECLAIM_POLICIES.includes(policy)
      ? [notSupported("spec.persistentVolumeReclaimPolicy", policy, RECLAIM_POLICIES)]
      : []),
    ...validateNodeAffinity(spec.nodeAffinity, "spec.nodeAffinity"),
    ...validateSource(spec),
    ...validateClassName(spec.storageClassName, "spec.storageClassName"),
    ...validateVolumeMode(spec.volumeMode, "spec.volumeMode"),
  ];
}

function validateCapacity(capacity: Readonly<Record<string, string>> = {}): FieldError[] {
  const errors: FieldError[] = [];
  const names = Object.keys(capacity);
  if (names.length === 0) errors.push(required("spec.capacity"));
  if (names.length !== 1 || names[0] !== "storage") {
    errors.push(notSupported("spec.capacity", capacity, ["storage"]));
  }
  for (const [name, amount] of Object.entries(capacity)) {
    errors.push(...validateStorageAmount(amount, `spec.capacity[${name}]`));
  }
  return errors;
}

function validateNodeAffinity(affinity: VolumeNodeAffinity | undefined, path: string): FieldError[] {
  if (!affinity) return [];
  if (!affinity.required) return [required(`${path}.required`, "must specify required node constraints")];
  const at = `${path}.required.nodeSelectorTerms`;
  const terms = affinity.required.nodeSelectorTerms ?? [];
  if (terms.length === 0) return [required(at, "must have at least one node selector term")];
  return terms.flatMap(({ matchExpressions, matchFields }, index) => [
    ...validateRequirements(matchExpressions, `${at}[${index}].matchExpressions`),
    ...validateFields(matchFields, `${at}[${index}].matchFields`),
  ]);
}

function validateSource(spec: PersistentVolumeSpec): FieldError[] {
  const [first, ...more] = sourcesOf(spec);
  if (!first) return [required("spec", "must specify a volume type")];
  const errors = more.map((field) =>
    forbiddenField(`spec.${field}`, "may not specify more than 1 volume type"),
  );
  const { hostPath, local } = spec;
  if (hostPath) {
    errors.push(...validateHostPath(hostPath, "spec.hostPath"));
    if (spec.persistentVolumeReclaimPolicy === "Recycle" && /^\/+$/.test(hostPath.path ?? "")) {
      errors.push(
        forbiddenField(
          "spec.persistentVolumeReclaimPolicy",
          "may not be 'recycle' for a hostPath mount of '/'",
        ),
      );
    }
  }
  if (local) {
    if (!local.path) errors.push(required("spec.local.path"));
    else if (local.path.split("/").includes("..")) {
      errors.push(invalid("spec.local.path", local.path, "must not contain '..'"));
    }
    if (!spec.nodeAffinity) {
      errors.push(required("spec.nodeAffinity", "Local volume requires node affinity"));
    }
  }
  return errors;
}

const SOURCE = "spec.persistentvolumesource";

export function validateVolumeUpdate(
  { spec }: PersistentVolume,
  { spec: old }: PersistentVolume,
): FieldError[] {
  const now = sourceOf(spec);
  const before = sourceOf(old);
  const errors: FieldError[] = [];
  if (!isDeepStrictEqual(now, before)) {
    const changes = changedPaths(now, before, "spec");
    errors.push(forbiddenField(SOURCE, [`${SOURCE} is immutable after creation`, ...changes].join("\n")));
  }
  errors.push(...validateImmutable(spec.volumeMode, old.volumeMode, "volumeMode"));
  if (old.nodeAffinity) {
    errors.push(...validateImmutable(spec.nodeAffinity, old.nodeAffinity, "nodeAffinity"));
  }
  return errors;
}
