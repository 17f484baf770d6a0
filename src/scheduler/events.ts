export const SCHEDULED = "Scheduled";
export const FAILED_SCHEDULING = "FailedScheduling";

export const assigned = (podKey: string, node: string): string =>
  `Successfully assigned ${podKey} to ${node}`;
