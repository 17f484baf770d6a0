// The Events of replica controllers, worded as Kubernetes words them.
export const successfulCreate = (pod: string) =>
  ({ type: "Normal", reason: "SuccessfulCreate", message: `Created pod: ${pod}` }) as const;
export const failedCreate = (why: string) =>
  ({ type: "Warning", reason: "FailedCreate", message: `Error creating: ${why}` }) as const;
export const successfulDelete = (pod: string) =>
  ({ type: "Normal", reason: "SuccessfulDelete", message: `Deleted pod: ${pod}` }) as const;
export const failedDelete = (why: string) =>
  ({ type: "Warning", reason: "FailedDelete", message: `Error deleting: ${why}` }) as const;
