// Defaulting of Services, as Kubernetes' core/v1 defaults and its service REST storage do it. Idempotent.
import type { Service, ServiceSpec } from "../../generated/types.ts";
import type { Draft } from "../../object.ts";

// Three hours, as Kubernetes.
const AFFINITY_SECONDS = 10_800;

export function defaultService(service: Draft<Service>): void {
  service.spec ??= {};
  const { spec } = service;
  spec.sessionAffinity ||= "None";
  if (spec.sessionAffinity === "None") delete spec.sessionAffinityConfig;
  else if (spec.sessionAffinity === "ClientIP") {
    const timeoutSeconds = spec.sessionAffinityConfig?.clientIP?.timeoutSeconds ?? AFFINITY_SECONDS;
    spec.sessionAffinityConfig = { clientIP: { timeoutSeconds } };
  }
  spec.type ||= "ClusterIP";
  for (const port of spec.ports ?? []) {
    port.protocol ||= "TCP";
    if (!port.targetPort && port.port !== undefined) port.targetPort = port.port;
  }
  defaultByType(spec);
  if (spec.type !== "LoadBalancer") return;
  for (const ingress of service.status?.loadBalancer?.ingress ?? []) if (ingress.ip) ingress.ipMode ??= "VIP";
}

function defaultByType(spec: Draft<ServiceSpec>): void {
  if (isReachableFromOutside(spec)) spec.externalTrafficPolicy ||= "Cluster";
  if (spec.type === "LoadBalancer") spec.allocateLoadBalancerNodePorts ??= true;
  if (spec.type === "ExternalName") return;
  spec.internalTrafficPolicy ??= "Cluster";
  spec.ipFamilyPolicy ??= "SingleStack";
  if (!spec.ipFamilies?.length) spec.ipFamilies = [spec.clusterIP?.includes(":") ? "IPv6" : "IPv4"];
  if (spec.clusterIP && !spec.clusterIPs?.length) spec.clusterIPs = [spec.clusterIP];
}

/** service.ExternallyAccessible */
export function isReachableFromOutside(spec: Pick<Draft<ServiceSpec>, "type" | "externalIPs">): boolean {
  return (
    spec.type === "LoadBalancer" ||
    spec.type === "NodePort" ||
    (spec.type === "ClusterIP" && (spec.externalIPs?.length ?? 0) > 0)
  );
}
