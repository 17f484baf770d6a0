// The events of cloud-provider's service controller.
export const ENSURING = { reason: "EnsuringLoadBalancer", message: "Ensuring load balancer" };
export const ENSURED = { reason: "EnsuredLoadBalancer", message: "Ensured load balancer" };
export const DELETING = { reason: "DeletingLoadBalancer", message: "Deleting load balancer" };
export const DELETED = { reason: "DeletedLoadBalancer", message: "Deleted load balancer" };
export const FAILED = {
  reason: "SyncLoadBalancerFailed",
  message:
    "Error syncing load balancer: failed to ensure load balancer: every address of the cluster's range is taken",
};
