import { isIP } from "node:net";
import { isDeepStrictEqual } from "node:util";
import type { Endpoint, EndpointSlice } from "../generated/types.ts";
import { ageColumn, type KindDefinition, nameColumn } from "../kind.ts";
import type { Resource } from "../resource.ts";
import { duplicate, type FieldError, invalid, notSupported, required, tooMany } from "../status-error.ts";
import { dnsLabelErrors, dnsSubdomainErrors, portNumberErrors } from "../validation/names.ts";
import { validateImmutable } from "../validation/object-meta.ts";
import { validateAppProtocol } from "./service/validate.ts";

export const endpointSlices: Resource<EndpointSlice> = {
  group: "discovery.k8s.io",
  version: "v1",
  kind: "EndpointSlice",
  plural: "endpointslices",
  namespaced: true,
};

const SHOWN = 3;
const ADDRESS_TYPES = ["FQDN", "IPv4", "IPv6"];
const PROTOCOLS = ["SCTP", "TCP", "UDP"];
const MOST_ENDPOINTS = 1000;

export const endpointSliceKind: KindDefinition<EndpointSlice> = {
  resource: endpointSlices,
  schema: "io.k8s.api.discovery.v1.EndpointSlice",
  singular: "endpointslice",
  nameRule: "dns-subdomain",
  // Kept here: there is no spec that the server could compare.
  hasGeneration: false,
  defaults(slice) {
    for (const port of slice.ports ?? []) {
      port.name ??= "";
      port.protocol ||= "TCP";
    }
  },
  prepareCreate(slice) {
    slice.metadata.generation = 1;
  },
  prepareUpdate(slice, old) {
    const before = old.metadata.generation ?? 1;
    slice.metadata.generation = isDeepStrictEqual(contentOf(slice), contentOf(old)) ? before : before + 1;
  },
  validate: validateSlice,
  validateUpdate: (slice, old) => validateImmutable(slice.addressType, old.addressType, "addressType"),
  columns: [
    /* @__PURE__ */ nameColumn(),
    {
      name: "AddressType",
      type: "string",
      priority: 0,
      description: "What the addresses are.",
      value: (slice) => slice.addressType,
    },
    {
      name: "Ports",
      type: "string",
      priority: 0,
      description: "Ports of every endpoint.",
      value: ({ ports }) => firstOf((ports ?? []).map(({ port, name }) => String(port ?? name ?? "*"))),
    },
    {
      name: "Endpoints",
      type: "string",
      priority: 0,
      description: "Addresses of the endpoints.",
      value: (slice) => firstOf((slice.endpoints ?? []).flatMap(({ addresses }) => addresses)),
    },
    /* @__PURE__ */ ageColumn(),
  ],
};

const contentOf = ({ metadata, addressType, endpoints = [], ports = [] }: EndpointSlice) => [
  metadata.labels ?? {},
  addressType,
  endpoints,
  ports,
];

function firstOf(all: readonly string[]): string {
  const shown = all.slice(0, SHOWN).join(",");
  return all.length > SHOWN ? `${shown} + ${all.length - SHOWN} more...` : shown || "<unset>";
}

function validateSlice(slice: EndpointSlice): FieldError[] {
  const errors: FieldError[] = [];
  const { addressType, endpoints = [], ports = [] } = slice;
  if (!addressType) errors.push(required("addressType"));
  else if (!ADDRESS_TYPES.includes(addressType)) {
    errors.push(notSupported("addressType", addressType, ADDRESS_TYPES));
  }
  if (endpoints.length > MOST_ENDPOINTS) {
    errors.push(tooMany("endpoints", endpoints.length, MOST_ENDPOINTS));
    return errors;
  }
  errors.push(
    ...endpoints.flatMap((endpoint, index) => validateEndpoint(endpoint, addressType, `endpoints[${index}]`)),
  );
  const names = new Set<string>();
  for (const [index, { name = "", port, protocol, appProtocol }] of ports.entries()) {
    const at = `ports[${index}]`;
    for (const why of name ? dnsLabelErrors(name) : []) errors.push(invalid(`${at}.name`, name, why));
    if (names.has(name)) errors.push(duplicate(`${at}.name`, name));
    names.add(name);
    if (protocol && !PROTOCOLS.includes(protocol)) {
      errors.push(notSupported(`${at}.protocol`, protocol, PROTOCOLS));
    }
    for (const why of port === undefined ? [] : portNumberErrors(port)) {
      errors.push(invalid(`${at}.port`, port, why));
    }
    errors.push(...validateAppProtocol(appProtocol, `${at}.appProtocol`));
  }
  return errors;
}

// Unlike Kubernetes: loopback addresses are allowed, because all of kubemu's pods have one.
function validateEndpoint(endpoint: Endpoint, addressType: string, at: string): FieldError[] {
  const { addresses = [], hostname } = endpoint;
  if (addresses.length === 0) return [required(`${at}.addresses`, "must contain at least 1 address")];
  const errors: FieldError[] = [];
  for (const [index, address] of addresses.entries()) {
    const field = `${at}.addresses[${index}]`;
    if (addressType === "FQDN") {
      errors.push(...dnsSubdomainErrors(address).map((why) => invalid(field, address, why)));
    } else if (isIP(address) !== (addressType === "IPv6" ? 6 : 4)) {
      errors.push(invalid(field, address, `must be an ${addressType} address`));
    }
  }
  for (const why of hostname === undefined ? [] : dnsLabelErrors(hostname)) {
    errors.push(invalid(`${at}.hostname`, hostname, why));
  }
  return errors;
}
