// Gives Services their ClusterIP and node ports. Who has what is derived from the stored Services; what a write under way has
// taken counts until that write is settled.
import { randomInt } from "node:crypto";
import type { Service, ServicePort } from "../../api/generated/types.ts";
import { services } from "../../api/kinds/service.ts";
import type { KubeObject } from "../../api/object.ts";
import { type FieldError, invalid, invalidObject } from "../../api/status-error.ts";
import type { Store } from "../../store/store.ts";
import type { ClusterAddresses } from "../context.ts";
import { storePrefix } from "../keys.ts";
import type { AdmissionStep } from "./chain.ts";

const LOWEST_NODE_PORT = 30_000;
const HIGHEST_NODE_PORT = 32_767;
// Kubernetes leaves the low end of each range to those who choose for themselves.
const STATIC_NODE_PORTS = 86;
const STATIC_ADDRESSES = 256;
// Random first, as Kubernetes; when the range is crowded the search goes through it in order.
const RANDOM_TRIES = 32;

export interface AddressRange {
  readonly text: string;
  /** The network's address as a number. */
  readonly first: number;
  readonly size: number;
}

/** The ClusterIPs of a cluster (docs/architecture.md, Addresses). */
export function serviceRange({
  slot,
  singleAddress,
}: Pick<ClusterAddresses, "slot" | "singleAddress">): AddressRange {
  return singleAddress
    ? { text: "10.96.0.0/16", first: toNumber("10.96.0.0"), size: 2 ** 16 }
    : { text: `127.${slot}.192.0/19`, first: toNumber(`127.${slot}.192.0`), size: 2 ** 13 };
}

/** The ClusterIP of the `kubernetes` Service: the first of the range. */
export const apiServiceAddress = (addresses: ClusterAddresses): string =>
  toText(serviceRange(addresses).first + 1);

/** The admission step, and how to stop it following the store. */
export function createServiceAddresses(
  store: Store<KubeObject>,
  addresses: ClusterAddresses,
): AdmissionStep & { stop(): void } {
  const range = serviceRange(addresses);
  const holdings = new Holdings();
  const settle = (key: string) => {
    holdings.release(key);
    const stored = store.get(key)?.object as Service | undefined;
    if (stored) for (const item of itemsOf(stored)) holdings.take(item, key);
  };
  for (const { key } of store.list(storePrefix(services))) settle(key);
  const stop = store.watch(storePrefix(services), store.revision, ({ entry }) => settle(entry.key));
  return {
    name: "ServiceAddresses",
    stop,
    allocate(key, object, old, { kind, subresource }) {
      if (kind.resource.group !== "" || kind.resource.plural !== services.plural || subresource !== "")
        return;
      const service = object as Service;
      const errors = [
        ...(movesAddress(service, old as Service | undefined)
          ? []
          : takeAddress(service, key, { holdings, range })),
        ...takeNodePorts(service, key, holdings),
      ];
      if (errors.length > 0) throw invalidObject(services, service.metadata.name, errors);
    },
    settle(key) {
      if (key.startsWith(storePrefix(services))) settle(key);
    },
  };
}

/** Addresses and node ports (`:30080`), and who holds each. */
class Holdings {
  readonly #holders = new Map<string, string>();
  readonly #held = new Map<string, Set<string>>();

  /** False when another holds it. */
  take(item: string, key: string): boolean {
    const holder = this.#holders.get(item);
    if (holder !== undefined) return holder === key;
    this.#holders.set(item, key);
    const held = this.#held.get(key) ?? new Set();
    this.#held.set(key, held.add(item));
    return true;
  }

  isFree(item: string): boolean {
    return !this.#holders.has(item);
  }

