// What the cluster's names stand for. Pure but for the look-ups it is handed; the rules are those of the Kubernetes DNS
// specification 1.1 as CoreDNS serves them (plugin/kubernetes), with `pods insecure`, as kubeadm sets it up.
import { isIPv4 } from "node:net";
import type { Endpoint, EndpointSlice, Service } from "../../../src/api/generated/types.ts";
import { CLUSTER_DOMAIN } from "../../../src/base/cluster-dns.ts";
import { standInOf } from "./stand-in.ts";

/** The proxy's picture of the API. */
export interface ZoneSource {
  service(namespace: string, name: string): Readonly<Service> | undefined;
  slices(namespace: string, name: string): readonly Readonly<EndpointSlice>[];
  hasServices(namespace: string): boolean;
  /** Services whose ClusterIP, and slices one of whose addresses, is `ip`. */
  servicesAt(ip: string): readonly Readonly<Service>[];
  slicesAt(ip: string): readonly Readonly<EndpointSlice>[];
  serviceOf(slice: Readonly<EndpointSlice>): Readonly<Service> | undefined;
}

/** One record; `name` is its owner. */
export type ZoneRecord =
  | { readonly type: "A"; readonly name: string; readonly data: string }
  | { readonly type: "CNAME" | "PTR"; readonly name: string; readonly data: string }
  | { readonly type: "TXT"; readonly name: string; readonly data: string }
  | { readonly type: "SRV"; readonly name: string; readonly data: Srv };

export interface Srv {
  readonly priority: number;
  readonly weight: number;
  readonly port: number;
  readonly target: string;
}

/**
 * `found` with no answers is a name that exists without records of that type (NODATA); `foreign` is a name outside the
 * cluster's zones.
 */
export type ZoneAnswer =
  | { readonly result: "found"; readonly answers: ZoneRecord[]; readonly additionals: ZoneRecord[] }
  | { readonly result: "missing" }
  | { readonly result: "foreign" };

const MISSING: ZoneAnswer = { result: "missing" };
const found = (answers: ZoneRecord[] = [], additionals: ZoneRecord[] = []): ZoneAnswer => ({
  result: "found",
  answers,
  additionals,
});

const ZONE = CLUSTER_DOMAIN.split(".");
const REVERSE_ZONE = ["in-addr", "arpa"];
// The version of the specification, which clients may ask for.
const SCHEMA_VERSION = "1.1.0";
// A chain of ExternalName Services is followed this far.
const LONGEST_CHAIN = 8;

/** What `name` (any case, no dot at the end) has of `type`. */
export function lookUp(source: ZoneSource, name: string, type: string): ZoneAnswer {
  const labels = name.toLowerCase().split(".");
  if (endsWith(labels, REVERSE_ZONE)) return reverse(source, name, type);
  if (!endsWith(labels, ZONE)) return { result: "foreign" };
  const rest = labels.slice(0, -ZONE.length);
  if (rest.length === 0) return found();
  if (rest.length === 1 && rest[0] === "dns-version")
    return found(type === "TXT" ? [{ type, name, data: SCHEMA_VERSION }] : []);
  const kind = rest.at(-1);
  if (kind === "pod") return podName(name, rest.slice(0, -1), type);
  if (kind === "at") {
    const data = standInOf(source, rest.slice(0, -1));
    return data === undefined ? MISSING : found(type === "TXT" ? [{ type, name, data }] : []);
  }
  if (kind === "svc") return serviceName(source, { name, labels: rest.slice(0, -1), type });
  return MISSING;
}

const endsWith = (labels: readonly string[], zone: readonly string[]) =>
  zone.every((label, index) => labels.at(index - zone.length) === label);

/** `10-0-0-7.default.pod.cluster.local`: the address is in the name. */
function podName(name: string, labels: readonly string[], type: string): ZoneAnswer {
  // `pod` and `NAMESPACE.pod` are there; what they hold is not told.
  if (labels.length < 2) return found();
  const ip = (labels[0] ?? "").replaceAll("-", ".");
  if (labels.length !== 2 || !isIPv4(ip)) return MISSING;
  return found(type === "A" ? [{ type, name, data: ip }] : []);
}

