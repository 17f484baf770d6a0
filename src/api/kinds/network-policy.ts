// NetworkPolicy: stored and shown; nothing acts on it. Unlike Kubernetes: no traffic is ever refused, which a Warning says.
import type { NetworkPolicy, NetworkPolicyPeer, NetworkPolicyPort } from "../generated/types.ts";
import { ageColumn, type KindDefinition, nameColumn, textColumn } from "../kind.ts";
import type { Draft } from "../object.ts";
import type { Resource } from "../resource.ts";
import { formatLabelSelector } from "../selectors.ts";
import { type FieldError, forbiddenField, invalid, notSupported, required } from "../status-error.ts";
import { validateLabelSelector } from "../validation/labels.ts";
import { cidrErrors } from "../validation/names.ts";
import { validatePortOrName } from "../validation/numbers.ts";

export const networkPolicies: Resource<NetworkPolicy> = {
  group: "networking.k8s.io",
  version: "v1",
  kind: "NetworkPolicy",
  plural: "networkpolicies",
  namespaced: true,
};

const PROTOCOLS = ["TCP", "UDP", "SCTP"];
const POLICY_TYPES = ["Ingress", "Egress"];

export const networkPolicyKind: KindDefinition<NetworkPolicy> = {
  resource: networkPolicies,
  schema: "io.k8s.api.networking.v1.NetworkPolicy",
  singular: "networkpolicy",
  shortNames: ["netpol"],
  nameRule: "dns-subdomain",
  hasGeneration: true,
  defaults(policy) {
    policy.spec ??= {};
    const { spec } = policy;
    spec.podSelector ??= {};
    for (const { ports } of [...(spec.ingress ?? []), ...(spec.egress ?? [])]) defaultPorts(ports);
    if (!spec.policyTypes?.length)
      spec.policyTypes = spec.egress?.length ? ["Ingress", "Egress"] : ["Ingress"];
  },
  validate: ({ spec = {} }) => [
    ...validateLabelSelector(spec.podSelector, "spec.podSelector"),
    ...(spec.ingress ?? []).flatMap(({ from, ports }, index) =>
      validateRule({ peers: from, peersField: "from", ports }, `spec.ingress[${index}]`),
    ),
    ...(spec.egress ?? []).flatMap(({ to, ports }, index) =>
      validateRule({ peers: to, peersField: "to", ports }, `spec.egress[${index}]`),
    ),
    ...validateTypes(spec.policyTypes ?? []),
  ],
  warnings: () => ["NetworkPolicy is stored but not enforced: kubemu lets all traffic through"],
  columns: [
    /* @__PURE__ */ nameColumn(),
    /* @__PURE__ */ textColumn("Pod-Selector", "Which pods it is about.", ({ spec }) =>
      formatLabelSelector(spec?.podSelector),
    ),
    /* @__PURE__ */ ageColumn(),
  ],
};

function defaultPorts(ports: Draft<NetworkPolicyPort>[] | undefined): void {
  for (const port of ports ?? []) port.protocol ??= "TCP";
}

function validateTypes(types: readonly string[]): FieldError[] {
  if (types.length > POLICY_TYPES.length)
    return [invalid("spec.policyTypes", types, "may not specify more than two policyTypes")];
  return types.flatMap((type, index) =>
    POLICY_TYPES.includes(type) ? [] : [notSupported(`spec.policyTypes[${index}]`, type, POLICY_TYPES)],
  );
}

interface Rule {
  readonly peers: readonly NetworkPolicyPeer[] | undefined;
  readonly peersField: "from" | "to";
  readonly ports: readonly NetworkPolicyPort[] | undefined;
}

function validateRule({ peers = [], peersField, ports = [] }: Rule, at: string): FieldError[] {
  return [
    ...ports.flatMap((port, index) => validatePort(port, `${at}.ports[${index}]`)),
    ...peers.flatMap((peer, index) => validatePeer(peer, `${at}.${peersField}[${index}]`)),
  ];
}

function validatePort({ protocol, port, endPort }: NetworkPolicyPort, at: string): FieldError[] {
  const errors: FieldError[] = [];
  if (protocol !== undefined && !PROTOCOLS.includes(protocol))
    errors.push(notSupported(`${at}.protocol`, protocol, PROTOCOLS));
  if (port === undefined) {
    if (endPort !== undefined)
      errors.push(required(`${at}.port`, "must be specified when `endPort` is specified"));
    return errors;
  }
  errors.push(...validatePortOrName(port, `${at}.port`));
  if (endPort === undefined) return errors;
  if (typeof port === "string")
    errors.push(required(`${at}.endPort`, "may not be specified when `port` is non-numeric"));
  else if (port > endPort)
    errors.push(invalid(`${at}.endPort`, endPort, "must be greater than or equal to `port`"));
  return errors;
}

function validatePeer(peer: NetworkPolicyPeer, at: string): FieldError[] {
  const { ipBlock, namespaceSelector, podSelector } = peer;
  const errors = [
    ...validateLabelSelector(podSelector, `${at}.podSelector`),
    ...validateLabelSelector(namespaceSelector, `${at}.namespaceSelector`),
  ];
  if (!ipBlock) return podSelector || namespaceSelector ? errors : [required(at, "must specify a peer")];
  for (const [field, ranges] of [
    ["cidr", [ipBlock.cidr]] as const,
    ["except", ipBlock.except ?? []] as const,
  ])
    for (const [index, range] of ranges.entries()) {
      const place = field === "cidr" ? `${at}.ipBlock.cidr` : `${at}.ipBlock.except[${index}]`;
      if (!range) errors.push(required(place));
      else errors.push(...cidrErrors(range).map((why) => invalid(place, range, why)));
    }
  if (podSelector || namespaceSelector)
    errors.push(forbiddenField(at, "may not specify both ipBlock and another peer"));
  return errors;
}
