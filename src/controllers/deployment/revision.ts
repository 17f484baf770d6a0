// The annotations by which a Deployment's history is kept: on each ReplicaSet its revision, the revisions it had before, and the size that it
// was last given its share of.
import type { Deployment, ReplicaSet } from "../../api/generated/types.ts";
import { LAST_APPLIED, REVISION } from "../../api/names.ts";
import { fenceposts } from "./fenceposts.ts";

export const REVISION_HISTORY = "deployment.kubernetes.io/revision-history";
export const DESIRED_REPLICAS = "deployment.kubernetes.io/desired-replicas";
export const MAX_REPLICAS = "deployment.kubernetes.io/max-replicas";

// What belongs to one object only, and is not handed down to ReplicaSets.
const OWN: ReadonlySet<string> = new Set([
  LAST_APPLIED,
  REVISION,
  REVISION_HISTORY,
  DESIRED_REPLICAS,
  MAX_REPLICAS,
  "deprecated.deployment.rollback.to",
]);

const HISTORY_CHARACTERS = 2000;

type Annotations = Record<string, string>;

const numberIn = (set: Readonly<ReplicaSet>, name: string): number | undefined => {
  const text = set.metadata.annotations?.[name];
  return text !== undefined && /^\d+$/.test(text) ? Number(text) : undefined;
};

export const desiredReplicasOf = (set: Readonly<ReplicaSet>) => numberIn(set, DESIRED_REPLICAS);
export const maxReplicasOf = (set: Readonly<ReplicaSet>) => numberIn(set, MAX_REPLICAS);
export const revisionOf = (set: Readonly<ReplicaSet>): number => numberIn(set, REVISION) ?? 0;

/** One more than the newest of the old ones. */
export function nextRevision(old: readonly Readonly<ReplicaSet>[]): number {
  return Math.max(0, ...old.map(revisionOf)) + 1;
}

/** What a ReplicaSet says of the size that it is part of. */
export function sizeAnnotations(deployment: Readonly<Deployment>): Annotations {
  const wanted = deployment.spec.replicas ?? 1;
  return {
    [DESIRED_REPLICAS]: String(wanted),
    [MAX_REPLICAS]: String(wanted + fenceposts(deployment).maxSurge),
  };
}

/**
 * The annotations of the current ReplicaSet at `revision`: the Deployment's own are copied (a change-cause among them), the revision only ever
 * grows, and one that is taken up again (a rollback) remembers which it had been.
 */
export function currentAnnotations(
  deployment: Readonly<Deployment>,
  before: Readonly<Annotations> | undefined,
  revision: number,
): Annotations {
  const after: Annotations = { ...before };
  for (const [name, value] of Object.entries(deployment.metadata.annotations ?? {}))
    if (!OWN.has(name)) after[name] = value;
  const past = before?.[REVISION];
  if (Number(past ?? 0) >= revision) return after;
  after[REVISION] = String(revision);
  if (past) after[REVISION_HISTORY] = history(before?.[REVISION_HISTORY], past);
  return after;
}

/** The newest are kept where the list grows too long. */
function history(before: string | undefined, revision: string): string {
  const revisions = before ? [...before.split(","), revision] : [revision];
  while (revisions.length > 1 && revisions.join(",").length > HISTORY_CHARACTERS) revisions.shift();
  return revisions.join(",");
}

export function sameAnnotations(a: Readonly<Annotations> = {}, b: Readonly<Annotations> = {}): boolean {
  const names = Object.keys(a);
  return names.length === Object.keys(b).length && names.every((name) => a[name] === b[name]);
}