interface Asked {
  readonly name: string;
  /** What stands before `svc.cluster.local`. */
  readonly labels: readonly string[];
  readonly type: string;
}

function serviceName(source: ZoneSource, asked: Asked): ZoneAnswer {
  const labels = [...asked.labels];
  const namespace = labels.pop();
  if (namespace === undefined) return found();
  const service = labels.pop();
  if (service === undefined) return source.hasServices(namespace) ? found() : MISSING;
  const object = source.service(namespace, service);
  if (!object) return MISSING;
  const part = parsePart(labels);
  if (!part) return MISSING;
  if (object.spec.type === "ExternalName") return part.host ? MISSING : external(source, object, asked);
  const fqdn = `${service}.${namespace}.svc.${CLUSTER_DOMAIN}`;
  const targets = isHeadless(object)
    ? endpointTargets(source.slices(namespace, service), fqdn)
    : clusterTargets(object, fqdn);
  // A Service without endpoints is a name all the same; a port or a host that it has not is none.
  const chosen = targets.filter((target) => isAsked(target, part));
  if (chosen.length === 0 && (part.host !== undefined || part.port !== undefined)) return MISSING;
  return recordsOf(chosen, asked);
}

const isHeadless = ({ spec }: Readonly<Service>) => spec.clusterIP === "None";

interface Part {
  readonly host?: string;
  readonly port?: string;
  readonly protocol?: string;
}

/** Reads `_http._tcp`, `web-0`, or nothing; undefined for what is neither. */
function parsePart(labels: readonly string[]): Part | undefined {
  const [first, second] = labels;
  if (first === undefined) return {};
  if (labels.length === 1) return { host: first };
  if (labels.length === 2 && first.startsWith("_") && second?.startsWith("_"))
    return { port: first.slice(1), protocol: second.slice(1) };
  return undefined;
}

/** One address with one port; the port is absent where a headless Service has none. */
interface Target {
  readonly ip: string;
  readonly host: string | undefined;
  /** What an SRV record points to. */
  readonly fqdn: string;
  readonly port?: { readonly name: string; readonly protocol: string; readonly number: number };
}

const isAsked = (target: Target, { host, port, protocol }: Part) =>
  (host === undefined || target.host === host) &&
  (port === undefined || (target.port?.name === port && target.port.protocol === protocol));

function clusterTargets({ spec }: Readonly<Service>, fqdn: string): Target[] {
  const ip = spec.clusterIP;
  if (!ip || !isIPv4(ip)) return [];
  return (spec.ports ?? []).map(({ name = "", protocol = "TCP", port }) => ({
    ip,
    host: undefined,
    fqdn,
    port: { name: name.toLowerCase(), protocol: protocol.toLowerCase(), number: port },
  }));
}

/** Every ready endpoint; with publishNotReadyAddresses the slices say of all of them that they are ready. */
function endpointTargets(slices: readonly Readonly<EndpointSlice>[], fqdn: string): Target[] {
  return slices
    .filter(({ addressType }) => addressType === "IPv4")
    .flatMap((slice) =>
      (slice.endpoints ?? [])
        .filter(({ conditions }) => conditions?.ready !== false)
        .flatMap((endpoint) => targetsOf(endpoint, slice, fqdn)),
    );
}

function targetsOf(endpoint: Endpoint, { ports }: Readonly<EndpointSlice>, fqdn: string): Target[] {
  const host = endpointHost(endpoint);
  const numbered = (ports ?? []).filter(({ port }) => port !== undefined);
  return endpoint.addresses.flatMap((ip) => {
    const base = { ip, host, fqdn: `${host}.${fqdn}` };
    if (numbered.length === 0) return [base];
    return numbered.map(({ name, protocol, port }) => ({
      ...base,
      port: {
        name: (name ?? "").toLowerCase(),
        protocol: (protocol ?? "TCP").toLowerCase(),
        number: Number(port),
      },
    }));
  });
}

