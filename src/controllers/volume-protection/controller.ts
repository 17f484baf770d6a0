// Lifts the protection finalizers: from a claim when no pod uses it any more, from a volume when no claim has it (Kubernetes'
// pvc-protection and pv-protection controllers). The server puts them on.
import { persistentVolumes } from "../../api/kinds/persistent-volume.ts";
import { persistentVolumeClaims } from "../../api/kinds/persistent-volume-claim.ts";
import { pods } from "../../api/kinds/pod.ts";
import { PV_PROTECTION, PVC_PROTECTION } from "../../api/names.ts";
import { type KubeObject, keyOf } from "../../api/object.ts";
import type { Resource } from "../../api/resource.ts";
import { hasReason } from "../../api/status-error.ts";
import { claimsOf } from "../../api/volume-match.ts";
import type { ControllerContext, RunningController } from "../runtime/context.ts";
import { createPodsByClaim } from "../runtime/pods-by-claim.ts";
import { startController, type Writes } from "../runtime/start-controller.ts";
import { mayDropClaim, mayDropVolume } from "./plan.ts";

export function startVolumeProtectionController(context: ControllerContext): RunningController {
  const { client, informers } = context;
  const claimList = informers.of(persistentVolumeClaims);
  const volumeList = informers.of(persistentVolumes);
  const podList = informers.of(pods);
  const podsOf = createPodsByClaim(informers);

  async function lift<T extends KubeObject>(
    resource: Resource<T>,
    object: Readonly<T>,
    { finalizer, writes }: { finalizer: string; writes: Writes },
  ): Promise<void> {
    const finalizers = object.metadata.finalizers?.filter((one) => one !== finalizer) ?? [];
    try {
      const changed = { ...object, metadata: { ...object.metadata, finalizers } };
      writes.wrote(resource, await client.update(resource, changed));
    } catch (error) {
      if (!hasReason(error, "NotFound")) throw error;
    }
  }

  return startController(context, {
    name: "volume-protection",
    watch: (enqueue) => [
      claimList.onChange((after) => after?.metadata.deletionTimestamp && enqueue(keyOf(after))),
      volumeList.onChange((after) => after?.metadata.deletionTimestamp && enqueue(keyOf(after))),
      podList.onChange((after, before) => {
        if (after || !before) return;
        for (const name of claimsOf(before)) enqueue(`${before.metadata.namespace}/${name}`);
      }),
    ],
    async reconcile(key, _signal, writes) {
      const claim = claimList.get(key);
      if (claim && mayDropClaim(claim, podsOf(key)))
        await lift(persistentVolumeClaims, claim, { finalizer: PVC_PROTECTION, writes });
      const volume = volumeList.get(key);
      if (volume && mayDropVolume(volume))
        await lift(persistentVolumes, volume, { finalizer: PV_PROTECTION, writes });
    },
  });
}
