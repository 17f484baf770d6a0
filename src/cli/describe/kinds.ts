// The kinds that have a description of their own; every other kind is shown field by field (fields.ts).
import { describeAutoscaler } from "./autoscaler.ts";
import type { Describe } from "./common.ts";
import { describeEndpointSlice, describeEndpoints } from "./endpoints.ts";
import { describeCronJob, describeJob } from "./jobs.ts";
import { describeLimits, describeNamespace, describeQuota } from "./limits.ts";
import { describeIngress, describeIngressClass, describeService } from "./network.ts";
import { describeNetworkPolicy } from "./network-policy.ts";
import { describeNode } from "./node.ts";
import { describePod } from "./pod.ts";
import {
  describeBudget,
  describeConfigMap,
  describePriority,
  describeSecret,
  describeServiceAccount,
} from "./policy.ts";
import { describeClaim, describeStorageClass, describeVolume } from "./storage.ts";
import {
  describeDaemonSet,
  describeDeployment,
  describeReplicaSet,
  describeReplicationController,
  describeStatefulSet,
} from "./workloads.ts";

/** By kind and group, `Deployment.apps`; those without a group by their kind. */
export const descriptions: Readonly<Record<string, Describe<never> | undefined>> = {
  Pod: describePod,
  ReplicationController: describeReplicationController,
  Service: describeService,
  Endpoints: describeEndpoints,
  Node: describeNode,
  Namespace: describeNamespace,
  ConfigMap: describeConfigMap,
  Secret: describeSecret,
  ServiceAccount: describeServiceAccount,
  ResourceQuota: describeQuota,
  LimitRange: describeLimits,
  PersistentVolumeClaim: describeClaim,
  PersistentVolume: describeVolume,
  "Deployment.apps": describeDeployment,
  "ReplicaSet.apps": describeReplicaSet,
  "StatefulSet.apps": describeStatefulSet,
  "DaemonSet.apps": describeDaemonSet,
  "Job.batch": describeJob,
  "CronJob.batch": describeCronJob,
  "HorizontalPodAutoscaler.autoscaling": describeAutoscaler,
  "PodDisruptionBudget.policy": describeBudget,
  "PriorityClass.scheduling.k8s.io": describePriority,
  "StorageClass.storage.k8s.io": describeStorageClass,
  "EndpointSlice.discovery.k8s.io": describeEndpointSlice,
  "Ingress.networking.k8s.io": describeIngress,
  "IngressClass.networking.k8s.io": describeIngressClass,
  "NetworkPolicy.networking.k8s.io": describeNetworkPolicy,
};
