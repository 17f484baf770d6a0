// Makes the claim of each generic ephemeral volume: POD-VOLUME, owned by the pod, so that the garbage collector removes it
// with the pod.
import { persistentVolumeClaims } from "../../api/kinds/persistent-volume-claim.ts";
import { pods } from "../../api/kinds/pod.ts";
import { keyOf } from "../../api/object.ts";
import { hasReason } from "../../api/status-error.ts";
import { createRecorder } from "../../client/recorder.ts";
import type { ControllerContext, RunningController } from "../runtime/context.ts";
import { startController } from "../runtime/start-controller.ts";
import { conflict, NOT_CREATED } from "./events.ts";
import { planEphemeralClaims } from "./plan.ts";

export function startEphemeralVolumeController(context: ControllerContext): RunningController {
  const { client, clock, informers } = context;
  const recorder = createRecorder(client, { component: "ephemeral_volume", clock });
  const podList = informers.of(pods);
  const claimList = informers.of(persistentVolumeClaims);

  return startController(context, {
    name: "ephemeral-volume",
    watch: (enqueue) => [
      podList.onChange((after, before) => {
        if (after && !before && after.spec.volumes?.some(({ ephemeral }) => ephemeral)) enqueue(keyOf(after));
      }),
      claimList.onChange((after, before) => {
        const owner = after
          ? undefined
          : before?.metadata.ownerReferences?.find(({ kind }) => kind === "Pod");
        if (owner) enqueue(`${before?.metadata.namespace}/${owner.name}`);
      }),
    ],
    async reconcile(key, _signal, writes) {
      const pod = podList.get(key);
      if (!pod) return;
      const plan = planEphemeralClaims(pod, (name) => claimList.get(`${pod.metadata.namespace}/${name}`));
      for (const draft of plan.create) {
        try {
          writes.wrote(persistentVolumeClaims, await client.create(persistentVolumeClaims, draft));
        } catch (error) {
          if (!hasReason(error, "AlreadyExists")) throw error;
        }
      }
      for (const name of plan.conflicts) recorder.event(pod, "Warning", NOT_CREATED, conflict(name, pod));
    },
  });
}
