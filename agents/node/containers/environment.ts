// A container's environment: what Kubernetes and the manifest give it, and nothing of the host's but PATH. Source of
// the order and the expansion: the kubelet's makeEnvironmentVariables.
import type { Container, EnvVarSource, Pod, Service } from "../../../src/api/generated/types.ts";
import type { DnsPlace } from "../../../src/base/cluster-dns.ts";
import { milliValue, quantityToNumber } from "../../../src/base/quantity.ts";
import { hostnameOf } from "../pod/dns-files.ts";

export type Environment = Record<string, string>;

/** A reference that cannot be followed: the container waits with CreateContainerConfigError and this message. */
export class ConfigError extends Error {}

/** What env needs from outside. Missing objects are undefined. */
export interface References {
  configMap(namespace: string, name: string): Promise<Readonly<Record<string, Buffer>> | undefined>;
  /** Decoded. */
  secret(namespace: string, name: string): Promise<Readonly<Record<string, Buffer>> | undefined>;
}

export interface Facts {
  readonly pod: Readonly<Pod>;
  readonly podIP: string;
  readonly hostIP: string;
  readonly nodeName: string;
  readonly allocatable: Readonly<Record<string, string>>;
}

/** The manifest's part: envFrom, then env, each able to refer to what stands before it. */
export async function manifestEnvironment(
  container: Container,
  { facts, references, base }: { facts: Facts; references: References; base: Readonly<Environment> },
): Promise<Environment> {
  const namespace = facts.pod.metadata.namespace ?? "default";
  const result: Environment = {};
  for (const { configMapRef, secretRef, prefix = "" } of container.envFrom ?? []) {
    const found = configMapRef
      ? await references.configMap(namespace, configMapRef.name ?? "")
      : await references.secret(namespace, secretRef?.name ?? "");
    const source = configMapRef ?? secretRef;
    if (!found) {
      if (source?.optional) continue;
      throw new ConfigError(`${configMapRef ? "configmap" : "secret"} "${source?.name}" not found`);
    }
    for (const [key, value] of Object.entries(found)) result[prefix + key] = value.toString();
  }
  for (const { name, value, valueFrom } of container.env ?? []) {
    const resolved = valueFrom
      ? await fromSource(valueFrom, { container, facts, references })
      : expand(value ?? "", { ...base, ...result });
    if (resolved !== undefined) result[name] = resolved;
  }
  return result;
}

async function fromSource(
  source: EnvVarSource,
  { container, facts, references }: { container: Container; facts: Facts; references: References },
): Promise<string | undefined> {
  const namespace = facts.pod.metadata.namespace ?? "default";
  if (source.fieldRef) return podField(source.fieldRef.fieldPath, facts);
  if (source.resourceFieldRef) return resourceField(source.resourceFieldRef, container, facts);
  const { configMapKeyRef, secretKeyRef } = source;
  const reference = configMapKeyRef ?? secretKeyRef;
  if (!reference) return undefined;
  const name = reference.name ?? "";
  const found = configMapKeyRef
    ? await references.configMap(namespace, name)
    : await references.secret(namespace, name);
  if (!found) {
    if (reference.optional) return undefined;
    throw new ConfigError(`${configMapKeyRef ? "configmap" : "secret"} "${name}" not found`);
  }
  const value = found[reference.key];
  if (value === undefined && !reference.optional)
    throw new ConfigError(
      `couldn't find key ${reference.key} in ${configMapKeyRef ? "ConfigMap" : "Secret"} ${namespace}/${name}`,
    );
  return value?.toString();
}

/** The downward API's fields of a pod; "" for what is not set. Throws a ConfigError for a path that is not supported. */
export function podField(fieldPath: string, { pod, podIP, hostIP, nodeName }: Facts): string {
  const { metadata } = pod;
  const subscript = /^metadata\.(labels|annotations)\['(.+)'\]$/.exec(fieldPath);
  if (subscript) return metadata[subscript[1] as "labels" | "annotations"]?.[subscript[2] ?? ""] ?? "";
  const simple: Readonly<Record<string, string | undefined>> = {
    "metadata.name": metadata.name,
    "metadata.namespace": metadata.namespace,
    "metadata.uid": metadata.uid,
    "spec.nodeName": nodeName,
    "spec.serviceAccountName": pod.spec?.serviceAccountName ?? "",
    "status.hostIP": hostIP,
    "status.hostIPs": hostIP,
    "status.podIP": podIP,
    "status.podIPs": podIP,
  };
  if (fieldPath in simple) return simple[fieldPath] ?? "";
  if (fieldPath === "metadata.labels") return quotedMap(metadata.labels);
  if (fieldPath === "metadata.annotations") return quotedMap(metadata.annotations);
  throw new ConfigError(`unsupported fieldPath: ${fieldPath}`);
}

const quotedMap = (map: Readonly<Record<string, string>> | undefined) =>
  Object.entries(map ?? {})
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, value]) => `${key}=${JSON.stringify(value)}`)
    .join("\n");

