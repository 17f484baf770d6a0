// Validation of Services in Kubernetes' words. Whether a ClusterIP or node port is free and in range is known to the server's
// allocator, not here.
import { isIP } from "node:net";
import type { Service, ServicePort, ServiceSpec } from "../../generated/types.ts";
import { labelKeyErrors } from "../../label-syntax.ts";
import {
  duplicate,
  type FieldError,
  forbiddenField,
  invalid,
  notSupported,
  required,
} from "../../status-error.ts";
import { validateLabels } from "../../validation/labels.ts";
import { cidrErrors, dnsLabelErrors, dnsSubdomainErrors, portNumberErrors } from "../../validation/names.ts";
import { validatePortOrName } from "../../validation/numbers.ts";
import { isReachableFromOutside } from "./defaults.ts";

const TYPES = ["ClusterIP", "ExternalName", "LoadBalancer", "NodePort"];
const PROTOCOLS = ["SCTP", "TCP", "UDP"];
const AFFINITIES = ["ClientIP", "None"];
const POLICIES = ["Cluster", "Local"];
const DISTRIBUTIONS = ["PreferClose", "PreferSameNode", "PreferSameZone"];
/** The older way to name the ranges, which counts where the field is empty. */
const SOURCE_RANGES = "service.beta.kubernetes.io/load-balancer-source-ranges";
const LONGEST_AFFINITY_SECONDS = 86_400;

export function validateService({ metadata, spec }: Service): FieldError[] {
  return [
    ...validateType(spec),
    ...validatePorts(spec),
    ...validateLabels(spec.selector, "spec.selector"),
    ...validateAffinity(spec),
    ...validateAddresses(spec),
    ...validateTraffic(spec),
    ...validateSourceRanges(spec, metadata.annotations?.[SOURCE_RANGES]),
  ];
}

function validateType(spec: ServiceSpec): FieldError[] {
  const errors: FieldError[] = [];
  const isHeadless = spec.clusterIP === "None";
  if (!spec.ports?.length && !isHeadless && spec.type !== "ExternalName") errors.push(required("spec.ports"));
  if (!spec.type) errors.push(required("spec.type"));
  else if (!TYPES.includes(spec.type)) errors.push(notSupported("spec.type", spec.type, TYPES));
  if (isHeadless && (spec.type === "LoadBalancer" || spec.type === "NodePort")) {
    errors.push(invalid("spec.clusterIPs[0]", "None", `may not be set to 'None' for ${spec.type} services`));
  }
  if (spec.type !== "ExternalName") return errors;
  if (spec.clusterIPs?.length || spec.clusterIP) {
    errors.push(forbiddenField("spec.clusterIPs", "may not be set for ExternalName services"));
  }
  // A trailing dot makes the name absolute.
  const externalName = (spec.externalName ?? "").replace(/\.$/, "");
  if (!externalName) errors.push(required("spec.externalName"));
  else {
    for (const why of dnsSubdomainErrors(externalName)) {
      errors.push(invalid("spec.externalName", externalName, why));
    }
  }
  return errors;
}

function validatePorts(spec: ServiceSpec): FieldError[] {
  const ports = spec.ports ?? [];
  const errors: FieldError[] = [];
  const names = new Set<string>();
  for (const [index, port] of ports.entries()) {
    errors.push(...validatePort(port, `spec.ports[${index}]`, { needsName: ports.length > 1, names }));
  }
  const seen = new Set<string>();
  const nodePorts = new Set<string>();
  for (const [index, { protocol, port, nodePort }] of ports.entries()) {
    const at = `spec.ports[${index}]`;
    if (nodePort && spec.type === "ClusterIP") {
      errors.push(forbiddenField(`${at}.nodePort`, "may not be used when `type` is 'ClusterIP'"));
    }
    if (nodePort && nodePorts.has(`${protocol}/${nodePort}`))
      errors.push(duplicate(`${at}.nodePort`, nodePort));
    if (nodePort) nodePorts.add(`${protocol}/${nodePort}`);
    if (seen.has(`${protocol}/${port}`)) errors.push(duplicate(at, { port, protocol }));
    seen.add(`${protocol}/${port}`);
  }
  return errors;
}

function validatePort(
  { name, port, protocol, targetPort, appProtocol }: ServicePort,
  at: string,
  { needsName, names }: { needsName: boolean; names: Set<string> },
): FieldError[] {
  const errors: FieldError[] = [];
  if (name) {
    for (const why of dnsLabelErrors(name)) errors.push(invalid(`${at}.name`, name, why));
    if (names.has(name)) errors.push(duplicate(`${at}.name`, name));
    names.add(name);
  } else if (needsName) errors.push(required(`${at}.name`));
  for (const why of portNumberErrors(port)) errors.push(invalid(`${at}.port`, port, why));
  if (!protocol) errors.push(required(`${at}.protocol`));
  else if (!PROTOCOLS.includes(protocol)) errors.push(notSupported(`${at}.protocol`, protocol, PROTOCOLS));
  errors.push(...validatePortOrName(targetPort, `${at}.targetPort`));
  return [...errors, ...validateAppProtocol(appProtocol, `${at}.appProtocol`)];
}

/** In Services, Endpoints and EndpointSlices. */
export const validateAppProtocol = (appProtocol: string | undefined, field: string): FieldError[] =>
  appProtocol === undefined ? [] : labelKeyErrors(appProtocol).map((why) => invalid(field, appProtocol, why));

