// The event of ingress-nginx, which most tutorials show.
export const SYNC = { reason: "Sync", message: "Scheduled for sync" };
