// Pure: the storage of a replica. Each claim template gives the replica a PersistentVolumeClaim of its own, found again by name whatever pod comes and
// goes. Who owns a claim decides when the garbage collector takes it: the set (goes with the set), the pod (goes when a scale-down
// ends the pod), or nobody (stays).
import type { PersistentVolumeClaim, Pod, StatefulSet, Volume } from "../../api/generated/types.ts";
import { pods } from "../../api/kinds/pod.ts";
import { statefulSets } from "../../api/kinds/stateful-set.ts";
import { controllerReference, type Draft, type OwnerReference } from "../../api/object.ts";
import { equalJson } from "../../api/own.ts";
import { apiVersionOf } from "../../api/resource.ts";
import { isWanted, ordinalOf } from "./identity.ts";

type Set = Readonly<StatefulSet>;
type Claim = Readonly<PersistentVolumeClaim>;

/** `www-web-0` */
const claimName = (set: Set, template: string, ordinal: number): string =>
  `${template}-${set.metadata.name}-${ordinal}`;

const templatesOf = ({ spec }: Set) => spec.volumeClaimTemplates ?? [];

/** The claims that the replica needs. */
export function claimsOf(set: Set, ordinal: number): readonly Draft<PersistentVolumeClaim>[] {
  const { namespace } = set.metadata;
  return templatesOf(set).map(({ metadata, spec }) => {
    const { name = "", labels, annotations } = metadata ?? {};
    return {
      metadata: {
        name: claimName(set, name, ordinal),
        ...(namespace ? { namespace } : {}),
        labels: { ...labels, ...set.spec.selector.matchLabels },
        ...(annotations ? { annotations: { ...annotations } } : {}),
      },
      ...(spec ? { spec } : {}),
    };
  });
}

/** True where a replica of the set could have a claim of that name. */
export function mayClaim(set: Set, name: string): boolean {
  return templatesOf(set).some(({ metadata }) => name.startsWith(`${metadata?.name}-${set.metadata.name}-`));
}

/** The volumes of the replica: a claim takes the place of a volume of the same name. */
export function volumesWithClaims(
  set: Set,
  ordinal: number,
  volumes: Draft<Volume>[] | undefined,
): { volumes?: Draft<Volume>[] } {
  const names = templatesOf(set).map(({ metadata }) => metadata?.name ?? "");
  const all = [
    ...names.map((name) => ({
      name,
      persistentVolumeClaim: { claimName: claimName(set, name, ordinal) },
    })),
    ...(volumes ?? []).filter(({ name }) => !names.includes(name ?? "")),
  ];
  return all.length > 0 ? { volumes: all } : {};
}

/** The owners that the claim of `pod` must have by the retention policy; undefined where it has them. */
export function planClaimOwners(set: Set, pod: Readonly<Pod>, claim: Claim): OwnerReference[] | undefined {
  const before = claim.metadata.ownerReferences ?? [];
  const mine = new Set([set.metadata.uid, pod.metadata.uid]);
  const others = before.filter(({ uid }) => !mine.has(uid));
  // What another controller has is not ours to keep or to take.
  const wanted = others.some(({ controller }) => controller) ? [] : wantedOwners(set, pod);
  const after = [...others, ...wanted];
  return equalJson(before, after) ? undefined : after;
}

function wantedOwners(set: Set, pod: Readonly<Pod>): OwnerReference[] {
  const { whenDeleted, whenScaled } = set.spec.persistentVolumeClaimRetentionPolicy ?? {};
  const ordinal = ordinalOf(set, pod);
  const isScaledDown = ordinal === undefined || !isWanted(set, ordinal);
  if (whenScaled === "Delete" && isScaledDown) return [controllerReference(pod, "v1", pods.kind)];
  if (whenDeleted !== "Delete") return [];
  return [controllerReference(set, apiVersionOf(statefulSets), statefulSets.kind)];
}

/** True while the claim still belongs to an earlier pod of this name: it is about to be taken, and a new one must wait until it is gone. */
export function isStale(claim: Claim, podName: string, podUid: string | undefined): boolean {
  return (claim.metadata.ownerReferences ?? []).some(
    ({ kind, name, uid }) => kind === pods.kind && name === podName && uid !== podUid,
  );
}
