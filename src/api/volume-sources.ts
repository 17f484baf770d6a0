// Where a PersistentVolume's storage is.
import type { PersistentVolumeSpec } from "./generated/types.ts";

// Everything else in a spec is a source.
const COMMON: ReadonlySet<string> = new Set<keyof PersistentVolumeSpec>([
  "accessModes",
  "capacity",
  "claimRef",
  "mountOptions",
  "nodeAffinity",
  "persistentVolumeReclaimPolicy",
  "storageClassName",
  "volumeAttributesClassName",
  "volumeMode",
]);

/** Where the storage is: the names of the fields that say it. One, in a valid volume. */
export function sourcesOf(spec: PersistentVolumeSpec): string[] {
  return Object.entries(spec)
    .filter(([field, value]) => value !== undefined && !COMMON.has(field))
    .map(([field]) => field);
}