  release(key: string): void {
    for (const item of this.#held.get(key) ?? []) this.#holders.delete(item);
    this.#held.delete(key);
  }
}

const nodePortItem = (port: number) => `:${port}`;

function itemsOf({ spec }: Service): string[] {
  const ports = [...(spec.ports ?? []).map(({ nodePort }) => nodePort), spec.healthCheckNodePort];
  const addresses = spec.clusterIP && spec.clusterIP !== "None" ? [spec.clusterIP] : [];
  return [...addresses, ...ports.flatMap((port) => (port ? [nodePortItem(port)] : []))];
}

/** What validation refuses before anything is allocated. */
function movesAddress({ spec }: Service, old: Service | undefined): boolean {
  if (!old?.spec.clusterIP || spec.type === "ExternalName") return false;
  return spec.clusterIP !== undefined && spec.clusterIP !== old.spec.clusterIP;
}

function takeAddress(
  { spec }: Service,
  key: string,
  { holdings, range }: { holdings: Holdings; range: AddressRange },
): FieldError[] {
  if (spec.type === "ExternalName" || spec.clusterIP === "None") return [];
  if (spec.clusterIP) {
    const refuse = (why: string) => [
      invalid("spec.clusterIPs", [spec.clusterIP], `failed to allocate IP ${spec.clusterIP}: ${why}`),
    ];
    if (!isInRange(spec.clusterIP, range))
      return refuse(
        `the provided IP (${spec.clusterIP}) is not in the valid range. The range of valid IPs is ${range.text}`,
      );
    return holdings.take(spec.clusterIP, key) ? [] : refuse("provided IP is already allocated");
  }
  const address = drawAddress(range, (candidate) => holdings.isFree(candidate));
  if (address === undefined)
    return [invalid("spec.clusterIPs", [], "failed to allocate a serviceIP: range is full")];
  spec.clusterIP = address;
  spec.clusterIPs = [spec.clusterIP];
  holdings.take(spec.clusterIP, key);
  return [];
}

/** True for an address that a Service may have: all of `range` but its first and last. */
export function isInRange(address: string, { first, size }: AddressRange): boolean {
  const offset = toNumber(address) - first;
  return offset > 0 && offset < size - 1;
}

/** A free address of `range`; undefined when it is full. */
export function drawAddress(range: AddressRange, isFree: (address: string) => boolean): string | undefined {
  const offset = pick(STATIC_ADDRESSES, range.size - 1, (one) => isFree(toText(range.first + one)));
  return offset === undefined ? undefined : toText(range.first + offset);
}

function takeNodePorts({ spec }: Service, key: string, holdings: Holdings): FieldError[] {
  const wanted =
    spec.type === "NodePort" ||
    (spec.type === "LoadBalancer" && spec.allocateLoadBalancerNodePorts !== false);
  const ports = spec.ports ?? [];
  // Chosen ones first, so that none is given to another port of the same Service.
  const errors = ports.flatMap((port, index) =>
    port.nodePort ? takeChosenPort(port.nodePort, `spec.ports[${index}].nodePort`, { key, holdings }) : [],
  );
  if (errors.length > 0 || !wanted) return errors;
  for (const [index, port] of ports.entries()) {
    if (port.nodePort) continue;
    // One number serves TCP and UDP of the same port.
    const twin = ports.find(
      (one) => one.nodePort && one.port === port.port && one.protocol !== port.protocol,
    );
    const nodePort = twin?.nodePort ?? freeNodePort(holdings);
    if (nodePort === undefined)
      return [invalid(`spec.ports[${index}].nodePort`, 0, "failed to allocate a nodePort: range is full")];
    setNodePort(port, nodePort);
    holdings.take(nodePortItem(nodePort), key);
  }
  if (spec.type === "LoadBalancer" && spec.externalTrafficPolicy === "Local" && !spec.healthCheckNodePort) {
    const free = freeNodePort(holdings);
    if (free !== undefined) {
      spec.healthCheckNodePort = free;
      holdings.take(nodePortItem(free), key);
    }
  }
  return [];
}

function setNodePort(port: ServicePort, nodePort: number): void {
  port.nodePort = nodePort;
}

function takeChosenPort(
  nodePort: number,
  field: string,
  { key, holdings }: { key: string; holdings: Holdings },
): FieldError[] {
  if (nodePort < LOWEST_NODE_PORT || nodePort > HIGHEST_NODE_PORT)
    return [
      invalid(
        field,
        nodePort,
        `provided port is not in the valid range. The range of valid ports is ${LOWEST_NODE_PORT}-${HIGHEST_NODE_PORT}`,
      ),
    ];
  return holdings.take(nodePortItem(nodePort), key)
    ? []
    : [invalid(field, nodePort, "provided port is already allocated")];
}

function freeNodePort(holdings: Holdings): number | undefined {
  const size = HIGHEST_NODE_PORT - LOWEST_NODE_PORT + 1;
  const offset = pick(STATIC_NODE_PORTS, size, (one) =>
    holdings.isFree(nodePortItem(LOWEST_NODE_PORT + one)),
  );
  return offset === undefined ? undefined : LOWEST_NODE_PORT + offset;
}

/** A free number from `low` up to but not including `high`; below `low`, but not 0, when those are all taken. */
function pick(low: number, high: number, isFree: (offset: number) => boolean): number | undefined {
  for (let tries = 0; tries < RANDOM_TRIES; tries += 1) {
    const offset = randomInt(low, high);
    if (isFree(offset)) return offset;
  }
  for (let offset = low; offset < high; offset += 1) if (isFree(offset)) return offset;
  for (let offset = 1; offset < low; offset += 1) if (isFree(offset)) return offset;
  return undefined;
}

/** NaN for what is no IPv4 address. */
export function toNumber(address: string): number {
  const parts = address.split(".").map(Number);
  return parts.length === 4 ? parts.reduce((sum, part) => sum * 256 + part, 0) : Number.NaN;
}

export function toText(address: number): string {
  return [24, 16, 8, 0].map((shift) => (address >>> shift) & 255).join(".");
}
