// Owners that a create or replacement names twice are kept once. Owners of one uid that differ otherwise stay, for validation to judge.
import type { KubeObject, OwnerReference } from "../../api/object.ts";

/** Mutates `metadata`. Returns the text of each Warning. */
export function dropRepeatedOwners({ metadata }: KubeObject): string[] {
  const seen = new Set<string>();
  const kept: OwnerReference[] = [];
  const repeated: string[] = [];
  for (const owner of metadata.ownerReferences ?? []) {
    const { apiVersion, kind, name, uid, controller, blockOwnerDeletion } = owner;
    const identity = JSON.stringify([apiVersion, kind, name, uid, controller, blockOwnerDeletion]);
    if (seen.has(identity)) repeated.push(uid);
    else kept.push(owner);
    seen.add(identity);
  }
  if (repeated.length === 0) return [];
  metadata.ownerReferences = kept;
  return [
    `.metadata.ownerReferences contains duplicate entries; API server dedups owner references in 1.20+, and may reject such requests as early as 1.24; please fix your requests; duplicate UID(s) observed: ${repeated.join(", ")}`,
  ];
}
