// Pure: the claims of a pod, seen by the scheduler (component volumebinding). Claims that are bound say on which nodes the pod can
// be; claims that wait for their first pod get, for the node that it goes to, a volume that lies ready or one to be made.
import type { PersistentVolume, PersistentVolumeClaim, StorageClass } from "../api/generated/types.ts";
import { BIND_COMPLETED, NO_PROVISIONER } from "../api/names.ts";
import { matchesTerm } from "../api/node-selector.ts";
import { claimNameOf, classOf, matchVolume, requestOf } from "../api/volume-match.ts";
import { compareQuantities } from "../base/quantity.ts";
import type { NodeInfo } from "./node-info.ts";
import type { PodInfo } from "./pod-info.ts";

/** What is known of storage, the scheduler's own promises included that no informer has shown yet. */
export interface StorageView {
  claim(key: string): Readonly<PersistentVolumeClaim> | undefined;
  volume(name: string): Readonly<PersistentVolume> | undefined;
  volumes(): readonly Readonly<PersistentVolume>[];
  storageClass(name: string): Readonly<StorageClass> | undefined;
  /** The uid of the claim that the volume has been promised to. */
  promisedTo(volume: string): string | undefined;
  /** The node that the volume of the claim is wanted on, once a pod that uses it has been placed. */
  selectedNode(claim: Readonly<PersistentVolumeClaim>): string | undefined;
}

export interface PodVolumes {
  /** The volumes that the pod's claims have; undefined for one that is gone. */
  readonly bound: readonly (Readonly<PersistentVolume> | undefined)[];
  /** The claims that wait for this pod, smallest first, so that each takes as little as it can. */
  readonly waiting: readonly Readonly<PersistentVolumeClaim>[];
}

export interface VolumePlan {
  readonly give: readonly {
    readonly claim: Readonly<PersistentVolumeClaim>;
    readonly volume: Readonly<PersistentVolume>;
  }[];
  /** Claims whose volume the provisioner of their class is to make for the node. */
  readonly make: readonly Readonly<PersistentVolumeClaim>[];
}

const UNBOUND = "pod has unbound immediate PersistentVolumeClaims";
const NODE_CONFLICT = "node(s) didn't match PersistentVolume's node affinity";
const BIND_CONFLICT = "node(s) didn't find available persistent volumes to bind";
const NO_SUCH_VOLUME = "node(s) unavailable due to one or more pvc(s) bound to non-existent pv(s)";

/** The volumes of the pod; undefined where it has no claims, and a problem that no node could mend. */
export function volumesOf(
  { pod, namespace, key }: PodInfo,
  storage: StorageView,
): PodVolumes | { readonly problem: string } | undefined {
  const claims: Readonly<PersistentVolumeClaim>[] = [];
  for (const volume of pod.spec.volumes ?? []) {
    const name = claimNameOf(pod, volume);
    if (name === undefined) continue;
    const claim = storage.claim(`${namespace}/${name}`);
    if (!claim) return { problem: volume.ephemeral ? notYetMade(name) : notFound(name) };
    if (claim.status?.phase === "Lost")
      return { problem: `persistentvolumeclaim "${name}" bound to non-existent ${lostVolume(claim)}` };
    if (claim.metadata.deletionTimestamp)
      return { problem: `persistentvolumeclaim "${name}" is being deleted` };
    if (volume.ephemeral && !claim.metadata.ownerReferences?.some(({ uid }) => uid === pod.metadata.uid))
      return { problem: `PVC ${namespace}/${name} was not created for pod ${key} (pod is not owner)` };
    claims.push(claim);
  }
  if (claims.length === 0) return undefined;
  const waiting: Readonly<PersistentVolumeClaim>[] = [];
  const bound: (Readonly<PersistentVolume> | undefined)[] = [];
  for (const claim of claims) {
    const { volumeName } = claim.spec;
    if (volumeName && claim.metadata.annotations?.[BIND_COMPLETED] !== undefined)
      bound.push(storage.volume(volumeName));
    else if (!volumeName && isDelayed(claim, storage)) waiting.push(claim);
    else return { problem: UNBOUND };
  }
  waiting.sort((a, b) => compareQuantities(requestOf(a), requestOf(b)));
  return { bound, waiting };
}

const notFound = (name: string): string => `persistentvolumeclaim "${name}" not found`;
const notYetMade = (name: string): string =>
  `waiting for ephemeral volume controller to create the persistentvolumeclaim "${name}"`;
const lostVolume = ({ spec }: Readonly<PersistentVolumeClaim>): string =>
  `persistentvolume "${spec.volumeName ?? ""}"`;

const isDelayed = (claim: Readonly<PersistentVolumeClaim>, storage: StorageView): boolean =>
  storage.storageClass(classOf(claim))?.volumeBindingMode === "WaitForFirstConsumer";

/** How the pod's claims get volumes on the node, or why they cannot. */
export function planVolumes(
  { bound, waiting }: PodVolumes,
  node: NodeInfo,
  storage: StorageView,
): VolumePlan | { readonly reasons: readonly string[] } {
  if (bound.includes(undefined)) return { reasons: [NO_SUCH_VOLUME] };
  const reasons: string[] = [];
  if (!bound.every((volume) => volume && canBeUsedOn(volume, node))) reasons.push(NODE_CONFLICT);
  const plan = planWaiting(waiting, node, storage);
  if (!plan) reasons.push(BIND_CONFLICT);
  return plan && reasons.length === 0 ? plan : { reasons };
}

function planWaiting(
  waiting: PodVolumes["waiting"],
  node: NodeInfo,
  storage: StorageView,
): VolumePlan | undefined {
  const give: { claim: Readonly<PersistentVolumeClaim>; volume: Readonly<PersistentVolume> }[] = [];
  const make: Readonly<PersistentVolumeClaim>[] = [];
  const taken = new Set<string>();
  for (const claim of waiting) {
    const selected = storage.selectedNode(claim);
    if (selected !== undefined && selected !== node.name) return undefined;
    const allows = (volume: Readonly<PersistentVolume>) =>
      canBeUsedOn(volume, node) &&
      !taken.has(volume.metadata.name) &&
      (storage.promisedTo(volume.metadata.name) ?? claim.metadata.uid) === claim.metadata.uid;
    const volume = matchVolume(claim, storage.volumes(), { reservedOnly: false, allows });
    if (volume) {
      taken.add(volume.metadata.name);
      give.push({ claim, volume });
    } else if (canBeMadeFor(node, storage.storageClass(classOf(claim)))) make.push(claim);
    else return undefined;
  }
  return { give, make };
}

function canBeUsedOn({ spec }: Readonly<PersistentVolume>, { node }: NodeInfo): boolean {
  const terms = spec.nodeAffinity?.required?.nodeSelectorTerms;
  return !terms || (node !== undefined && terms.some((term) => matchesTerm(term, node)));
}

function canBeMadeFor({ labels }: NodeInfo, storageClass: Readonly<StorageClass> | undefined): boolean {
  if (!storageClass || storageClass.provisioner === NO_PROVISIONER) return false;
  const topologies = storageClass.allowedTopologies ?? [];
  return (
    topologies.length === 0 ||
    topologies.some(({ matchLabelExpressions = [] }) =>
      matchLabelExpressions.every(({ key, values }) => values.includes(labels[key] ?? "")),
    )
  );
}
