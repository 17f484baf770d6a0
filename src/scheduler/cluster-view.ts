// What filters and scores may look at. The scheduler's cache is one; tests build others.
import type { LabelMatcher } from "../api/selectors.ts";
import type { NodeInfo } from "./node-info.ts";
import type { NamespaceLabels, PodInfo } from "./pod-info.ts";

export interface ClusterView {
  /** The nodes that are known, each with its Node object. */
  readonly nodes: readonly NodeInfo[];
  readonly namespaceLabels: NamespaceLabels;
  /** Selects the pods that serve the same purpose (same Services and owner); undefined when the pod has neither. */
  siblings(pod: PodInfo): LabelMatcher | undefined;
}
