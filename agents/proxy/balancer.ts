// What one frontend remembers between connections: whose turn it is, who has just refused, how much each endpoint has to do,
// which client belongs where.
import type { Clock } from "../../src/base/clock.ts";
import type { Backend } from "./endpoints.ts";
import type { LinkFault } from "./faults.ts";
import { pickEndpoint, preferredOrder } from "./pick-endpoint.ts";
import type { Frontend } from "./service-table.ts";
import type { Traffic } from "./traffic.ts";

// A restarted process listens again within about this time; until then others are asked first.
const AVOID_MS = 1_000;
// Beyond this many clients the ones whose time is over are forgotten.
const AFFINITY_SWEEP = 4_096;

/** One endpoint of one frontend, as this worker knows it. Connections keep theirs when the endpoint is gone from the frontend. */
export interface Link extends Backend {
  /** Connections (in HTTP mode: requests) under way; whoever picked it counts them. */
  active: number;
  avoidedUntil: number;
  /** The frontend sends it nothing new any more. */
  gone: boolean;
  fault: LinkFault | undefined;
  /** Called once, when it is gone. */
  onGone: (() => void) | undefined;
}

export interface Balancer {
  readonly frontend: Frontend;
  /** Told of what has ended. */
  readonly traffic: Traffic | undefined;
  /** The state of the API: takes effect with the next connection, existing ones stay. */
  update(frontend: Frontend): void;
  /** The endpoint for a connection of `client` (its address) that has tried those of `tried` in vain. */
  pick(client: string, tried: ReadonlySet<string>): Link | undefined;
  /** The endpoint for a client is being used, and is not any more. */
  take(link: Link): void;
  release(link: Link): void;
  /** Some endpoint would take the connection if it had less to do. */
  readonly isFull: boolean;
  /** Calls `retry` once, when an endpoint has room or is new. Returns the way to take that back. */
  whenFree(retry: () => void): () => void;
  refused(link: Link): void;
  /** What is broken on purpose may have changed. */
  refreshFaults(): void;
}

export interface BalancerOptions {
  readonly clock: Clock;
  /** Differs between workers, so that they do not all begin with the same endpoint. */
  readonly firstTurn?: number;
  /** Among how many workers a frontend's limit is shared out. */
  readonly workersOf?: (frontend: Frontend) => number;
  /** The node from which `address` comes. */
  readonly nodeOf?: (address: string) => string | undefined;
  readonly traffic?: Traffic | undefined;
  readonly faultOf?: (frontend: Frontend, backend: Backend) => LinkFault | undefined;
}

const NO_LINKS: readonly Link[] = [];

export function createBalancer(first: Frontend, options: BalancerOptions): Balancer {
  const { clock, firstTurn = 0, workersOf = () => 1, nodeOf, faultOf } = options;
  let frontend = first;
  let turn = firstTurn;
  const links = new Map<string, Link>();
  let everywhere: readonly Link[] = [];
  let byNode: ReadonlyMap<string, readonly Link[]> | undefined;
  const affinity = new Map<string, { key: string; until: number }>();

  const linkOf = (backend: Backend): Link => {
    const known = links.get(backend.key);
    // Another pod may have come to the same address: it has refused nothing yet.
    if (known && known.pod === backend.pod) return known;
    const link = { ...backend, active: 0, avoidedUntil: 0, gone: false, fault: undefined, onGone: undefined };
    if (known) drop(known);
    links.set(backend.key, link);
    return link;
  };
  const drop = (link: Link) => {
    link.gone = true;
    link.onGone?.();
    link.onGone = undefined;
  };
  const follow = (next: Frontend) => {
    frontend = next;
    everywhere = next.backends.map(linkOf);
    byNode = next.byNode && new Map([...next.byNode].map(([node, backends]) => [node, backends.map(linkOf)]));
    const wanted = new Set([...everywhere, ...[...(byNode?.values() ?? [])].flat()]);
    for (const link of links.values())
      if (!wanted.has(link)) {
        links.delete(link.key);
        drop(link);
      }
    refreshFaults();
    wakeWaiting();
  };
  const waiting = new Set<() => void>();
  const wakeOne = () => {
    const [retry] = waiting;
    if (!retry) return;
    waiting.delete(retry);
    retry();
  };
  /** Each once, as long as there is room; all, where there is nothing left to wait for. */
  const wakeWaiting = () => {
    for (let left = waiting.size; left > 0; left--) {
      if (everywhere.length > 0 && everywhere.every(isFull)) return;
      wakeOne();
    }
  };
  const refreshFaults = () => {
    for (const link of links.values()) {
      const fault = faultOf?.(frontend, link);
      const before = link.fault;
      if (before === fault) continue;
      link.fault = fault;
      before?.left(link);
    }
  };
  const isFull = (link: Link) =>
    frontend.balancing.maxConnections > 0 &&
    link.active >= Math.ceil(frontend.balancing.maxConnections / workersOf(frontend));
  follow(first);

  const candidatesOf = (client: string) => {
    const node = byNode && nodeOf?.(client);
    return node === undefined ? everywhere : (byNode?.get(node) ?? NO_LINKS);
  };
  const isAvoided = (link: Link) => link.avoidedUntil > 0 && link.avoidedUntil > clock.now();
  const forgetOldClients = (now: number) => {
    if (affinity.size < AFFINITY_SWEEP) return;
    for (const [client, { until }] of affinity) if (until <= now) affinity.delete(client);
  };
  const pickForClient = (client: string, candidates: readonly Link[], isTried: (link: Link) => boolean) => {
    const now = clock.now();
    const known = affinity.get(client);
    const kept = known && known.until > now && candidates.find(({ key }) => key === known.key);
    const link =
      kept && !isTried(kept)
        ? kept
        : pickEndpoint(preferredOrder(candidates, client), { turn: 0, isAvoided, isTried });
    if (link) {
      forgetOldClients(now);
      affinity.set(client, { key: link.key, until: now + frontend.affinityMs });
    }
    return link;
  };

  return {
    get frontend() {
      return frontend;
    },
    traffic: options.traffic,
    update: follow,
    refreshFaults,
    take(link) {
      link.active++;
    },
    release(link) {
      link.active--;
      if (waiting.size > 0) wakeOne();
    },
    get isFull() {
      return everywhere.some(isFull);
    },
    whenFree(retry) {
      waiting.add(retry);
      return () => waiting.delete(retry);
    },
    pick(client, tried) {
      const candidates = candidatesOf(client);
      const isTried = (link: Link) => tried.has(link.key) || isFull(link);
      if (frontend.affinityMs > 0) return pickForClient(client, candidates, isTried);
      switch (frontend.balancing.mode) {
        case "source-address":
          return pickEndpoint(preferredOrder(candidates, client), { turn: 0, isAvoided, isTried });
        case "random":
          turn = Math.floor(Math.random() * 2 ** 31);
          break;
        default:
          if (tried.size === 0) turn = (turn + 1) % Number.MAX_SAFE_INTEGER;
      }
      const leastBusy = frontend.balancing.mode === "least-connections";
      return pickEndpoint(candidates, {
        turn,
        isAvoided,
        isTried,
        ...(leastBusy ? { busy: (link: Link) => link.active } : {}),
      });
    },
    refused(link) {
      link.avoidedUntil = clock.now() + AVOID_MS;
    },
  };
}
