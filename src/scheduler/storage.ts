// The scheduler's picture of storage and its writes there. When a pod is placed its waiting claims are promised their volumes at
// once, so that the next pod finds them taken; then volumes are given to claims, and the pod is bound when all claims are.
import type { PersistentVolume, PersistentVolumeClaim } from "../api/generated/types.ts";
import { persistentVolumes } from "../api/kinds/persistent-volume.ts";
import { persistentVolumeClaims } from "../api/kinds/persistent-volume-claim.ts";
import { storageClasses } from "../api/kinds/storage-class.ts";
import { SELECTED_NODE } from "../api/names.ts";
import { keyOf } from "../api/object.ts";
import { planClaimRef } from "../api/volume-match.ts";
import type { ControllerContext } from "../controllers/runtime/context.ts";
import type { NodeInfo } from "./node-info.ts";
import type { PodInfo } from "./pod-info.ts";
import { planVolumes, type StorageView, type VolumePlan, volumesOf } from "./pod-volumes.ts";

type Claim = Readonly<PersistentVolumeClaim>;

/** The volumes of one placed pod. */
export interface VolumeReservation {
  /** Resolves when every claim is bound; rejects where that fails or takes too long. */
  bind(signal: AbortSignal): Promise<void>;
  /** Ends the promises, kept or not. */
  release(): void;
}

export interface SchedulerStorage {
  readonly view: StorageView;
  /** Promises the waiting claims of the pod what the plan for the node says; undefined where none waits. */
  reserve(pod: PodInfo, node: NodeInfo): VolumeReservation | undefined;
  /** Calls `listener` when storage has changed in a way that a waiting pod may have waited for. Returns the way to stop. */
  onChange(listener: () => void): () => void;
}

export function createStorage({ client, clock, informers, timing }: ControllerContext): SchedulerStorage {
  const claimList = informers.of(persistentVolumeClaims);
  const volumeList = informers.of(persistentVolumes);
  const classList = informers.of(storageClasses);
  const promises = new Map<string, string>();
  const selections = new Map<string, string>();
  const view: StorageView = {
    claim: (key) => claimList.get(key),
    volume: (name) => volumeList.get(name),
    volumes: () => volumeList.list(),
    storageClass: (name) => classList.get(name),
    promisedTo: (volume) => promises.get(volume),
    selectedNode: ({ metadata }) => selections.get(metadata.uid) ?? metadata.annotations?.[SELECTED_NODE],
  };

  async function give(claim: Claim, volume: Readonly<PersistentVolume>): Promise<void> {
    const referring = planClaimRef(volume, claim);
    if (referring) await client.update(persistentVolumes, referring);
  }

  /** Gives the claim's revision from which on it names the node, unless its provisioner has given up. */
  async function select({ metadata }: Claim, node: string): Promise<number> {
    const patch = { metadata: { uid: metadata.uid, annotations: { [SELECTED_NODE]: node } } };
    const written = await client.patch(persistentVolumeClaims, metadata, "merge", patch);
    return Number(written.metadata.resourceVersion);
  }

  /** True when the claim is bound and its volume known to be its own; throws when it will not come to that. */
  function isBound({ metadata }: Claim, selectedAt: number | undefined): boolean {
    const current = claimList.get(keyOf({ metadata }));
    if (current?.metadata.uid !== metadata.uid) throw new Error(`pvc ${keyOf({ metadata })} was deleted`);
    if (current.status?.phase === "Bound")
      return volumeList.get(current.spec.volumeName ?? "")?.spec.claimRef?.uid === metadata.uid;
    const isCurrent = selectedAt !== undefined && Number(current.metadata.resourceVersion) >= selectedAt;
    if (isCurrent && current.metadata.annotations?.[SELECTED_NODE] === undefined)
      throw new Error(`provisioning failed for PVC "${metadata.name}"`);
    return false;
  }

  async function bind(plan: VolumePlan, node: string, signal: AbortSignal): Promise<void> {
    const selectedAt = new Map<Claim, number>();
    for (const { claim, volume } of plan.give) await give(claim, volume);
    for (const claim of plan.make) selectedAt.set(claim, await select(claim, node));
    const claims = [...plan.give.map(({ claim }) => claim), ...plan.make];
    let failure: unknown;
    let over = false;
    const areBound = () => {
      try {
        return claims.every((claim) => isBound(claim, selectedAt.get(claim)));
      } catch (error) {
        failure = error;
        return true;
      }
    };
    const done = () => over || areBound();
    const ended = new AbortController();
    // Claims and volumes come by watches of their own: whichever comes last is waited for.
    await Promise.race([
      claimList.when(done),
      volumeList.when(done),
      clock.sleep(timing.volumeBindMs, AbortSignal.any([signal, ended.signal])),
    ]);
    const late = !areBound();
    over = true;
    ended.abort();
    if (failure) throw failure;
    if (late) throw new Error("timed out waiting for the condition");
  }

  return {
    view,
    reserve(pod, node) {
      const volumes = volumesOf(pod, view);
      if (!volumes || "problem" in volumes || volumes.waiting.length === 0) return undefined;
      const plan = planVolumes(volumes, node, view);
      if ("reasons" in plan) return undefined;
      for (const { claim, volume } of plan.give) promises.set(volume.metadata.name, claim.metadata.uid);
      for (const claim of volumes.waiting) selections.set(claim.metadata.uid, node.name);
      return {
        bind: (signal) => bind(plan, node.name, signal),
        release() {
          for (const { volume } of plan.give) promises.delete(volume.metadata.name);
          for (const claim of volumes.waiting) selections.delete(claim.metadata.uid);
        },
      };
    },
    onChange(listener) {
      const ends = [claimList, volumeList, classList].map((list) =>
        list.onChange((after: unknown) => {
          if (after) listener();
        }),
      );
      return () => {
        for (const end of ends) end();
      };
    },
  };
}
