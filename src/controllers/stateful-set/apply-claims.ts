// Makes and keeps the claims of replicas. Claims of surplus pods are handed to the pod before it goes.
import type { PersistentVolumeClaim, Pod } from "../../api/generated/types.ts";
import { persistentVolumeClaims } from "../../api/kinds/persistent-volume-claim.ts";
import type { Draft } from "../../api/object.ts";
import { hasReason } from "../../api/status-error.ts";
import { messageOf, say } from "../shared/pod-control.ts";
import { claimsOf, isStale, planClaimOwners } from "./claims.ts";
import * as events from "./events.ts";
import { ordinalOf, podName } from "./identity.ts";
import type { Work } from "./work.ts";

/** Makes those that are missing; false while one of an earlier pod is still there. Throws where one cannot be made. */
export async function ensureClaims(work: Work, ordinal: number): Promise<boolean> {
  const { owner: set } = work;
  const lister = work.context.informers.of(persistentVolumeClaims);
  for (const draft of claimsOf(set, ordinal)) {
    const there = lister.get(`${set.metadata.namespace}/${draft.metadata?.name}`);
    if (!there) await createClaim(work, ordinal, draft);
    else if (there.metadata.deletionTimestamp || isStale(there, podName(set, ordinal), undefined))
      return false;
  }
  return true;
}

async function createClaim(work: Work, ordinal: number, draft: Draft<PersistentVolumeClaim>): Promise<void> {
  const { context, writes, owner: set } = work;
  const name = draft.metadata?.name ?? "";
  const pod = podName(set, ordinal);
  try {
    writes.wrote(persistentVolumeClaims, await context.client.create(persistentVolumeClaims, draft));
    say(work, events.claimDone(name, pod, set.metadata.name));
  } catch (error) {
    if (hasReason(error, "AlreadyExists")) return;
    say(work, events.claimFailed(name, pod, set.metadata.name, messageOf(error)));
    throw error;
  }
}

/** Gives the claims of `pod` the owners that the retention policy wants, and a pod that waits for a lost one that claim again. */
export async function keepClaims(work: Work, pod: Readonly<Pod>): Promise<void> {
  const { context, writes, owner: set } = work;
  const lister = context.informers.of(persistentVolumeClaims);
  const ordinal = ordinalOf(set, pod);
  if (ordinal === undefined) return;
  for (const draft of claimsOf(set, ordinal)) {
    const claim = lister.get(`${set.metadata.namespace}/${draft.metadata?.name}`);
    if (!claim) {
      if (pod.status?.phase === "Pending" && !pod.metadata.deletionTimestamp)
        await createClaim(work, ordinal, draft);
      continue;
    }
    const ownerReferences = planClaimOwners(set, pod, claim);
    if (!ownerReferences || isStale(claim, pod.metadata.name, pod.metadata.uid)) continue;
    const { uid, resourceVersion } = claim.metadata;
    const patch = { metadata: { uid, resourceVersion, ownerReferences } };
    writes.wrote(
      persistentVolumeClaims,
      await context.client.patch(persistentVolumeClaims, claim.metadata, "merge", patch),
    );
  }
}
