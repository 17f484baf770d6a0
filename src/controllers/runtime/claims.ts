// Whose an object is, when a selector and an owner reference both have a say: Kubernetes' ControllerRefManager. Used by every controller
// of owned objects: what it owns and selects it keeps, orphans that it selects it adopts, what it owns but selects no more it releases.
import { controllerOf, controllerReference, type KubeObject } from "../../api/object.ts";
import { apiVersionOf, type Resource } from "../../api/resource.ts";
import type { LabelMatcher } from "../../api/selectors.ts";
import { hasReason } from "../../api/status-error.ts";
import type { ControllerContext } from "./context.ts";
import { controlledBy, orphansIn } from "./controlled-by.ts";
import type { Writes } from "./start-controller.ts";

export interface ClaimPlan<T> {
  readonly keep: readonly Readonly<T>[];
  readonly adopt: readonly Readonly<T>[];
  readonly release: readonly Readonly<T>[];
}

export interface Claim<T extends KubeObject> {
  readonly owner: KubeObject;
  readonly ownerResource: Resource;
  /** What is claimed; its informer must have the index CONTROLLED_BY. */
  readonly resource: Resource<T>;
  selects: LabelMatcher;
  /** Orphans worth adopting. */
  mayAdopt(object: Readonly<T>): boolean;
  readonly writes: Writes;
}

/** Pure. An owner that is being deleted neither adopts nor releases: the garbage collector decides about what it has. */
export function planClaims<T extends KubeObject>(
  { owner, selects, mayAdopt }: Pick<Claim<T>, "owner" | "selects" | "mayAdopt">,
  objects: readonly Readonly<T>[],
): ClaimPlan<T> {
  const plan = { keep: [] as Readonly<T>[], adopt: [] as Readonly<T>[], release: [] as Readonly<T>[] };
  const leaving = owner.metadata.deletionTimestamp !== undefined;
  for (const object of objects) {
    const controller = controllerOf(object);
    const matches = selects(object.metadata.labels);
    if (controller?.uid === owner.metadata.uid) {
      if (matches) plan.keep.push(object);
      else if (!leaving) plan.release.push(object);
    } else if (!controller && matches && !leaving && mayAdopt(object)) plan.adopt.push(object);
  }
  return plan;
}

/** Adopts and releases; resolves to what is the owner's now. */
export async function claimObjects<T extends KubeObject>(
  context: ControllerContext,
  claim: Claim<T>,
): Promise<readonly Readonly<T>[]> {
  const { owner, ownerResource, resource } = claim;
  const { uid, namespace } = owner.metadata;
  const lister = context.informers.of(resource);
  const { keep, adopt, release } = planClaims(claim, [
    ...controlledBy(lister, uid),
    ...orphansIn(lister, namespace),
  ]);
  const mine: Readonly<T>[] = [...keep];
  if (adopt.length > 0 && (await isStillThere(context, claim)))
    for (const object of adopt) {
      const reference = controllerReference(owner, apiVersionOf(ownerResource), ownerResource.kind);
      const adopted = await patchOwners(context, claim, { object, ownerReferences: [reference] });
      if (adopted) mine.push(adopted);
    }
  for (const object of release)
    await patchOwners(context, claim, { object, ownerReferences: [{ $patch: "delete", uid }] });
  return mine;
}

/** An owner that was deleted, or replaced by one of the same name, must not adopt: the cache may not know yet. */
async function isStillThere<T extends KubeObject>(
  { client }: ControllerContext,
  { owner, ownerResource }: Claim<T>,
): Promise<boolean> {
  const fresh = await client.find(ownerResource, owner.metadata);
  return fresh?.metadata.uid === owner.metadata.uid && fresh.metadata.deletionTimestamp === undefined;
}

async function patchOwners<T extends KubeObject>(
  { client }: ControllerContext,
  { resource, writes }: Claim<T>,
  { object, ownerReferences }: { object: Readonly<T>; ownerReferences: readonly object[] },
): Promise<T | undefined> {
  try {
    // The uid makes the patch fail for another object that has come by this name.
    const patch = { metadata: { ownerReferences, uid: object.metadata.uid } };
    const patched = await client.patch(resource, object.metadata, "strategic", patch);
    writes.wrote(resource, patched);
    return patched;
  } catch (error) {
    if (hasReason(error, "NotFound") || hasReason(error, "Invalid")) return undefined;
    throw error;
  }
}
