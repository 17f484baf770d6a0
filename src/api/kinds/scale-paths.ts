// Where the scale subresource reads and writes in what counts its pods in spec.replicas and status.replicas: all kinds but a few have it so.
import type { ScalePaths } from "../kind.ts";

interface Replicated {
  spec: { replicas?: number };
  status?: { replicas?: number };
}

/** `selector` gives the string form of what the object selects. A count that is not set means 1, as Kubernetes defaults it. */
export function scaleByReplicas<T extends Replicated>(
  selector: (object: T) => string,
  options: Pick<ScalePaths<T>, "missing"> = {},
): ScalePaths<T> {
  return {
    ...options,
    replicas: ({ spec }) => spec.replicas ?? 1,
    setReplicas: ({ spec }, replicas) => {
      spec.replicas = replicas;
    },
    statusReplicas: ({ status }) => status?.replicas ?? 0,
    selector,
  };
}
