// The order in which objects are applied: what others need comes first. Removal goes the other way round.

// The heart of the cluster's own needs: a namespace before what lies in it, a type before its objects, what pods
// refer to before pods, Services before workloads so that pods see their variables.
const RANKS: Readonly<Record<string, number>> = {
  Namespace: 0,
  CustomResourceDefinition: 1,
  PriorityClass: 2,
  StorageClass: 2,
  RuntimeClass: 2,
  Image: 2,
  ResourceQuota: 3,
  LimitRange: 3,
  ServiceAccount: 4,
  ClusterRole: 4,
  Role: 4,
  ClusterRoleBinding: 5,
  RoleBinding: 5,
  Secret: 5,
  ConfigMap: 5,
  PersistentVolume: 6,
  PersistentVolumeClaim: 7,
  Service: 8,
  Endpoints: 8,
  EndpointSlice: 8,
  DaemonSet: 10,
  StatefulSet: 10,
  Deployment: 10,
  ReplicaSet: 10,
  ReplicationController: 10,
  Pod: 10,
  Job: 10,
  CronJob: 10,
  Ingress: 11,
  HorizontalPodAutoscaler: 11,
  PodDisruptionBudget: 11,
};
const OTHER = 9;

const rankOf = (kind: string): number => (Object.hasOwn(RANKS, kind) ? (RANKS[kind] ?? OTHER) : OTHER);

/** A stable sort: within a rank, the order of files and documents stays. */
export function inApplyOrder<T extends { readonly kind: string }>(objects: readonly T[]): T[] {
  return [...objects].sort((a, b) => rankOf(a.kind) - rankOf(b.kind));
}
