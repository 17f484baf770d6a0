// What an update of a Service keeps and drops: a replacement that does not repeat what was allocated keeps it, and a change
// of type drops what the new type has no use for (core service storage: patchAllocatedValues, dropTypeDependentFields).
import { isDeepStrictEqual } from "node:util";
import type { ServicePort, ServiceSpec } from "../../generated/types.ts";
import { isReachableFromOutside } from "./defaults.ts";

const needsClusterIP = ({ type }: ServiceSpec): boolean => type !== "ExternalName";
const needsNodePorts = (spec: ServiceSpec): boolean =>
  spec.type === "NodePort" || (spec.type === "LoadBalancer" && spec.allocateLoadBalancerNodePorts !== false);
const needsHealthCheck = (spec: ServiceSpec): boolean =>
  spec.type === "LoadBalancer" && spec.externalTrafficPolicy === "Local";

/** Mutates `spec`, the new one, given what was stored. */
export function carryOver(spec: ServiceSpec, old: ServiceSpec): void {
  keepAllocated(spec, old);
  dropUnused(spec, old);
}

function keepAllocated(spec: ServiceSpec, old: ServiceSpec): void {
  if (needsClusterIP(old) && needsClusterIP(spec)) {
    // An old client changes the one and does not know the list.
    if (
      spec.clusterIP &&
      spec.clusterIP !== old.clusterIP &&
      isDeepStrictEqual(spec.clusterIPs, old.clusterIPs)
    )
      spec.clusterIPs = [spec.clusterIP, ...(old.clusterIPs ?? []).slice(1)];
    if (!spec.clusterIP && old.clusterIP) spec.clusterIP = old.clusterIP;
    if (!spec.clusterIPs?.length && spec.clusterIP === old.clusterIP && old.clusterIPs) {
      spec.clusterIPs = [...old.clusterIPs];
    }
  }
  if (needsNodePorts(old) && needsNodePorts(spec)) keepNodePorts(spec.ports ?? [], old.ports ?? []);
  if (needsHealthCheck(old) && needsHealthCheck(spec)) spec.healthCheckNodePort ||= old.healthCheckNodePort;
}

const identityOf = ({ protocol, port }: ServicePort): string => `${protocol}/${port}`;

// A node port already named by another port of the new list is not given out a second time.
function keepNodePorts(ports: readonly ServicePort[], old: readonly ServicePort[]): void {
  const allocated = new Map(old.map((port) => [identityOf(port), port.nodePort]));
  const taken = new Set(ports.filter(({ nodePort }) => nodePort).map(nodePortKey));
  for (const port of ports) {
    if (port.nodePort) continue;
    const nodePort = allocated.get(identityOf(port));
    if (!nodePort || taken.has(nodePortKey({ ...port, nodePort }))) continue;
    port.nodePort = nodePort;
    taken.add(nodePortKey(port));
  }
}

const nodePortKey = ({ protocol, nodePort }: ServicePort): string => `${protocol}/${nodePort}`;

// Only what the client left as it was is dropped: what it sets itself is for validation to judge.
function dropUnused(spec: ServiceSpec, old: ServiceSpec): void {
  const dropIf = (needed: (one: ServiceSpec) => boolean, fields: readonly (keyof ServiceSpec)[]) => {
    if (!needed(old) || needed(spec)) return;
    for (const field of fields) if (isDeepStrictEqual(spec[field], old[field])) delete spec[field];
  };
  dropIf(needsClusterIP, [
    "clusterIP",
    "clusterIPs",
    "ipFamilies",
    "ipFamilyPolicy",
    "internalTrafficPolicy",
  ]);
  if (needsNodePorts(old) && !needsNodePorts(spec) && sameNodePorts(spec, old)) {
    for (const port of spec.ports ?? []) delete port.nodePort;
  }
  dropIf(needsHealthCheck, ["healthCheckNodePort"]);
  dropIf(({ type }) => type === "LoadBalancer", ["allocateLoadBalancerNodePorts", "loadBalancerClass"]);
  dropIf(isReachableFromOutside, ["externalTrafficPolicy"]);
}

function sameNodePorts(spec: ServiceSpec, old: ServiceSpec): boolean {
  const before = new Set((old.ports ?? []).map(nodePortKey));
  return (spec.ports ?? []).every((port) => !port.nodePort || before.has(nodePortKey(port)));
}
