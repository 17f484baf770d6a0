// What the garbage collector does with one object, decided from its owners and dependents (Kubernetes' garbagecollector package).
import type { ObjectMeta, OwnerReference } from "../../api/object.ts";
import { equalJson } from "../../api/own.ts";

export const FOREGROUND = "foregroundDeletion";
export const ORPHAN = "orphan";

/** `absent`: verified gone, or another object of that name. `waiting`: being deleted in the foreground, until its dependents are gone. */
export type OwnerState = "solid" | "absent" | "waiting";

export interface OwnedBy {
  readonly reference: OwnerReference;
  readonly state: OwnerState;
}

export type ObjectPlan =
  | { readonly action: "none" }
  /** Owners that are gone or going are taken out; another one still holds the object. */
  | { readonly action: "release"; readonly uids: readonly string[] }
  | {
      readonly action: "delete";
      readonly propagationPolicy: "Background" | "Foreground" | "Orphan";
      /** Its owners must not wait for it. */
      readonly unblock?: boolean;
    };

/** Whether a change of the object itself is one to act on. Most (a renewed Lease, a pod's status) are not, and its owners tell of theirs. */
export function isNews(after: ObjectMeta, before: ObjectMeta | undefined): boolean {
  if (after.deletionTimestamp) return true;
  return !!after.ownerReferences?.length && !equalJson(after.ownerReferences, before?.ownerReferences);
}

/** What becomes of an object with these owners and dependents. An object without owners is nobody's business. */
export function planObject(
  metadata: ObjectMeta,
  owners: readonly OwnedBy[],
  dependents: readonly ObjectMeta[],
): ObjectPlan {
  if (metadata.deletionTimestamp || owners.length === 0) return { action: "none" };
  const gone = owners.filter(({ state }) => state !== "solid");
  if (gone.length < owners.length) {
    return gone.length === 0
      ? { action: "none" }
      : { action: "release", uids: gone.map(({ reference }) => reference.uid) };
  }
  // An owner that waits for this object wants all below it gone as well before it goes itself.
  const waitedFor = owners.some(({ state }) => state === "waiting");
  if (waitedFor && dependents.length > 0) {
    // Where a dependent waits as well there may be a circle, in which each would wait for the next.
    const unblock = dependents.some(isWaitingForDependents);
    return { action: "delete", propagationPolicy: "Foreground", unblock };
  }
  const finalizers = metadata.finalizers ?? [];
  if (finalizers.includes(ORPHAN)) return { action: "delete", propagationPolicy: "Orphan" };
  if (finalizers.includes(FOREGROUND)) return { action: "delete", propagationPolicy: "Foreground" };
  return { action: "delete", propagationPolicy: "Background" };
}

export type OwnerPlan = "none" | "orphan-dependents" | "wait" | "remove-foreground" | "remove-orphan";

/** What an owner that is being deleted still needs done. `blocking`: dependents that name it with blockOwnerDeletion. */
export function planOwner(
  metadata: ObjectMeta,
  dependents: { readonly count: number; readonly blocking: number },
): OwnerPlan {
  if (!metadata.deletionTimestamp) return "none";
  const finalizers = metadata.finalizers ?? [];
  if (finalizers.includes(ORPHAN)) return dependents.count > 0 ? "orphan-dependents" : "remove-orphan";
  if (finalizers.includes(FOREGROUND)) return dependents.blocking > 0 ? "wait" : "remove-foreground";
  return "none";
}

export function isWaitingForDependents({ deletionTimestamp, finalizers }: ObjectMeta): boolean {
  return deletionTimestamp !== undefined && (finalizers ?? []).includes(FOREGROUND);
}
