// Where a request goes on to: the node agent of a pod, or what the proxy subresources name. Words and codes are those of
// Kubernetes' pod, service and node registries. Reads objects only; connects to nothing.
import type { Endpoint, EndpointSlice, Node, Pod, Service } from "../../api/generated/types.ts";
import { endpointSlices } from "../../api/kinds/endpoint-slice.ts";
import { nodes } from "../../api/kinds/node.ts";
import { pods } from "../../api/kinds/pod.ts";
import { services } from "../../api/kinds/service.ts";
import { PORT_MAP, SERVICE_NAME } from "../../api/names.ts";
import { badRequest, notFound, statusError } from "../../api/status-error.ts";
import { agentQuery } from "./agent-query.ts";
import type { RelayReader, StreamTarget } from "./relay.ts";

export interface Location {
  /** `agent`: TLS with the cluster's certificates; `https`: whatever certificate the backend has. */
  readonly scheme: "agent" | "http" | "https";
  readonly host: string;
  readonly port: number;
  /** With the query. */
  readonly path: string;
}

/** Throws a StatusError where the way ends; undefined for the log of a pod that is on no node yet. */
export async function locate(target: StreamTarget, reader: RelayReader): Promise<Location | undefined> {
  if (target.subresource !== "proxy") return locateStream(target, reader);
  const path = (target.path || "/") + (target.query ? `?${target.query}` : "");
  const backend = parseBackend(target);
  if (target.plural === "pods") return { ...(await podBackend(backend, target, reader)), path };
  if (target.plural === "services") return { ...(await serviceBackend(backend, target, reader)), path };
  return { ...(await nodeBackend(backend, reader)), path };
}

async function locateStream(target: StreamTarget, reader: RelayReader): Promise<Location | undefined> {
  const { namespace = "", name, subresource } = target;
  const pod = await findPod(reader, { namespace, name });
  const { query, container } = agentQuery(target);
  const named = subresource === "portforward" ? "" : `/${chooseContainer(pod, container)}`;
  if (!pod.spec.nodeName) {
    if (subresource === "log") return undefined;
    throw badRequest(`pod ${name} does not have a host assigned`);
  }
  const agent = await agentOf(pod.spec.nodeName, reader);
  const path = `/${AGENT_PATHS[subresource]}/${namespace}/${name}${named}`;
  return { ...agent, path: query ? `${path}?${query}` : path };
}

const AGENT_PATHS: Readonly<Record<string, string>> = {
  log: "containerLogs",
  exec: "exec",
  attach: "attach",
  portforward: "portForward",
};

async function findPod(reader: RelayReader, at: { namespace: string; name: string }): Promise<Readonly<Pod>> {
  const pod = await reader.find(pods, at);
  if (!pod) throw notFound(pods, at.name);
  return pod;
}

/** The container a request means; the only one where it names none. */
export function chooseContainer(pod: Readonly<Pod>, named: string): string {
  const names = pod.spec.containers.map(({ name }) => name);
  const initNames = (pod.spec.initContainers ?? []).map(({ name }) => name);
  const ephemeralNames = (pod.spec.ephemeralContainers ?? []).map(({ name }) => name);
  if (named !== "") {
    if ([...names, ...initNames, ...ephemeralNames].includes(named)) return named;
    throw badRequest(`container ${named} is not valid for pod ${pod.metadata.name}`);
  }
  const [only] = names;
  if (only !== undefined && names.length === 1) return only;
  let message = `a container name must be specified for pod ${pod.metadata.name}`;
  if (names.length > 0) message += `, choose one of: [${names.join(" ")}]`;
  if (initNames.length > 0) message += ` or one of the init containers: [${initNames.join(" ")}]`;
  throw badRequest(message);
}

async function agentOf(nodeName: string, reader: RelayReader): Promise<Omit<Location, "path">> {
  const node = await reader.find(nodes, { name: nodeName });
  if (!node) throw notFound(nodes, nodeName);
  return agentAt(node);
}

/** Where the node's agent listens. */
export function agentAt(node: Readonly<Node>): Omit<Location, "path"> {
  const nodeName = node.metadata.name;
  const port = node.status?.daemonEndpoints?.kubeletEndpoint?.Port;
  if (!port) throw statusError("ServiceUnavailable", `node ${nodeName} has not said where its agent listens`);
  return { scheme: "agent", host: addressOf(node), port };
}

