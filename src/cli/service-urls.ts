// Where a Service can be reached from this machine, read off the objects alone.
import type { Ingress, Node, Service, ServicePort } from "../api/generated/types.ts";
import { publishedPortsOf } from "../api/published-ports.ts";

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
  /** Of an Ingress: the names that its rules answer to. */
  readonly hosts?: readonly string[];
}

/** The view of an Ingress: its URLs are those of its address; a rule's host goes into the Host header. */
export function viewIngress({ metadata, spec, status }: Ingress): ServiceView {
  const isSecure = (spec?.tls ?? []).length > 0;
  const paths = (spec?.rules ?? []).flatMap(({ http }) => (http?.paths ?? []).map(({ path }) => path ?? "/"));
  const host = (status?.loadBalancer?.ingress ?? []).flatMap(({ ip, ports = [] }) => {
    if (!ip) return [];
    const at = ports.length > 0 ? ports : [{ port: 80 }, { port: 443 }];
    // The controller lists HTTP first, HTTPS second.
    const address = (index: number) => {
      const port = at[index]?.port;
      return port === [80, 443][index] ? ip : `${ip}:${port}`;
    };
    const base = isSecure ? `https://${address(1)}` : `http://${address(0)}`;
    return [...new Set(paths.length > 0 ? paths : ["/"])].map((path) => `${base}${path === "/" ? "" : path}`);
  });
  const hosts = (spec?.rules ?? []).flatMap((rule) => (rule.host ? [rule.host] : []));
  return {
    namespace: metadata.namespace ?? "",
    name: metadata.name,
    type: "Ingress",
    urls: { host, cluster: [], node: [] },
    ...(hosts.length > 0 ? { hosts } : {}),
  };
}

export interface Reach {
  readonly nodes: readonly Node[];
  /** Ports below this cannot be bound by the cluster's user. */
  readonly lowestPort: number;
  readonly singleAddress: boolean;
}

export function viewService(service: Service, reach: Reach): ServiceView {
  const ports = (service.spec.ports ?? []).filter(({ protocol }) => (protocol ?? "TCP") === "TCP");
  const published = publishedPortsOf(service);
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
    if (stand) return [url(port, stand.host, stand.port)];
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
