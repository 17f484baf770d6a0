// What one frontend remembers between connections: whose turn it is, who has just refused, which client belongs where.
import type { Clock } from "../../src/base/clock.ts";
import { pickEndpoint, preferredOrder } from "./pick-endpoint.ts";
import type { Backend, Frontend } from "./service-table.ts";

// A restarted process listens again within about this time; until then others are asked first.
const AVOID_MS = 1_000;
// Beyond this many clients the ones whose time is over are forgotten.
const AFFINITY_SWEEP = 4_096;

export interface Balancer {
  /** The state of the API: takes effect with the next connection, existing ones stay. */
  update(frontend: Frontend): void;
  /** The endpoint for a connection of `client` that has tried those of `tried` in vain. */
  pick(client: string, tried: ReadonlySet<string>): Backend | undefined;
  refused(backend: Backend): void;
}

/** `firstTurn` differs between workers, so that they do not all begin with the same endpoint. */
export function createBalancer(first: Frontend, clock: Clock, firstTurn = 0): Balancer {
  let frontend = first;
  let turn = firstTurn;
  const avoidedUntil = new Map<string, number>();
  const affinity = new Map<string, { key: string; until: number }>();

  const isAvoided = ({ key }: Backend) => {
    const until = avoidedUntil.get(key);
    if (until === undefined) return false;
    if (until > clock.now()) return true;
    avoidedUntil.delete(key);
    return false;
  };
  const forgetOldClients = (now: number) => {
    if (affinity.size < AFFINITY_SWEEP) return;
    for (const [client, { until }] of affinity) if (until <= now) affinity.delete(client);
  };
  const pickForClient = (client: string, isTried: (backend: Backend) => boolean) => {
    const now = clock.now();
    const known = affinity.get(client);
    const kept = known && known.until > now && frontend.backends.find(({ key }) => key === known.key);
    const backend =
      kept && !isTried(kept)
        ? kept
        : pickEndpoint(preferredOrder(frontend.backends, client), { turn: 0, isAvoided, isTried });
    if (backend) {
      forgetOldClients(now);
      affinity.set(client, { key: backend.key, until: now + frontend.affinityMs });
    }
    return backend;
  };

  return {
    update(next) {
      frontend = next;
      const present = new Set(next.backends.map(({ key }) => key));
      for (const key of avoidedUntil.keys()) if (!present.has(key)) avoidedUntil.delete(key);
    },
    pick(client, tried) {
      const isTried = ({ key }: Backend) => tried.has(key);
      if (frontend.affinityMs > 0) return pickForClient(client, isTried);
      if (tried.size === 0) turn = (turn + 1) % Number.MAX_SAFE_INTEGER;
      return pickEndpoint(frontend.backends, { turn, isAvoided, isTried });
    },
    refused({ key }) {
      avoidedUntil.set(key, clock.now() + AVOID_MS);
    },
  };
}
