// What filters and scores may look at. The scheduler's cache is one; tests build others.
import type { PodDisruptionBudget } from "../api/generated/types.ts";
import type { LabelMatcher } from "../api/selectors.ts";
import type { NodeInfo } from "./node-info.ts";
import type { NominationView } from "./nominations.ts";
import type { NamespaceLabels, PodInfo } from "./pod-info.ts";
import type { StorageView } from "./pod-volumes.ts";

export interface ClusterView {
  /** The nodes that are known, each with its Node object. */
  readonly nodes: readonly NodeInfo[];
  readonly namespaceLabels: NamespaceLabels;
  readonly storage: StorageView;
  readonly nominations: NominationView;
  /** The disruption budgets of a namespace. */
  readonly budgets: (namespace: string) => readonly Readonly<PodDisruptionBudget>[];
  /** Selects the pods that serve the same purpose (same Services and owner); undefined when the pod has neither. */
  readonly siblings: (pod: PodInfo) => LabelMatcher | undefined;
}
