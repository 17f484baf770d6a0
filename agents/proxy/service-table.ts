// Pure: which sockets a Service needs, and which endpoints stand behind each. One Frontend is one address and port.
// Only TCP, and only addresses that this machine can bind without touching the network: loopback.
// Unlike Kubernetes: a client's node is known only by its address (a node's or a pod's own). What comes from 127.0.0.1, as most
// processes' connections do, is from no node: internalTrafficPolicy Local and hints leave it all endpoints.
import { isIP } from "node:net";
import type { EndpointSlice, Service, ServicePort } from "../../src/api/generated/types.ts";
import { INGRESS_HTTP, INGRESS_HTTPS } from "../../src/api/ingress-service.ts";
import { publishedPortsOf } from "../../src/api/published-ports.ts";
import { type Balancing, balancingOf } from "../../src/api/service-balancing.ts";
import {
  type Backend,
  type ClientPlace,
  endpointsOf,
  hasHints,
  type PlacedEndpoint,
  usable,
  usableAt,
} from "./endpoints.ts";

export interface Frontend {
  /** `host:port`: the name of the socket, the same in every worker. */
  readonly key: string;
  readonly host: string;
  readonly port: number;
  /** `namespace/name` of the Service. */
  readonly service: string;
  /**
   * `http`: each request is balanced by itself. `health`: answers whether this node has endpoints of its own. `ingress`, `ingress-tls`:
   * Ingresses say which Service answers.
   */
  readonly mode: "tcp" | "http" | "health" | "ingress" | "ingress-tls";
  /** For a client of no known node. */
  readonly backends: readonly Backend[];
  /** For clients of known nodes, where that makes a difference. */
  readonly byNode?: ReadonlyMap<string, readonly Backend[]>;
  /** How long a client stays with its endpoint after its last connection; 0: no affinity. */
  readonly affinityMs: number;
  readonly balancing: Balancing;
}

export interface TableSettings {
  readonly singleAddress: boolean;
  /** Ports below are published elsewhere by the service-address controller. */
  readonly lowestPort: number;
}

export interface NodeAddress extends ClientPlace {
  readonly address: string;
  /** Of the node's pods: `127.16.1.0/24`. */
  readonly podCidr?: string | undefined;
}

/** Every frontend of `service`; the first of equal keys counts. */
export function planFrontends(
  service: Readonly<Service>,
  slices: readonly Readonly<EndpointSlice>[],
  { settings, nodes }: { settings: TableSettings; nodes: readonly NodeAddress[] },
): Frontend[] {
  if (service.spec.type === "ExternalName" || service.metadata.deletionTimestamp) return [];
  const frontends = new Map<string, Frontend>();
  const common = {
    service: `${service.metadata.namespace}/${service.metadata.name}`,
    affinityMs: affinityOf(service),
    balancing: balancingOf(service),
  };
  for (const port of service.spec.ports ?? []) {
    if ((port.protocol ?? "TCP") !== "TCP") continue;
    const endpoints = endpointsOf(port, slices);
    for (const place of placesOf(service, port, nodes)) {
      const { host } = place;
      const key = `${host}:${place.port}`;
      if (frontends.has(key) || !canBind(place, settings)) continue;
      frontends.set(key, {
        ...common,
        key,
        host,
        port: place.port,
        mode: modeOf(port),
        ...choicesOf(endpoints, place, nodes),
      });
    }
  }
  for (const frontend of healthFrontends(service, slices, nodes))
    if (!frontends.has(frontend.key) && canBind(frontend, settings))
      frontends.set(frontend.key, { ...common, ...frontend });
  return [...frontends.values()];
}

const MODES: Readonly<Record<string, Frontend["mode"]>> = {
  http: "http",
  "kubernetes.io/ws": "http",
  [INGRESS_HTTP]: "ingress",
  [INGRESS_HTTPS]: "ingress-tls",
};

const modeOf = ({ appProtocol = "" }: ServicePort) => MODES[appProtocol.toLowerCase()] ?? "tcp";