function validateAffinity({ sessionAffinity, sessionAffinityConfig }: ServiceSpec): FieldError[] {
  if (!sessionAffinity) return [required("spec.sessionAffinity")];
  if (!AFFINITIES.includes(sessionAffinity)) {
    return [notSupported("spec.sessionAffinity", sessionAffinity, AFFINITIES)];
  }
  const seconds = sessionAffinityConfig?.clientIP?.timeoutSeconds;
  if (sessionAffinity !== "ClientIP" || seconds === undefined) return [];
  if (seconds > 0 && seconds <= LONGEST_AFFINITY_SECONDS) return [];
  return [
    invalid(
      "spec.sessionAffinityConfig.clientIP.timeoutSeconds",
      seconds,
      `must be greater than 0 and less than ${LONGEST_AFFINITY_SECONDS}`,
    ),
  ];
}

function validateAddresses(spec: ServiceSpec): FieldError[] {
  const errors: FieldError[] = [];
  for (const [index, ip] of (spec.clusterIPs ?? []).entries()) {
    if (ip === "None" || spec.type === "ExternalName") continue;
    if (isIP(ip) === 0) {
      errors.push(
        invalid(
          `spec.clusterIPs[${index}]`,
          ip,
          "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)",
        ),
      );
    }
  }
  if (spec.clusterIP !== undefined && spec.clusterIPs?.length && spec.clusterIP !== spec.clusterIPs[0]) {
    errors.push(invalid("spec.clusterIPs", spec.clusterIPs, "first value must match `clusterIP`"));
  }
  for (const [index, ip] of (spec.externalIPs ?? []).entries()) {
    if (isIP(ip) === 0) {
      errors.push(
        invalid(
          `spec.externalIPs[${index}]`,
          ip,
          "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)",
        ),
      );
    }
  }
  return errors;
}

/** Addresses that a load balancer lets in; spaces around each are allowed for the annotation's sake. */
function validateSourceRanges(spec: ServiceSpec, annotation: string | undefined): FieldError[] {
  const { loadBalancerSourceRanges: ranges = [], type } = spec;
  const field =
    ranges.length > 0 ? "spec.LoadBalancerSourceRanges" : `metadata.annotations[${SOURCE_RANGES}]`;
  if (ranges.length === 0 && annotation === undefined) return [];
  const errors =
    type === "LoadBalancer" ? [] : [forbiddenField(field, "may only be used when `type` is 'LoadBalancer'")];
  if (ranges.length > 0)
    return [
      ...errors,
      ...ranges.flatMap((range, index) =>
        cidrErrors(range.trim()).map((why) => invalid(`${field}[${index}]`, range.trim(), why)),
      ),
    ];
  const listed = (annotation ?? "").trim();
  if (listed === "" || listed.split(",").every((range) => cidrErrors(range.trim()).length === 0))
    return errors;
  const why = "must be a list of IP ranges. For example, 10.240.0.0/24,10.250.0.0/24 ";
  return [...errors, invalid(field, annotation, why)];
}

function validateTraffic(spec: ServiceSpec): FieldError[] {
  const errors: FieldError[] = [];
  const { externalTrafficPolicy, internalTrafficPolicy, trafficDistribution, loadBalancerClass } = spec;
  if (externalTrafficPolicy && !isReachableFromOutside(spec)) {
    errors.push(
      invalid(
        "spec.externalTrafficPolicy",
        externalTrafficPolicy,
        "may only be set for externally-accessible services",
      ),
    );
  } else if (externalTrafficPolicy && !POLICIES.includes(externalTrafficPolicy)) {
    errors.push(notSupported("spec.externalTrafficPolicy", externalTrafficPolicy, POLICIES));
  }
  if (internalTrafficPolicy && !POLICIES.includes(internalTrafficPolicy)) {
    errors.push(notSupported("spec.internalTrafficPolicy", internalTrafficPolicy, POLICIES));
  }
  if (spec.allocateLoadBalancerNodePorts !== undefined && spec.type !== "LoadBalancer") {
    errors.push(
      forbiddenField("spec.allocateLoadBalancerNodePorts", "may only be used when `type` is 'LoadBalancer'"),
    );
  }
  if (loadBalancerClass && spec.type !== "LoadBalancer") {
    errors.push(forbiddenField("spec.loadBalancerClass", "may only be used when `type` is 'LoadBalancer'"));
  }
  if (trafficDistribution && !DISTRIBUTIONS.includes(trafficDistribution)) {
    errors.push(notSupported("spec.trafficDistribution", trafficDistribution, DISTRIBUTIONS));
  }
  return errors;
}

export function validateServiceUpdate({ spec }: Service, { spec: old }: Service): FieldError[] {
  const errors: FieldError[] = [];
  const kept = spec.type !== "ExternalName" && old.type !== "ExternalName";
  const before = old.clusterIPs?.[0] ?? old.clusterIP;
  if (kept && before && (spec.clusterIPs?.[0] ?? spec.clusterIP) !== before) {
    errors.push(
      invalid("spec.clusterIPs[0]", spec.clusterIPs ?? [spec.clusterIP], "may not change once set"),
    );
  }
  if (old.type === "LoadBalancer" && spec.type === "LoadBalancer") {
    if (spec.loadBalancerClass !== old.loadBalancerClass) {
      errors.push(invalid("spec.loadBalancerClass", spec.loadBalancerClass, "may not change once set"));
    }
  }
  return errors;
}
