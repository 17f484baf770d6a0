// Pure choice of the endpoint that takes a connection. What it remembers between connections is handed in.
import type { Backend } from "./service-table.ts";

export interface PickOptions {
  /** Counts the connections of this frontend: round robin starts here. */
  readonly turn: number;
  /** Not now: it has just refused. Taken all the same when every other one is out of the question. */
  readonly isAvoided: (backend: Backend) => boolean;
  /** Tried already for this connection: never again. */
  readonly isTried: (backend: Backend) => boolean;
}

/** The next endpoint in turn; undefined when all were tried. */
export function pickEndpoint(
  backends: readonly Backend[],
  { turn, isAvoided, isTried }: PickOptions,
): Backend | undefined {
  let lastResort: Backend | undefined;
  for (let step = 0; step < backends.length; step++) {
    const backend = backends[(turn + step) % backends.length];
    if (!backend || isTried(backend)) continue;
    if (!isAvoided(backend)) return backend;
    lastResort ??= backend;
  }
  return lastResort;
}

/**
 * The endpoints in the order in which `client` prefers them (rendezvous hashing), so that two workers, which share no memory,
 * give a new client the same endpoint, and the end of one endpoint moves only its own clients.
 */
export function preferredOrder(backends: readonly Backend[], client: string): Backend[] {
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
