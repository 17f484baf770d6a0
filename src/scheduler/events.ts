export const SCHEDULED = "Scheduled";
export const FAILED_SCHEDULING = "FailedScheduling";
export const PREEMPTED = "Preempted";

export const assigned = (podKey: string, node: string): string =>
  `Successfully assigned ${podKey} to ${node}`;

export const volumesNotBound = (why: string): string =>
  `running PreBind plugin "VolumeBinding": binding volumes: ${why}`;

export const preemptedBy = (uid: string, node: string): string => `Preempted by pod ${uid} on node ${node}`;
