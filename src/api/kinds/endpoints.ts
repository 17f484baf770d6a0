import { isIP } from "node:net";
import type { EndpointPort, EndpointSubset, Endpoints } from "../generated/types.ts";
import { ageColumn, type KindDefinition, nameColumn } from "../kind.ts";
import type { Resource } from "../resource.ts";
import { type FieldError, invalid, notSupported, required } from "../status-error.ts";
import { dnsLabelErrors, dnsSubdomainErrors, portNumberErrors } from "../validation/names.ts";
import { validateAppProtocol } from "./service/validate.ts";

export const endpoints: Resource<Endpoints> = {
  group: "",
  version: "v1",
  kind: "Endpoints",
  plural: "endpoints",
  namespaced: true,
};

// kubectl shows the first three and counts the rest.
const SHOWN = 3;
const PROTOCOLS = ["SCTP", "TCP", "UDP"];

export const endpointsKind: KindDefinition<Endpoints> = {
  resource: endpoints,
  schema: "io.k8s.api.core.v1.Endpoints",
  singular: "endpoints",
  shortNames: ["ep"],
  nameRule: "dns-subdomain",
  createsOnUpdate: true,
  defaults(object) {
    for (const subset of object.subsets ?? []) {
      for (const port of subset.ports ?? []) port.protocol ||= "TCP";
    }
  },
  validate: ({ subsets = [] }) =>
    subsets.flatMap((subset, index) => validateSubset(subset, `subsets[${index}]`)),
  deprecation: "v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice",
  columns: [
    /* @__PURE__ */ nameColumn(),
    {
      name: "Endpoints",
      type: "string",
      priority: 0,
      description: "Where the service can be reached now.",
      value: ({ subsets = [] }) => {
        if (subsets.length === 0) return "<none>";
        const all = subsets.flatMap(reachableAt);
        const shown = all.slice(0, SHOWN).join(",");
        return all.length > SHOWN ? `${shown} + ${all.length - SHOWN} more...` : shown;
      },
    },
    /* @__PURE__ */ ageColumn(),
  ],
};

function reachableAt({ addresses = [], ports = [] }: EndpointSubset): string[] {
  if (ports.length === 0) return addresses.map(({ ip }) => ip);
  return ports.flatMap(({ port }) =>
    addresses.map(({ ip }) => (ip.includes(":") ? `[${ip}]:${port}` : `${ip}:${port}`)),
  );
}

// Unlike Kubernetes: loopback addresses are allowed, because all of kubemu's pods have one.
function validateSubset(subset: EndpointSubset, at: string): FieldError[] {
  const { addresses = [], notReadyAddresses = [], ports = [] } = subset;
  if (addresses.length === 0 && notReadyAddresses.length === 0) {
    return [required(at, "must specify `addresses` or `notReadyAddresses`")];
  }
  const errors: FieldError[] = [];
  for (const [list, name] of [
    [addresses, "addresses"],
    [notReadyAddresses, "notReadyAddresses"],
  ] as const) {
    for (const [index, { ip, hostname, nodeName }] of list.entries()) {
      if (isIP(ip) === 0) {
        errors.push(
          invalid(
            `${at}.${name}[${index}].ip`,
            ip,
            "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)",
          ),
        );
      }
      for (const why of hostname ? dnsLabelErrors(hostname) : []) {
        errors.push(invalid(`${at}.${name}[${index}].hostname`, hostname, why));
      }
      for (const why of nodeName === undefined ? [] : dnsSubdomainErrors(nodeName)) {
        errors.push(invalid(`${at}.${name}[${index}].nodeName`, nodeName, why));
      }
    }
  }
  return [
    ...errors,
    ...ports.flatMap((port, index) => validatePort(port, `${at}.ports[${index}]`, ports.length > 1)),
  ];
}

function validatePort(
  { name, port, protocol, appProtocol }: EndpointPort,
  at: string,
  needsName: boolean,
): FieldError[] {
  const errors: FieldError[] = [];
  if (name) for (const why of dnsLabelErrors(name)) errors.push(invalid(`${at}.name`, name, why));
  else if (needsName) errors.push(required(`${at}.name`));
  for (const why of portNumberErrors(port)) errors.push(invalid(`${at}.port`, port, why));
  if (!protocol) errors.push(required(`${at}.protocol`));
  else if (!PROTOCOLS.includes(protocol)) errors.push(notSupported(`${at}.protocol`, protocol, PROTOCOLS));
  return [...errors, ...validateAppProtocol(appProtocol, `${at}.appProtocol`)];
}
