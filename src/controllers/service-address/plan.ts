// Pure: which address a load balancer Service has, and where the ports of a Service are published that cannot be bound as they are
// (docs/architecture.md, Addresses). What a Service has already it keeps, so that nothing moves when the control plane restarts.
import type { LoadBalancerIngress, Service } from "../../api/generated/types.ts";
import { type PublishedPorts, publishedPortsOf } from "../../api/published-ports.ts";

export interface Addresses {
  readonly slot: number;
  readonly singleAddress: boolean;
  /** Ports from here up may be bound. */
  readonly lowestPort: number;
}

export const LOOPBACK = "127.0.0.1";
const FIRST_BLOCK = 224;
const BLOCKS = 16;
const FIRST_PORT = 40_000;
const PORTS = 10_000;
// In single-address mode all clusters share 127.0.0.1: each starts looking somewhere else.
const PORTS_PER_SLOT = 100;

/** True for a Service that this controller gives a load balancer's address. One with a class waits for whoever serves the class. */
export function wantsLoadBalancer({ spec, metadata }: Readonly<Service>): boolean {
  return spec.type === "LoadBalancer" && !spec.loadBalancerClass && !metadata.deletionTimestamp;
}

export const loadBalancerIpOf = (service: Readonly<Service>): string | undefined =>
  service.status?.loadBalancer?.ingress?.[0]?.ip;

/**
 * The load balancer's address of `service`: the one that it asks for, has, or else the first that none of `others` has; undefined
 * where it wants none or all are taken. An address asked for that is not in the cluster's range cannot be listened on and is passed over.
 */
export function planLoadBalancerIp(
  service: Readonly<Service>,
  others: readonly Readonly<Service>[],
  { slot, singleAddress }: Addresses,
): string | undefined {
  if (!wantsLoadBalancer(service)) return undefined;
  if (singleAddress) return LOOPBACK;
  const taken = new Set(others.map(loadBalancerIpOf));
  for (const candidate of [service.spec.loadBalancerIP, loadBalancerIpOf(service)])
    if (candidate && isInRange(candidate, slot) && !taken.has(candidate)) return candidate;
  for (const candidate of addressRange(slot)) if (!taken.has(candidate)) return candidate;
  return undefined;
}

function isInRange(ip: string, slot: number): boolean {
  const match = /^127\.(\d+)\.(\d+)\.(\d+)$/.exec(ip);
  if (!match) return false;
  const [, second, third, fourth] = match.map(Number) as [number, number, number, number];
  return (
    second === slot && third >= FIRST_BLOCK && third < FIRST_BLOCK + BLOCKS && fourth > 0 && fourth < 255
  );
}

function* addressRange(slot: number): Generator<string> {
  for (let block = FIRST_BLOCK; block < FIRST_BLOCK + BLOCKS; block++)
    for (let last = 1; last < 255; last++) yield `127.${slot}.${block}.${last}`;
}

/** A port that has to be published somewhere, with the ports to try, best first. */
export interface WantedPort {
  readonly key: string;
  readonly host: string;
  readonly protocol: string;
  /** Set where the Service has one already that it keeps. */
  readonly kept: number | undefined;
  candidates(): Generator<number>;
}

/**
 * The ports of `service` that need publishing, on `loadBalancerIp` where it has one. Only TCP and UDP ports of Services with a
 * ClusterIP do, where this user may not bind them or where there is no address but one.
 */
export function planPublishedPorts(
  service: Readonly<Service>,
  loadBalancerIp: string | undefined,
  { slot, singleAddress, lowestPort }: Addresses,
): readonly WantedPort[] {
  const { clusterIP, ports = [], type } = service.spec;
  if (!clusterIP || clusterIP === "None" || type === "ExternalName") return [];
  const host = singleAddress ? LOOPBACK : (loadBalancerIp ?? clusterIP);
  const existing = publishedPortsOf(service);
  return ports.flatMap(({ port, protocol = "TCP" }): WantedPort[] => {
    if (protocol !== "TCP" && protocol !== "UDP") return [];
    if (!singleAddress && port >= lowestPort) return [];
    const key = `${port}/${protocol}`;
    const before = existing[key];
    // On an address of its own port 80 becomes 40080, which is easy to remember.
    const own = port < PORTS ? port : 0;
    const first = singleAddress ? (slot * PORTS_PER_SLOT) % PORTS : own;
    return [
      {
        key,
        host,
        protocol,
        kept: before?.host === host ? before.port : undefined,
        *candidates() {
          for (let i = 0; i < PORTS; i++) yield FIRST_PORT + ((first + i) % PORTS);
        },
      },
    ];
  });
}

/** What the Service's status must show; `ports` only where they are not the Service's own. */
export function planIngress(
  ip: string | undefined,
  published: PublishedPorts,
): readonly LoadBalancerIngress[] {
  if (!ip) return [];
  const ports = Object.entries(published).map(([key, { port }]) => ({
    port,
    protocol: key.slice(key.indexOf("/") + 1),
  }));
  return [{ ip, ipMode: "VIP", ...(ports.length > 0 ? { ports } : {}) }];
}
