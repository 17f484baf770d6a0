import { planVolumes, volumesOf } from "../pod-volumes.ts";
import { type Filter, rejectFinally } from "./filter.ts";

/** The pod's claims: those that have a volume, and those that would get one on the node. */
export const volumeBinding: Filter = {
  name: "VolumeBinding",
  helpedBy: new Set(["node-added", "node-changed", "storage-changed"]),
  prepare(pod, { storage }) {
    const volumes = volumesOf(pod, storage);
    if (!volumes) return undefined;
    if ("problem" in volumes) return rejectFinally(volumes.problem);
    return (node) => {
      const plan = planVolumes(volumes, node, storage);
      return "reasons" in plan ? { reasons: plan.reasons, final: true } : undefined;
    };
  },
};
