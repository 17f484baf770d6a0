// Pure: which sockets a Service needs, and which endpoints stand behind each. One Frontend is one address and port.
// Only TCP, and only addresses that this machine can bind without touching the network: loopback.
// Unlike Kubernetes: internalTrafficPolicy Local is served as Cluster, because a loopback client comes from no node.
import { isIP } from "node:net";
import type {
  DiscoveryEndpointPort,
  Endpoint,
  EndpointSlice,
  Service,
  ServicePort,
} from "../../src/api/generated/types.ts";
import { PUBLISHED_PORTS } from "../../src/api/names.ts";

export interface Backend {
  readonly host: string;
  readonly port: number;
  /** `host:port` */
  readonly key: string;
}

export interface Frontend {
  /** `host:port`: the name of the socket, the same in every worker. */
  readonly key: string;
  readonly host: string;
  readonly port: number;
  readonly backends: readonly Backend[];
  /** How long a client stays with its endpoint after its last connection; 0: no affinity. */
  readonly affinityMs: number;
}

export interface TableSettings {
  readonly singleAddress: boolean;
  /** Ports below are published elsewhere by the service-address controller. */
  readonly lowestPort: number;
}

export interface NodeAddress {
  readonly name: string;
  readonly address: string;
}

/** Every frontend of `service`; the first of equal keys counts. */
export function planFrontends(
  service: Readonly<Service>,
  slices: readonly Readonly<EndpointSlice>[],
  { settings, nodes }: { settings: TableSettings; nodes: readonly NodeAddress[] },
): Frontend[] {
  if (service.spec.type === "ExternalName" || service.metadata.deletionTimestamp) return [];
  const frontends = new Map<string, Frontend>();
  for (const port of service.spec.ports ?? []) {
    if ((port.protocol ?? "TCP") !== "TCP") continue;
    const endpoints = endpointsOf(port, slices);
    for (const place of placesOf(service, port, nodes)) {
      const key = `${place.host}:${place.port}`;
      if (frontends.has(key) || !canBind(place, settings)) continue;
      const backends = usable(place.node ? endpoints.filter(({ node }) => node === place.node) : endpoints);
      frontends.set(key, {
        key,
        host: place.host,
        port: place.port,
        backends,
        affinityMs: affinityOf(service),
      });
    }
  }
  return [...frontends.values()];
}

interface Place {
  readonly host: string;
  readonly port: number;
  /** Set where externalTrafficPolicy Local leaves only that node's endpoints. */
  readonly node?: string;
}

function placesOf(service: Readonly<Service>, port: ServicePort, nodes: readonly NodeAddress[]): Place[] {
  const { spec, status } = service;
  const hosts = [
    ...(spec.clusterIPs ?? [spec.clusterIP]),
    ...(spec.externalIPs ?? []),
    ...(status?.loadBalancer?.ingress ?? []).map(({ ip }) => ip),
  ];
  const places: Place[] = hosts
    .filter((host): host is string => host !== undefined && isIP(host) !== 0)
    .map((host) => ({ host, port: port.port }));
  const published = publishedPorts(service)[`${port.port}/TCP`];
  if (published) places.push(published);
  if (!port.nodePort) return places;
  const local = spec.externalTrafficPolicy === "Local";
  // Where all nodes share one address it belongs to none of them.
  for (const { name, address } of nodes)
    places.push({
      host: address,
      port: port.nodePort,
      ...(local && address !== "127.0.0.1" ? { node: name } : {}),
    });
  places.push({ host: "127.0.0.1", port: port.nodePort });
  return places;
}

function canBind({ host, port }: Place, { singleAddress, lowestPort }: TableSettings): boolean {
  if (port < lowestPort) return false;
  return singleAddress ? host === "127.0.0.1" : host.startsWith("127.") || host === "::1";
}

/** The annotation kubemu.dev/published-ports; what does not parse counts as absent. */
function publishedPorts(service: Readonly<Service>): Record<string, { host: string; port: number }> {
  const text = service.metadata.annotations?.[PUBLISHED_PORTS];
  if (!text) return {};
  try {
    const entries = Object.entries(JSON.parse(text) as Record<string, { host?: unknown; port?: unknown }>);
    return Object.fromEntries(
      entries.flatMap(([key, place]) => {
        const { host, port } = place ?? {};
        return typeof host === "string" && isIP(host) && typeof port === "number"
          ? [[key, { host, port }]]
          : [];
      }),
    );
  } catch {
    return {};
  }
}

// core/v1 ClientIPConfig: three hours where the manifest says nothing.
const DEFAULT_AFFINITY_SECONDS = 10_800;

function affinityOf({ spec }: Readonly<Service>): number {
  if (spec.sessionAffinity !== "ClientIP") return 0;
  return (spec.sessionAffinityConfig?.clientIP?.timeoutSeconds ?? DEFAULT_AFFINITY_SECONDS) * 1000;
}

interface PlacedEndpoint extends Backend {
  readonly node: string | undefined;
  readonly ready: boolean;
  /** Terminating, yet still answering. */
  readonly draining: boolean;
}

function endpointsOf(port: ServicePort, slices: readonly Readonly<EndpointSlice>[]): PlacedEndpoint[] {
  const found = new Map<string, PlacedEndpoint>();
  for (const slice of slices) {
    if (slice.addressType === "FQDN") continue;
    const target = slice.ports?.find((candidate) => matches(candidate, port));
    if (target?.port === undefined) continue;
    for (const endpoint of slice.endpoints ?? []) {
      const placed = placedEndpoint(endpoint, target.port);
      if (placed && !found.get(placed.key)?.ready) found.set(placed.key, placed);
    }
  }
  return [...found.values()].sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0));
}

const matches = (candidate: DiscoveryEndpointPort, port: ServicePort) =>
  (candidate.name ?? "") === (port.name ?? "") && (candidate.protocol ?? "TCP") === "TCP";

function placedEndpoint(endpoint: Endpoint, port: number): PlacedEndpoint | undefined {
  const host = endpoint.addresses[0];
  if (host === undefined) return undefined;
  const { ready, serving, terminating } = endpoint.conditions ?? {};
  return {
    host,
    port,
    key: `${host}:${port}`,
    node: endpoint.nodeName,
    ready: ready !== false,
    draining: serving === true && terminating === true,
  };
}

// As kube-proxy (KEP-1669): endpoints that end but still serve take traffic only while no ready one is left.
function usable(endpoints: readonly PlacedEndpoint[]): Backend[] {
  const ready = endpoints.filter((endpoint) => endpoint.ready);
  const chosen = ready.length > 0 ? ready : endpoints.filter((endpoint) => endpoint.draining);
  return chosen.map(({ host, port, key }) => ({ host, port, key }));
}
