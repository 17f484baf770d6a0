// Pure: a Service port's endpoints out of its slices, and which of them a client of some place is sent to.
import type {
  DiscoveryEndpointPort,
  Endpoint,
  EndpointSlice,
  ServicePort,
} from "../../src/api/generated/types.ts";

export interface Backend {
  readonly host: string;
  readonly port: number;
  /** `host:port` */
  readonly key: string;
  readonly node?: string | undefined;
  /** The pod's name, where the endpoint is a pod. */
  readonly pod?: string | undefined;
}

export interface PlacedEndpoint extends Backend {
  readonly ready: boolean;
  /** Terminating, yet still answering. */
  readonly draining: boolean;
  readonly zones: readonly string[];
  readonly nodes: readonly string[];
}

/** Where a client is: the node, and that node's zone. */
export interface ClientPlace {
  readonly name: string;
  readonly zone?: string | undefined;
}

export function endpointsOf(port: ServicePort, slices: readonly Readonly<EndpointSlice>[]): PlacedEndpoint[] {
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
  const { forZones = [], forNodes = [] } = endpoint.hints ?? {};
  return {
    host,
    port,
    key: `${host}:${port}`,
    node: endpoint.nodeName,
    pod: endpoint.targetRef?.kind === "Pod" ? endpoint.targetRef.name : undefined,
    ready: ready !== false,
    draining: serving === true && terminating === true,
    zones: forZones.map(({ name }) => name),
    nodes: forNodes.map(({ name }) => name),
  };
}

// As kube-proxy (KEP-1669): endpoints that end but still serve take traffic only while no ready one is left.
export function usable(endpoints: readonly PlacedEndpoint[]): Backend[] {
  const ready = endpoints.filter((endpoint) => endpoint.ready);
  const chosen = ready.length > 0 ? ready : endpoints.filter((endpoint) => endpoint.draining);
  return chosen.map(({ host, port, key, node, pod }) => ({ host, port, key, node, pod }));
}

/** Whether clients of different nodes are sent to different endpoints. */
export const hasHints = (endpoints: readonly PlacedEndpoint[]): boolean =>
  endpoints.some(({ zones, nodes }) => zones.length > 0 || nodes.length > 0);

/** For a client at `place`. With `local` only that node's own endpoints, be there any or not; else as the hints say (proxy/topology.go). */
export function usableAt(
  endpoints: readonly PlacedEndpoint[],
  place: ClientPlace,
  local: boolean,
): readonly Backend[] {
  if (local) return usable(endpoints.filter(({ node }) => node === place.name));
  const ready = endpoints.filter((endpoint) => endpoint.ready);
  // Hints count only where every endpoint has them and some are for this place: else it would be left without, or the others overrun.
  const sameNode = ready.filter(({ nodes }) => nodes.includes(place.name));
  if (sameNode.length > 0 && ready.every(({ nodes }) => nodes.length > 0)) return usable(sameNode);
  const sameZone = ready.filter(({ zones }) => place.zone !== undefined && zones.includes(place.zone));
  if (sameZone.length > 0 && ready.every(({ zones }) => zones.length > 0)) return usable(sameZone);
  return usable(endpoints);
}
