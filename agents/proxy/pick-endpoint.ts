// Pure choice of the endpoint that takes a connection. What it remembers between connections is handed in.
import type { Backend } from "./endpoints.ts";

export interface PickOptions<T extends Backend> {
  /** Counts the connections of this frontend: round robin starts here. */
  readonly turn: number;
  /** Not now: it has just refused. Taken all the same when every other one is out of the question. */
  readonly isAvoided: (backend: T) => boolean;
  /** Tried already for this connection, or as busy as it may be: never. */
  readonly isTried: (backend: T) => boolean;
  /** How much it has to do: the least busy is taken, of equals the next in turn. */
  readonly busy?: (backend: T) => number;
}

/** The next endpoint in turn, or the least busy one; undefined when all were tried. */
export function pickEndpoint<T extends Backend>(
  backends: readonly T[],
  { turn, isAvoided, isTried, busy }: PickOptions<T>,
): T | undefined {
  let best: T | undefined;
  let lastResort: T | undefined;
  for (let step = 0; step < backends.length; step++) {
    const backend = backends[(turn + step) % backends.length];
    if (!backend || isTried(backend)) continue;
    if (isAvoided(backend)) lastResort ??= backend;
    else if (!busy) return backend;
    else if (!best || busy(backend) < busy(best)) best = backend;
  }
  return best ?? lastResort;
}

/**
 * The endpoints in the order in which `client` prefers them (rendezvous hashing), so that two workers, which share no memory,
 * give a new client the same endpoint, and the end of one endpoint moves only its own clients.
 */
export function preferredOrder<T extends Backend>(backends: readonly T[], client: string): T[] {
  return backends
    .map((backend) => ({ backend, weight: hash(`${client} ${backend.key}`) }))
    .sort((a, b) => b.weight - a.weight || (a.backend.key < b.backend.key ? -1 : 1))
    .map(({ backend }) => backend);
}

/** FNV-1a with a final mix: spreads well over short, similar texts. */
function hash(text: string): number {
  let value = 0x811c9dc5;
  for (let index = 0; index < text.length; index++) {
    value = Math.imul(value ^ text.charCodeAt(index), 0x01000193);
  }
  value = Math.imul(value ^ (value >>> 16), 0x85ebca6b);
  value = Math.imul(value ^ (value >>> 13), 0xc2b2ae35);
  return (value ^ (value >>> 16)) >>> 0;
}
