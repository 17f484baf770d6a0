// Gives each claim of a class that it serves a directory below the data directory: DATA_DIR/volumes/pvc-UID. It belongs to no
// node, outlives pods, nodes and the cluster's own restarts, and is removed with the claim unless the class says Retain.
// Unlike Kubernetes: capacity is a number, not a limit; a full disk is full for every claim.
import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import type { PersistentVolume, PersistentVolumeClaim } from "../../api/generated/types.ts";
import { persistentVolumes } from "../../api/kinds/persistent-volume.ts";
import { persistentVolumeClaims } from "../../api/kinds/persistent-volume-claim.ts";
import { storageClasses } from "../../api/kinds/storage-class.ts";
import { DIRECTORY_PROVISIONER } from "../../api/names.ts";
import { keyOf } from "../../api/object.ts";
import { hasReason } from "../../api/status-error.ts";
import { capacityOf, classOf } from "../../api/volume-match.ts";
import { compareQuantities } from "../../base/quantity.ts";
import { createRecorder } from "../../client/recorder.ts";
import type { ControllerContext, RunningController } from "../runtime/context.ts";
import { startController, type Writes } from "../runtime/start-controller.ts";
import {
  DELETE_FAILED,
  FAILED,
  failed,
  PROVISIONED,
  PROVISIONING,
  provisioned,
  provisioning,
  RESIZED,
  resized,
} from "./events.ts";
import {
  isToDelete,
  isToProvision,
  PROVISIONER_FINALIZER,
  planExpansion,
  planVolumeFor,
  refusalOf,
  volumeNameOf,
} from "./plan.ts";

const VOLUME = "volume:";

/** `directory`: absolute, where the claims' directories lie. */
export function startVolumeProvisioner(
  context: ControllerContext,
  { directory }: { directory: string },
): RunningController {
  const { client, clock, informers } = context;
  const recorder = createRecorder(client, { component: DIRECTORY_PROVISIONER, clock });
  const claimList = informers.of(persistentVolumeClaims);
  const volumeList = informers.of(persistentVolumes);
  const classList = informers.of(storageClasses);

  async function reconcileClaim(key: string, writes: Writes): Promise<void> {
    const claim = claimList.get(key);
    if (!claim) return;
    const storageClass = classList.get(classOf(claim));
    if (isToProvision(claim, storageClass)) return provision(claim, writes);
    const volume = volumeList.get(claim.spec.volumeName ?? "");
    const capacity = volume && planExpansion(claim, volume, storageClass);
    if (volume && capacity) await expand(claim, volume, { capacity, writes });
  }

  async function provision(claim: Readonly<PersistentVolumeClaim>, writes: Writes): Promise<void> {
    const storageClass = classList.get(classOf(claim));
    const name = volumeNameOf(claim);
    if (!storageClass || volumeList.get(name)) return;
    const className = storageClass.metadata.name;
    recorder.event(claim, "Normal", PROVISIONING, provisioning(claim));
    const refusal = refusalOf(claim);
    if (refusal) {
      recorder.event(claim, "Warning", FAILED, failed(className, refusal));
      return;
    }
    const path = join(directory, name);
    try {
      await mkdir(path, { recursive: true, mode: 0o755 });
    } catch (error) {
      recorder.event(claim, "Warning", FAILED, failed(className, (error as Error).message));
      throw error;
    }
    try {
      const volume = await client.create(persistentVolumes, planVolumeFor(claim, storageClass, path));
      writes.wrote(persistentVolumes, volume);
    } catch (error) {
      if (!hasReason(error, "AlreadyExists")) throw error;
    }
    recorder.event(claim, "Normal", PROVISIONED, provisioned(name));
  }

  async function expand(
    claim: Readonly<PersistentVolumeClaim>,
    volume: Readonly<PersistentVolume>,
    { capacity, writes }: { capacity: string; writes: Writes },
  ): Promise<void> {
    if (compareQuantities(capacityOf(volume), capacity) < 0) {
      const patch = { spec: { capacity: { storage: capacity } } };
      writes.wrote(persistentVolumes, await client.patch(persistentVolumes, volume.metadata, "merge", patch));
    }
    const patch = { status: { capacity: { storage: capacity } } };
    const grown = await client.patch(persistentVolumeClaims, claim.metadata, "merge", patch, {
      subresource: "status",
    });
    writes.wrote(persistentVolumeClaims, grown);
    recorder.event(claim, "Normal", RESIZED, resized);
  }

  async function reconcileVolume(name: string, writes: Writes): Promise<void> {
    const volume = volumeList.get(name);
    if (!volume || !isToDelete(volume)) return;
    const path = join(directory, name);
    // The name is the server's to check and the path this provisioner's own: nothing else is ever removed.
    if (volume.spec.hostPath?.path !== path) return;
    try {
      await rm(path, { recursive: true, force: true });
    } catch (error) {
      recorder.event(volume, "Warning", DELETE_FAILED, (error as Error).message);
      throw error;
    }
    await dropVolume(volume, writes);
  }

  async function dropVolume(volume: Readonly<PersistentVolume>, writes: Writes): Promise<void> {
    try {
      if (!volume.metadata.deletionTimestamp) {
        await client.delete(persistentVolumes, volume.metadata, {
          preconditions: { uid: volume.metadata.uid },
        });
        writes.deleted(persistentVolumes, volume);
        return;
      }
      const finalizers = volume.metadata.finalizers ?? [];
      if (!finalizers.includes(PROVISIONER_FINALIZER)) return;
      const left = finalizers.filter((one) => one !== PROVISIONER_FINALIZER);
      const released = { ...volume, metadata: { ...volume.metadata, finalizers: left } };
      writes.wrote(persistentVolumes, await client.update(persistentVolumes, released));
    } catch (error) {
      if (!hasReason(error, "NotFound")) throw error;
    }
  }

  return startController(context, {
    name: "volume-provisioner",
    watch: (enqueue) => [
      claimList.onChange((after) => after && enqueue(keyOf(after))),
      volumeList.onChange((after) => after && enqueue(`${VOLUME}${after.metadata.name}`)),
      classList.onChange((after) => {
        if (after) for (const claim of claimList.list()) if (!claim.spec.volumeName) enqueue(keyOf(claim));
      }),
    ],
    async reconcile(key, _signal, writes) {
      if (key.startsWith(VOLUME)) return reconcileVolume(key.slice(VOLUME.length), writes);
      return reconcileClaim(key, writes);
    },
  });
}