/** What stands behind a Service's port, by number or name, for requests that come some other way than through its sockets. */
export function planBackends(
  key: string,
  port: number | string,
  state: { service: Readonly<Service> | undefined; slices: readonly Readonly<EndpointSlice>[] },
): Frontend {
  const { service, slices } = state;
  const found = service?.spec.ports?.find((each) => each.port === port || each.name === port);
  const isGone = !service || service.metadata.deletionTimestamp !== undefined;
  return {
    key: `${key}:${port}`,
    host: "",
    port: 0,
    service: key,
    mode: "http",
    backends: found && !isGone ? usable(endpointsOf(found, slices)) : [],
    affinityMs: service ? affinityOf(service) : 0,
    balancing: balancingOf(service ?? { metadata: {} }),
  };
}

/** The endpoints behind one address: by the node that was dialled, or by the client's own. */
function choicesOf(
  endpoints: readonly PlacedEndpoint[],
  { node, local }: Place,
  nodes: readonly NodeAddress[],
): Pick<Frontend, "backends" | "byNode"> {
  if (node) return { backends: usableAt(endpoints, node, local) };
  if (!local && !hasHints(endpoints)) return { backends: usable(endpoints) };
  const byNode = new Map(nodes.map((each) => [each.name, usableAt(endpoints, each, local)]));
  return { backends: usable(endpoints), byNode };
}

/** Where a load balancer outside would ask which nodes have endpoints of their own (service.spec.healthCheckNodePort). */
function healthFrontends(
  service: Readonly<Service>,
  slices: readonly Readonly<EndpointSlice>[],
  nodes: readonly NodeAddress[],
): Omit<Frontend, "service" | "affinityMs" | "balancing">[] {
  const { healthCheckNodePort, externalTrafficPolicy, ports = [] } = service.spec;
  const [port] = ports;
  if (!healthCheckNodePort || externalTrafficPolicy !== "Local" || !port) return [];
  const endpoints = endpointsOf(port, slices);
  return nodes.map((node) => ({
    key: `${node.address}:${healthCheckNodePort}`,
    host: node.address,
    port: healthCheckNodePort,
    mode: "health",
    backends: usableAt(endpoints, node, true),
  }));
}

interface Place {
  readonly host: string;
  readonly port: number;
  /** The node whose address it is. */
  readonly node?: ClientPlace;
  /** Only the node's own endpoints: the one that was dialled, or else the client's. */
  readonly local: boolean;
}

function placesOf(service: Readonly<Service>, port: ServicePort, nodes: readonly NodeAddress[]): Place[] {
  const { spec, status } = service;
  const inside = [...(spec.clusterIPs ?? [spec.clusterIP])];
  const outside = [...(spec.externalIPs ?? []), ...(status?.loadBalancer?.ingress ?? []).map(({ ip }) => ip)];
  const local = spec.internalTrafficPolicy === "Local";
  const places: Place[] = [
    ...inside.map((host) => ({ host, port: port.port, local })),
    ...outside.map((host) => ({ host, port: port.port, local: false })),
  ].filter((place): place is Place => place.host !== undefined && isIP(place.host) !== 0);
  const published = publishedPortsOf(service)[`${port.port}/TCP`];
  if (published) places.push({ ...published, local: local && inside.includes(published.host) });
  if (!port.nodePort) return places;
  const outsideLocal = spec.externalTrafficPolicy === "Local";
  for (const node of nodes) {
    // Where all nodes share one address it belongs to none of them.
    const isOwn = node.address !== "127.0.0.1";
    places.push({
      host: node.address,
      port: port.nodePort,
      local: outsideLocal && isOwn,
      ...(isOwn ? { node } : {}),
    });
  }
  places.push({ host: "127.0.0.1", port: port.nodePort, local: false });
  return places;
}

function canBind(
  { host, port }: { host: string; port: number },
  { singleAddress, lowestPort }: TableSettings,
): boolean {
  if (port < lowestPort) return false;
  return singleAddress ? host === "127.0.0.1" : host.startsWith("127.") || host === "::1";
}

// core/v1 ClientIPConfig: three hours where the manifest says nothing.
const DEFAULT_AFFINITY_SECONDS = 10_800;

function affinityOf({ spec }: Readonly<Service>): number {
  if (spec.sessionAffinity !== "ClientIP") return 0;
  return (spec.sessionAffinityConfig?.clientIP?.timeoutSeconds ?? DEFAULT_AFFINITY_SECONDS) * 1000;
}
