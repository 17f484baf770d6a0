// The Events of what makes pods from a template (ReplicaSet, DaemonSet, Job …), worded as Kubernetes' PodControl words them.
export interface EventText {
  readonly type: "Normal" | "Warning";
  readonly reason: string;
  readonly message: string;
}

export const successfulCreate = (pod: string): EventText => ({
  type: "Normal",
  reason: "SuccessfulCreate",
  message: `Created pod: ${pod}`,
});
export const failedCreate = (why: string): EventText => ({
  type: "Warning",
  reason: "FailedCreate",
  message: `Error creating: ${why}`,
});
export const successfulDelete = (pod: string): EventText => ({
  type: "Normal",
  reason: "SuccessfulDelete",
  message: `Deleted pod: ${pod}`,
});
export const failedDelete = (why: string): EventText => ({
  type: "Warning",
  reason: "FailedDelete",
  message: `Error deleting: ${why}`,
});
