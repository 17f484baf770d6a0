import type { Pod } from "../../api/generated/types.ts";
import { keyOf } from "../../api/object.ts";

export const NOT_CREATED = "EphemeralVolumeCreationFailed";

export const conflict = (claim: string, pod: Readonly<Pod>): string =>
  `PVC ${pod.metadata.namespace}/${claim} was not created for pod ${keyOf(pod)} (pod is not owner)`;
