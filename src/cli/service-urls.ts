// Where a Service can be reached from this machine, read off the objects alone.
import type { Node, Service, ServicePort } from "../api/generated/types.ts";
import { PUBLISHED_PORTS } from "../api/names.ts";

/** A line of `kubemu services -o json`. */
export interface ServiceView {
  readonly namespace: string;
  readonly name: string;
  readonly type: string;
  /** `host`: what can be curled as it stands, the best first; `cluster`: the ClusterIP as pods use it; `node`: node ports. */
  readonly urls: {
    readonly host: readonly string[];
    readonly cluster: readonly string[];
    readonly node: readonly string[];
  };
}

interface Published {
  readonly host: string;
  readonly port: number;
}

export interface Reach {
  readonly nodes: readonly Node[];
  /** Ports below this cannot be bound by the cluster's user. */
  readonly lowestPort: number;
  readonly singleAddress: boolean;
}

export function viewService(service: Service, reach: Reach): ServiceView {
  const ports = (service.spec.ports ?? []).filter(({ protocol }) => (protocol ?? "TCP") === "TCP");
  const published = parsePublished(service.metadata.annotations?.[PUBLISHED_PORTS]);
  const { clusterIP } = service.spec;
  const hasAddress = Boolean(clusterIP) && clusterIP !== "None";
  const balancers = (service.status?.loadBalancer?.ingress ?? []).flatMap(({ ip }) => (ip ? [ip] : []));
  const addresses = reach.nodes.flatMap(
    (node) => node.status?.addresses?.find(({ type }) => type === "InternalIP")?.address ?? [],
  );
  const cluster = hasAddress ? ports.map((port) => url(port, String(clusterIP), port.port)) : [];
  const node = ports.flatMap((port) =>
    port.nodePort ? [...new Set(addresses)].map((address) => url(port, address, Number(port.nodePort))) : [],
  );
  const host = ports.flatMap((port) => {
    const stand = published[`${port.port}/${port.protocol ?? "TCP"}`];
    if (stand?.host && stand.port) return [url(port, stand.host, stand.port)];
    if (reach.singleAddress || port.port < reach.lowestPort) return [];
    return [...balancers, ...(hasAddress && balancers.length === 0 ? [String(clusterIP)] : [])].map(
      (address) => url(port, address, port.port),
    );
  });
  return {
    namespace: service.metadata.namespace ?? "",
    name: service.metadata.name,
    type: service.spec.type ?? "ClusterIP",
    urls: { host: [...host, ...node], cluster, node },
  };
}

function url({ name, port, appProtocol }: ServicePort, host: string, at: number): string {
  const secure = appProtocol === "https" || name === "https" || port === 443;
  const usual = secure ? 443 : 80;
  return `${secure ? "https" : "http"}://${host}${at === usual ? "" : `:${at}`}`;
}

function parsePublished(text: string | undefined): Readonly<Record<string, Published>> {
  try {
    const map: unknown = JSON.parse(text ?? "{}");
    return typeof map === "object" && map !== null ? (map as Record<string, Published>) : {};
  } catch {
    // Written by a user: then nothing is published.
    return {};
  }
}
