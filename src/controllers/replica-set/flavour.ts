// ReplicaSet and ReplicationController are one controller: they differ in where they are served and in how a selector is written.

import type {
  LabelSelector,
  ObjectMeta,
  PodTemplateSpec,
  ReplicaSetCondition,
} from "../../api/generated/types.ts";
import { replicaSets } from "../../api/kinds/replica-set.ts";
import { replicationControllers } from "../../api/kinds/replication-controller.ts";
import type { Resource } from "../../api/resource.ts";
import { type LabelMatcher, labelMatcher, labelMatcherOf } from "../../api/selectors.ts";

/** What both kinds have in common. */
export interface ReplicaOwner {
  apiVersion?: string;
  kind?: string;
  metadata: ObjectMeta;
  spec: {
    minReadySeconds?: number;
    replicas?: number;
    selector?: LabelSelector | Record<string, string>;
    template?: PodTemplateSpec;
  };
  status?: ReplicaStatus;
}

export interface ReplicaStatus {
  availableReplicas?: number;
  conditions?: ReplicaSetCondition[];
  fullyLabeledReplicas?: number;
  observedGeneration?: number;
  readyReplicas?: number;
  replicas: number;
}

export interface Flavour {
  readonly resource: Resource<ReplicaOwner>;
  /** The component of its Events, as Kubernetes names it. */
  readonly component: string;
  selects(owner: ReplicaOwner): LabelMatcher;
}

export const replicaSetFlavour: Flavour = {
  resource: replicaSets as Resource<ReplicaOwner>,
  component: "replicaset-controller",
  selects: ({ spec }) => labelMatcher(spec.selector as LabelSelector | undefined),
};

export const replicationControllerFlavour: Flavour = {
  resource: replicationControllers as Resource<ReplicaOwner>,
  component: "replication-controller",
  selects: ({ spec }) => {
    const selector = (spec.selector ?? {}) as Record<string, string>;
    // An empty selector would claim every pod of the namespace; validation refuses it, an old store may hold one.
    return Object.keys(selector).length > 0 ? labelMatcherOf(selector) : () => false;
  },
};
