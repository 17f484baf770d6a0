// The contract of a filter. A filter owns its check and the words that explain it.
import type { ClusterView } from "../cluster-view.ts";
import type { NodeInfo } from "../node-info.ts";
import type { PodInfo } from "../pod-info.ts";

/** Why a node will not do. */
export interface Rejection {
  /** Each stands for itself in the pod's message: `Insufficient cpu`. */
  readonly reasons: readonly string[];
  /** True when taking other pods off the node could not help. */
  readonly final: boolean;
}

/** Asked for each node; undefined: this filter has nothing against it. */
export type Check = (node: NodeInfo) => Rejection | undefined;

export interface Filter {
  /** The name of Kubernetes' plugin. */
  readonly name: string;
  /** What changes in the cluster may turn a rejection by this filter around. */
  readonly helpedBy: ReadonlySet<ClusterChange>;
  /** Works out what does not depend on the node; undefined: nothing to check for this pod. A rejection is one of every node. */
  prepare(pod: PodInfo, cluster: ClusterView): Check | Rejection | undefined;
}

/** Coarse kinds of change that unschedulable pods wait for. */
export type ClusterChange =
  | "node-added"
  | "node-changed"
  | "pod-added"
  | "pod-changed"
  | "pod-removed"
  | "storage-changed";

export const reject = (reason: string): Rejection => ({ reasons: [reason], final: false });
export const rejectFinally = (reason: string): Rejection => ({ reasons: [reason], final: true });
