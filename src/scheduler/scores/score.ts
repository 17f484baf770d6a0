// The contract of a score: how good each of the nodes that passed the filters is, 0 to 100 after normalizing.
import type { ClusterView } from "../cluster-view.ts";
import type { NodeInfo } from "../node-info.ts";
import type { PodInfo } from "../pod-info.ts";

export const BEST = 100;

export interface Score {
  /** The name of Kubernetes' plugin. */
  readonly name: string;
  /** Kubernetes' default weight. */
  readonly weight: number;
  /** One number from 0 to 100 for each of `nodes`, in order; undefined: this score has no say in where the pod goes. */
  rate(pod: PodInfo, nodes: readonly NodeInfo[], cluster: ClusterView): readonly number[] | undefined;
}

/** Stretches amounts so that the largest becomes 100; with `reverse` the least is the best. All zero stays as it is. */
export function normalize(amounts: readonly number[], reverse = false): readonly number[] {
  const most = Math.max(...amounts);
  if (most === 0) return amounts.map(() => (reverse ? BEST : 0));
  return amounts.map((amount) => {
    const part = Math.floor((amount * BEST) / most);
    return reverse ? BEST - part : part;
  });
}