/** The endpoint's label below its Service: the pod's hostname where it has one, else its address with dashes. */
const endpointHost = ({ hostname, addresses }: Endpoint): string =>
  (hostname || (addresses[0] ?? "").replaceAll(".", "-")).toLowerCase();

function recordsOf(targets: readonly Target[], { name, type }: Asked): ZoneAnswer {
  const addresses = (owner: (target: Target) => string) => {
    const seen = new Map(targets.map((target) => [`${owner(target)} ${target.ip}`, target]));
    return [...seen.values()].map((target) => ({ type: "A" as const, name: owner(target), data: target.ip }));
  };
  if (type === "A") return found(addresses(() => name));
  if (type !== "SRV") return found();
  const served = targets.filter(({ port }) => port !== undefined);
  const weight = Math.max(Math.floor(100 / Math.max(served.length, 1)), 1);
  const answers = served.map(({ fqdn, port }) => ({
    type: "SRV" as const,
    name,
    data: { priority: 0, weight, port: port?.number ?? 0, target: fqdn },
  }));
  return found(answers, served.length > 0 ? addresses(({ fqdn }) => fqdn) : []);
}

/** An ExternalName Service is an alias; one that leads to another Service is followed. */
function external(source: ZoneSource, service: Readonly<Service>, { name, type }: Asked): ZoneAnswer {
  const target = (service.spec.externalName ?? "").replace(/\.$/, "");
  const answers: ZoneRecord[] = [{ type: "CNAME", name, data: target }];
  if (type === "CNAME") return found(answers);
  const seen = new Set([name.toLowerCase()]);
  let next = target;
  while (seen.size < LONGEST_CHAIN && !seen.has(next.toLowerCase())) {
    seen.add(next.toLowerCase());
    const alias = aliasOf(source, next);
    if (alias === undefined) {
      const answer = lookUp(source, next, type);
      if (answer.result === "found") return found([...answers, ...answer.answers], answer.additionals);
      break;
    }
    answers.push({ type: "CNAME", name: next, data: alias });
    next = alias;
  }
  return found(answers);
}

/** What the ExternalName Service called `name` points to; undefined where it is none. */
function aliasOf(source: ZoneSource, name: string): string | undefined {
  const labels = name.toLowerCase().split(".");
  if (labels.length !== ZONE.length + 3 || !endsWith(labels, ["svc", ...ZONE])) return undefined;
  const spec = source.service(labels[1] ?? "", labels[0] ?? "")?.spec;
  return spec?.type === "ExternalName" ? (spec.externalName ?? "").replace(/\.$/, "") : undefined;
}

function reverse(source: ZoneSource, name: string, type: string): ZoneAnswer {
  const ip = name.split(".").slice(0, -REVERSE_ZONE.length).reverse().join(".");
  if (!isIPv4(ip)) return MISSING;
  const names = namesAt(source, ip);
  if (names.length === 0) return MISSING;
  return found(type === "PTR" ? names.map((data) => ({ type, name, data })) : []);
}

function namesAt(source: ZoneSource, ip: string): string[] {
  const [service] = source.servicesAt(ip);
  const fqdn = ({ metadata }: Readonly<Service>) =>
    `${metadata.name}.${metadata.namespace}.svc.${CLUSTER_DOMAIN}`;
  if (service) return [fqdn(service)];
  const names = source.slicesAt(ip).flatMap((slice) => {
    const owner = source.serviceOf(slice);
    const endpoint = slice.endpoints?.find(
      ({ addresses, conditions }) => addresses.includes(ip) && conditions?.ready !== false,
    );
    return owner && endpoint && isHeadless(owner) ? [`${endpointHost(endpoint)}.${fqdn(owner)}`] : [];
  });
  return [...new Set(names)];
}
