// Every constant of Kubernetes' timing, with its Kubernetes default, in one table. `--profile fast` divides
// those of the cluster's own machinery by one factor, proportions kept (but for renewals of Leases and Nodes' statuses). What a manifest states (probe periods,
// grace periods, minReadySeconds, progressDeadlineSeconds) is never scaled and does not stand here.

/** All values in milliseconds. */
export interface Timing {
  readonly profile: Profile;
  /** kubelet: nodeLeaseDurationSeconds 40, renewed every quarter of it (in the fast profile twice in nodeGraceMs). */
  readonly leaseDurationMs: number;
  readonly leaseRenewMs: number;
  /** kubelet: nodeStatusUpdateFrequency and nodeStatusReportFrequency: how often a Node's status is looked at, and written even when nothing changed. */
  readonly nodeStatusMs: number;
  readonly nodeStatusReportMs: number;
  /** kube-controller-manager --node-monitor-period and --node-monitor-grace-period. */
  readonly nodeMonitorMs: number;
  readonly nodeGraceMs: number;
  /** DefaultTolerationSeconds admission: how long pods tolerate a NotReady or unreachable node. */
  readonly nodeTolerationMs: number;
  /** kubelet: first delay and ceiling of the container restart back-off, and after how long without a crash it is forgotten. */
  readonly crashBackoffMs: number;
  readonly crashBackoffMaxMs: number;
  readonly crashBackoffResetMs: number;
  /** kubelet: first delay and ceiling of the image pull back-off. */
  readonly imageBackoffMs: number;
  readonly imageBackoffMaxMs: number;
  /** DaemonSet controller: first delay and ceiling of the back-off before a failed pod is replaced. */
  readonly daemonBackoffMs: number;
  readonly daemonBackoffMaxMs: number;
  /** kubelet --sync-frequency. */
  readonly podSyncMs: number;
  /** Scheduler: first delay and ceiling of the per-pod back-off, and the flush of unschedulable pods. */
  readonly scheduleBackoffMs: number;
  readonly scheduleBackoffMaxMs: number;
  readonly scheduleFlushMs: number;
  /** Scheduler, VolumeBinding bindTimeoutSeconds: how long a placed pod waits for its claims to be bound. */
  readonly volumeBindMs: number;
  /** Work queues: first delay and ceiling of the per-key back-off after a failed reconcile. */
  readonly requeueMs: number;
  readonly requeueMaxMs: number;
  /** Job controller: first delay and ceiling of the back-off between a Job's failed pods. */
  readonly jobBackoffMs: number;
  readonly jobBackoffMaxMs: number;
  /** kube-controller-manager --pvclaimbinder-sync-period: claims that wait are looked at again. */
  readonly volumeSyncMs: number;
  /** Pod garbage collector period; orphan check of the garbage collector. */
  readonly podCollectMs: number;
  readonly garbageSyncMs: number;
  /** Disruption controller: so long an evicted pod is expected to be on its way out, and a pod's mark to be disrupted is believed. */
  readonly disruptionMs: number;
  /** kube-controller-manager --resource-quota-sync-period. */
  readonly quotaSyncMs: number;
  /** metrics-server --metric-resolution: what it measured is good for so long. */
  readonly metricsResolutionMs: number;
  /** kube-controller-manager --horizontal-pod-autoscaler-…: -sync-period, -downscale-stabilization, -cpu-initialization-period, -initial-readiness-delay. */
  readonly autoscaleSyncMs: number;
  readonly downscaleStabilizationMs: number;
  readonly cpuInitializationMs: number;
  readonly initialReadinessMs: number;
  /** kube-apiserver --event-ttl: scaled never, it is what users read. */
  readonly eventTtlMs: number;
}

export type Profile = "fast" | "kubernetes";

const SECOND = 1000;
const MINUTE = 60 * SECOND;

const KUBERNETES: Timing = {
  profile: "kubernetes",
  leaseDurationMs: 40 * SECOND,
  leaseRenewMs: 10 * SECOND,
  nodeStatusMs: 10 * SECOND,
  nodeStatusReportMs: 5 * MINUTE,
  nodeMonitorMs: 5 * SECOND,
  nodeGraceMs: 50 * SECOND,
  nodeTolerationMs: 300 * SECOND,
  crashBackoffMs: 10 * SECOND,
  crashBackoffMaxMs: 300 * SECOND,
  crashBackoffResetMs: 10 * MINUTE,
  imageBackoffMs: 10 * SECOND,
  imageBackoffMaxMs: 300 * SECOND,
  daemonBackoffMs: SECOND,
  daemonBackoffMaxMs: 15 * MINUTE,
  podSyncMs: MINUTE,
  scheduleBackoffMs: SECOND,
  scheduleBackoffMaxMs: 10 * SECOND,
  scheduleFlushMs: 5 * MINUTE,
  volumeBindMs: 10 * MINUTE,
  requeueMs: 5,
  requeueMaxMs: 1000 * SECOND,
  jobBackoffMs: 10 * SECOND,
  jobBackoffMaxMs: 10 * MINUTE,
  volumeSyncMs: 15 * SECOND,
  podCollectMs: 20 * SECOND,
  garbageSyncMs: 30 * SECOND,
  metricsResolutionMs: 15 * SECOND,
  disruptionMs: 2 * MINUTE,
  quotaSyncMs: 5 * MINUTE,
  autoscaleSyncMs: 15 * SECOND,
  downscaleStabilizationMs: 5 * MINUTE,
  cpuInitializationMs: 5 * MINUTE,
  initialReadinessMs: 30 * SECOND,
  eventTtlMs: 60 * MINUTE,
};

// A hung node is NotReady after 5 s, and its pods move 30 s later.
const FAST_FACTOR = 10;
// Not divided by as much: renewals are all that an idle cluster does, some milliseconds of processor time each, and one every second
// costs more than a node that is noticed when the second one is missing instead of the fifth is worth. One that fails is tried again long before.
const FAST_LEASE_RENEW_MS = 2.5 * SECOND;
// Of a Node's status nothing is in a hurry: its Lease says in the meantime that it lives.
const NEVER_SCALED: ReadonlySet<string> = new Set([
  "profile",
  "requeueMs",
  "eventTtlMs",
  "nodeStatusMs",
  "nodeStatusReportMs",
]);

/** The timing table of a profile. */
export function timingOf(profile: Profile): Timing {
  if (profile === "kubernetes") return KUBERNETES;
  const scaled = Object.entries(KUBERNETES).map(([name, value]) => [
    name,
    typeof value === "number" && !NEVER_SCALED.has(name) ? Math.round(value / FAST_FACTOR) : value,
  ]);
  return { ...Object.fromEntries(scaled), leaseRenewMs: FAST_LEASE_RENEW_MS, profile };
}
