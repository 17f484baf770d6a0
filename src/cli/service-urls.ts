// Where a Service can be reached from this machine, read off the objects alone.
import type { Ingress, Node, Service, ServicePort } from "../api/generated/types.ts";
import { INGRESS_HTTP, INGRESS_HTTPS } from "../api/ingress-service.ts";
import { publishedPortsOf } from "../api/published-ports.ts";

/** A line of `kubemu services -o json`. */
export interface ServiceView {
  readonly namespace: string;
  readonly name: string;
  readonly type: string;
  /** URLs, `ADDRESS:PORT` where the port does not speak HTTP. `host`: what can be reached from this machine, the best first; `cluster`: the ClusterIP as pods use it; `node`: node ports. */
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

/** `http://127.20.192.7:8080`, or where the port speaks something else `127.20.192.7:5432`. */
function url(port: ServicePort, host: string, at: number): string {
  const scheme = schemeOf(port);
  if (scheme === undefined) return `${host}:${at}`;
  const usual = scheme === "https" ? 443 : 80;
  return `${scheme}://${host}${at === usual ? "" : `:${at}`}`;
}

// Of IANA's registries, and what they are called for short: protocols that people run on clusters and that a browser does not speak.
const OTHER_NAMES: ReadonlySet<string> = new Set(
  "amqp amqps dns domain ftp imap imaps kafka ldap ldaps mongo mongodb mqtt mysql nats nfs pop3 postgres postgresql redis sftp smtp smtps ssh tcp telnet tls udp zookeeper".split(
    " ",
  ),
);
const OTHER_NUMBERS: ReadonlySet<number> = new Set([
  21, 22, 23, 25, 53, 110, 143, 389, 465, 587, 636, 853, 993, 995, 1433, 1521, 1883, 2049, 2181, 2379, 3306,
  4222, 5432, 5671, 5672, 6379, 8883, 9042, 9092, 11211, 27017,
]);
const SCHEMES: Readonly<Record<string, "http" | "https">> = {
  http: "http",
  https: "https",
  "kubernetes.io/h2c": "http",
  "kubernetes.io/ws": "http",
  "kubernetes.io/wss": "https",
  [INGRESS_HTTP]: "http",
  [INGRESS_HTTPS]: "https",
};

/**
 * Undefined for what does not speak HTTP. What a port says of itself counts first, then its name (`redis`, `tcp-metrics`), then its number; of
 * a port that tells nothing HTTP is meant, which is what most programs of a developer speak.
 */
function schemeOf({ name = "", port, appProtocol }: ServicePort): "http" | "https" | undefined {
  if (appProtocol) return SCHEMES[appProtocol.toLowerCase()];
  const [protocol = ""] = name.split("-");
  if (protocol === "https" || port === 443) return "https";
  if (protocol === "http") return "http";
  return OTHER_NAMES.has(protocol) || OTHER_NUMBERS.has(port) ? undefined : "http";
}