function addressOf(node: Readonly<Node>): string {
  const addresses = node.status?.addresses ?? [];
  const address =
    addresses.find(({ type }) => type === "InternalIP") ?? addresses.find(({ type }) => type === "Hostname");
  if (!address)
    throw statusError(
      "InternalError",
      `Internal error occurred: no preferred addresses found; known addresses: []`,
    );
  return address.address;
}

interface BackendName {
  readonly scheme: "http" | "https";
  readonly name: string;
  readonly port: string;
}

/** `NAME`, `NAME:PORT` or `SCHEME:NAME:PORT`, as apimachinery's SplitSchemeNamePort. */
function parseBackend({ name: text, plural }: StreamTarget): BackendName {
  const parts = text.split(":");
  const [scheme, name, port] = parts.length === 3 ? parts : ["", parts[0], parts[1] ?? ""];
  const known = scheme === "" || scheme === "http" || scheme === "https";
  if (parts.length > 3 || !name || !known)
    throw badRequest(`invalid ${plural.slice(0, -1)} request ${JSON.stringify(text)}`);
  return { scheme: scheme === "https" ? "https" : "http", name, port: port ?? "" };
}

async function podBackend(
  { scheme, name, port }: BackendName,
  { namespace = "" }: StreamTarget,
  reader: RelayReader,
): Promise<Omit<Location, "path">> {
  const pod = await findPod(reader, { namespace, name });
  const host = pod.status?.podIP;
  if (!host) throw badRequest("address not allowed");
  const first = pod.spec.containers.flatMap(({ ports }) => ports ?? [])[0]?.containerPort;
  const wanted = port === "" ? (first ?? (scheme === "https" ? 443 : 80)) : Number(port);
  if (!Number.isInteger(wanted)) throw badRequest(`invalid pod request ${JSON.stringify(`${name}:${port}`)}`);
  return { scheme, host, port: mappedPort(pod, wanted) };
}

/** The port at which the pod's process really listens. */
function mappedPort(pod: Readonly<Pod>, port: number): number {
  const text = pod.metadata.annotations?.[PORT_MAP];
  if (!text) return port;
  try {
    const mapped = (JSON.parse(text) as Record<string, unknown>)[port];
    return typeof mapped === "number" ? mapped : port;
  } catch {
    return port;
  }
}

async function serviceBackend(
  { scheme, name, port }: BackendName,
  { namespace = "" }: StreamTarget,
  reader: RelayReader,
): Promise<Omit<Location, "path">> {
  const service = await reader.find(services, { namespace, name });
  if (!service) throw notFound(services, name);
  const portName = /^\d+$/.test(port) ? portNameOf(service, Number(port)) : port;
  const slices = await reader.list(endpointSlices, { namespace, labelSelector: `${SERVICE_NAME}=${name}` });
  const ready = slices.flatMap((slice) => readyBackends(slice, portName));
  const chosen = ready[Math.floor(Math.random() * ready.length)];
  if (!chosen)
    throw statusError("ServiceUnavailable", `no endpoints available for service ${JSON.stringify(name)}`);
  return { scheme, ...chosen };
}

function portNameOf(service: Readonly<Service>, number: number): string {
  const found = service.spec.ports?.find(({ port }) => port === number);
  if (found) return found.name ?? "";
  const name = JSON.stringify(service.metadata.name);
  throw statusError("ServiceUnavailable", `no service port ${number} found for service ${name}`);
}

function readyBackends(slice: Readonly<EndpointSlice>, portName: string): { host: string; port: number }[] {
  const port = slice.ports?.find(({ name }) => (name ?? "") === portName)?.port;
  if (port === undefined) return [];
  const isReady = ({ conditions }: Endpoint) => conditions?.ready !== false;
  return (slice.endpoints ?? [])
    .filter(isReady)
    .flatMap(({ addresses }) => (addresses[0] ? [{ host: addresses[0], port }] : []));
}

async function nodeBackend(
  { scheme, name, port }: BackendName,
  reader: RelayReader,
): Promise<Omit<Location, "path">> {
  const agent = await agentOf(name, reader);
  const wanted = port === "" ? agent.port : Number(port);
  if (!Number.isInteger(wanted))
    throw badRequest(`invalid node request ${JSON.stringify(`${name}:${port}`)}`);
  return wanted === agent.port ? agent : { scheme, host: agent.host, port: wanted };
}
