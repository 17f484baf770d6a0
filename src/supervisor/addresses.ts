// Which addresses and ports this cluster may use on this machine: found out by trying, never by guessing from a name.
import { readFileSync } from "node:fs";
import { createServer, type Server } from "node:net";
import { holdSocket } from "../process/shared-handles.ts";

const FIRST_SLOT = 16;
const LAST_SLOT = 250;
const LOCK_PORT = 7443;
// Of 127.0.0.0/8, and no slot's.
const OTHER_ADDRESS = "127.251.252.253";

export interface Slot {
  readonly number: number;
  /** Gives it back. The operating system does the same when this process ends in any way. */
  release(): void;
}

function listenOn(host: string, port: number): Promise<Server | undefined> {
  return new Promise((resolve) => {
    const server = createServer((socket) => socket.destroy());
    server.once("error", () => resolve(undefined));
    server.listen({ host, port, exclusive: true }, () => resolve(server.unref()));
  });
}

/** Takes a free slot of 127.0.0.0/8, `preferred` if it is free. A listening socket holds it, so that clusters of all users see it. */
export async function claimSlot(
  preferred: number | undefined,
  random: () => number = Math.random,
): Promise<Slot> {
  const count = LAST_SLOT - FIRST_SLOT + 1;
  const start = Math.floor(random() * count);
  const order = Array.from({ length: count }, (_, step) => FIRST_SLOT + ((start + step) % count));
  for (const slot of preferred === undefined ? order : [preferred, ...order]) {
    const server = await listenOn(`127.${slot}.255.254`, LOCK_PORT);
    if (server) return { number: slot, release: () => server.close() };
  }
  throw new Error(
    `no free address range: all of 127.${FIRST_SLOT}.0.0 to 127.${LAST_SLOT}.0.0 are taken by other clusters (or port ${LOCK_PORT} is)`,
  );
}

/** In single-address mode there are no ranges to share out; the number only keeps published ports apart. */
export function anySlot(preferred: number | undefined, random: () => number = Math.random): Slot {
  return {
    number: preferred ?? FIRST_SLOT + Math.floor(random() * (LAST_SLOT - FIRST_SLOT + 1)),
    release() {},
  };
}

/** True where any address of 127.0.0.0/8 can be bound (Linux), false where only 127.0.0.1 can (macOS). */
export const hasManyAddresses = (): boolean => canBind(OTHER_ADDRESS, 0);

function canBind(host: string, port: number): boolean {
  try {
    holdSocket(host, port).close();
    return true;
  } catch {
    return false;
  }
}

/** The lowest port that this user may bind: 0 for root. */
export function findLowestPort(): number {
  try {
    const text = readFileSync("/proc/sys/net/ipv4/ip_unprivileged_port_start", "utf8");
    const start = Number(text);
    if (start === 0) return 0;
    // Root, or whoever has CAP_NET_BIND_SERVICE, may go lower: see whether it is so.
    return canBind("127.0.0.1", start - 1) || canBind(OTHER_ADDRESS, start - 1) ? 0 : start;
  } catch {
    return process.getuid?.() === 0 ? 0 : 1024;
  }
}