/** `limits.cpu`, `requests.memory` …, divided and rounded up; a limit that is not set is the node's allocatable. */
export function resourceField(
  { resource, divisor, containerName }: { resource: string; divisor?: string; containerName?: string },
  own: Container | undefined,
  { pod, allocatable }: Facts,
): string {
  const all = [...(pod.spec?.initContainers ?? []), ...(pod.spec?.containers ?? [])];
  const container = containerName ? all.find(({ name }) => name === containerName) : own;
  const [kind = "", ...rest] = resource.split(".");
  const name = rest.join(".");
  if (!container || (kind !== "limits" && kind !== "requests"))
    throw new ConfigError(`unsupported container resource : ${resource}`);
  const fallback = kind === "limits" ? (allocatable[name] ?? "0") : "0";
  const quantity = container.resources?.[kind]?.[name] ?? fallback;
  const unit = divisor && divisor !== "0" ? divisor : "1";
  if (name === "cpu") return String(Math.ceil(milliValue(quantity) / milliValue(unit)));
  return String(Math.ceil(quantityToNumber(quantity) / quantityToNumber(unit)));
}

/** `$(NAME)` becomes NAME's value where there is one and stays as it is where there is none; `$$(NAME)` is a literal `$(NAME)`. */
export function expand(text: string, environment: Readonly<Environment>): string {
  return text.replace(/\$(\$|\(([^()]*)\))/g, (whole, second: string, name: string | undefined) => {
    if (second === "$") return "$";
    return name !== undefined && Object.hasOwn(environment, name) ? (environment[name] ?? "") : whole;
  });
}

/** `WEB_SERVICE_HOST`, `WEB_PORT_80_TCP_ADDR` … for every Service of the pod's namespace, and `kubernetes` always. */
export function serviceEnvironment(services: readonly Readonly<Service>[], pod: Readonly<Pod>): Environment {
  const result: Environment = {};
  const links = pod.spec?.enableServiceLinks ?? true;
  for (const service of services) {
    const { name, namespace } = service.metadata;
    const isMaster = namespace === "default" && name === "kubernetes";
    if (!isMaster && !(links && namespace === pod.metadata.namespace)) continue;
    const ip = service.spec?.clusterIP;
    const ports = service.spec?.ports ?? [];
    const first = ports[0];
    if (!ip || ip === "None" || !first) continue;
    const prefix = name.toUpperCase().replaceAll("-", "_");
    result[`${prefix}_SERVICE_HOST`] = ip;
    result[`${prefix}_SERVICE_PORT`] = String(first.port);
    for (const port of ports)
      if (port.name)
        result[`${prefix}_SERVICE_PORT_${port.name.toUpperCase().replaceAll("-", "_")}`] = String(port.port);
    result[`${prefix}_PORT`] = `${(first.protocol ?? "TCP").toLowerCase()}://${ip}:${first.port}`;
    for (const { port, protocol = "TCP" } of ports) {
      const link = `${prefix}_PORT_${port}_${protocol.toUpperCase()}`;
      result[link] = `${protocol.toLowerCase()}://${ip}:${port}`;
      result[`${link}_PROTO`] = protocol.toLowerCase();
      result[`${link}_PORT`] = String(port);
      result[`${link}_ADDR`] = ip;
    }
  }
  return result;
}

/** What kubemu adds: where to listen, and the marks by which its processes are found. */
export function ownEnvironment(options: {
  container: Container;
  pod: Readonly<Pod>;
  podIP: string;
  portMap: Readonly<Record<string, number>>;
  defaultPorts: readonly number[];
  root: string;
  cluster: string;
  node: string;
  searchPath: string;
  dns: DnsPlace;
}): Environment {
  const { container, pod, podIP, portMap, defaultPorts, root, cluster, node, searchPath, dns } = options;
  const mapped = (port: number) => String(portMap[port] ?? port);
  const first = container.ports?.[0]?.containerPort ?? defaultPorts[0];
  const result: Environment = {
    PATH: searchPath,
    HOME: root,
    HOSTNAME: hostnameOf(pod),
    POD_IP: podIP,
    HOST: podIP,
  };
  if (first !== undefined) result["PORT"] = mapped(first);
  for (const { name, containerPort } of container.ports ?? [])
    if (name) result[`PORT_${name.toUpperCase().replaceAll("-", "_")}`] = mapped(containerPort);
  return {
    ...result,
    KUBEMU_CLUSTER: cluster,
    KUBEMU_NODE: node,
    KUBEMU_POD: pod.metadata.uid,
    KUBEMU_CONTAINER: `${pod.metadata.uid}/${container.name}`,
    KUBEMU_ROOT: root,
    // What resolv.conf calls the server, and where it really listens.
    KUBEMU_DNS_SERVICE: dns.clusterIP,
    KUBEMU_DNS: `${dns.host}:${dns.port}`,
  };
}
