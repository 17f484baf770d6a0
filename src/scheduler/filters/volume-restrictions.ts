import { claimsOf } from "../../api/volume-match.ts";
import { type Filter, reject } from "./filter.ts";

const REJECTION = reject(
  "node has pod using PersistentVolumeClaim with the same name and ReadWriteOncePod access mode",
);

/** A claim for one pod only (ReadWriteOncePod) that another pod uses already, wherever that is. */
export const volumeRestrictions: Filter = {
  name: "VolumeRestrictions",
  helpedBy: new Set(["pod-removed"]),
  prepare({ pod, namespace }, { nodes, storage }) {
    const alone = claimsOf(pod).filter((name) =>
      storage.claim(`${namespace}/${name}`)?.spec.accessModes?.includes("ReadWriteOncePod"),
    );
    if (alone.length === 0) return undefined;
    const isUsed = nodes.some((node) =>
      [...node.pods.values()].some(
        (other) => other.namespace === namespace && claimsOf(other.pod).some((name) => alone.includes(name)),
      ),
    );
    return isUsed ? () => REJECTION : undefined;
  },
};
