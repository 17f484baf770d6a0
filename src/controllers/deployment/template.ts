// Which ReplicaSet is the current one, and their order.
import type { Deployment, ReplicaSet } from "../../api/generated/types.ts";
import { canonical, withoutHash } from "../shared/template-hash.ts";

/** The ReplicaSet of the Deployment's current template: the oldest, where several have it. */
export function findNewReplicaSet(
  deployment: Readonly<Deployment>,
  replicaSets: readonly Readonly<ReplicaSet>[],
): Readonly<ReplicaSet> | undefined {
  const wanted = canonical(withoutHash(deployment.spec.template));
  return oldestFirst(replicaSets).find(({ spec }) => canonical(withoutHash(spec.template)) === wanted);
}

export function oldestFirst(replicaSets: readonly Readonly<ReplicaSet>[]): Readonly<ReplicaSet>[] {
  return [...replicaSets].sort(compareAge);
}

/** By creation time, then by name. */
export function compareAge(
  { metadata: a }: Readonly<ReplicaSet>,
  { metadata: b }: Readonly<ReplicaSet>,
): number {
  const [at, bt] = [a.creationTimestamp ?? "", b.creationTimestamp ?? ""];
  if (at !== bt) return at < bt ? -1 : 1;
  return a.name < b.name ? -1 : a.name > b.name ? 1 : 0;
}
