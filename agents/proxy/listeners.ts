// Keeps one listening socket for each frontend that some Service claims. Of two Services that claim the same address and port
// the first is served, and the next takes over when it lets go. A socket that cannot be opened is tried again later.
import type { Socket } from "node:net";
import { type Balancer, type BalancerOptions, createBalancer } from "./balancer.ts";
import { answerHealth } from "./http/answer-health.ts";
import { serveHttp } from "./http/connection.ts";
import { createServiceSite } from "./http/service-site.ts";
import type { OpenSocket, SocketSource } from "./open-socket.ts";
import type { Frontend } from "./service-table.ts";
import { proxyConnection } from "./tcp.ts";

const RETRY_MS = 1_000;
const RETRY_MAX_MS = 30_000;
// What is under way when the proxy is told to stop may finish in this time: longer than a request, shorter than an impatient user.
const FINISH_MS = 500;

export interface ListenersOptions extends BalancerOptions {
  readonly sockets: SocketSource;
  /** Takes a connection that came to a port of Ingresses. */
  readonly serveIngress?: (client: Socket, isTls: boolean) => void;
  /** A socket cannot be opened; called once until it can be, or fails differently. `code` is the system's. */
  readonly onProblem: (serviceKey: string, frontend: Frontend, code: string) => void;
  /** A socket is open: `served` has grown. */
  readonly onOpen?: (() => void) | undefined;
}

export interface Listeners {
  /** `frontends` are now all those of the Service. */
  set(serviceKey: string, frontends: readonly Frontend[]): void;
  /** What is broken on purpose may have changed. */
  refreshFaults(): void;
  /** What is served now, one for each open socket. */
  served(): Frontend[];
  /** Resolves when every socket asked for so far is open or has failed once. */
  settled(): Promise<void>;
  /** Connections under way now. */
  connections(): number;
  /** Stops accepting, lets connections finish for a moment, cuts the rest. */
  stop(): Promise<void>;
}

interface Entry {
  readonly key: string;
  readonly claims: Map<string, Frontend>;
  readonly balancer: Balancer;
  socket?: OpenSocket | undefined;
  opening?: Promise<void> | undefined;
  cancelRetry?: (() => void) | undefined;
  failures: number;
  problem?: string;
}

export function createListeners(options: ListenersOptions): Listeners {
  const { sockets, clock, serveIngress, onProblem, onOpen } = options;
  const entries = new Map<string, Entry>();
  const keysOf = new Map<string, ReadonlySet<string>>();
  const clients = new Set<Socket>();
  let stopping = false;

  const accept = (balancer: Balancer) => {
    const site = createServiceSite(balancer, clock);
    return (client: Socket) => {
      clients.add(client);
      client.once("close", () => clients.delete(client));
      const { mode } = balancer.frontend;
      if (mode === "http") serveHttp(client, site);
      else if (mode === "ingress" || mode === "ingress-tls") serveIngress?.(client, mode === "ingress-tls");
      else if (mode === "health") answerHealth(client, balancer.frontend);
      else proxyConnection(client, balancer);
    };
  };

  const open = async (entry: Entry, [service, frontend]: [string, Frontend]) => {
    try {
      entry.socket = await sockets.open(frontend, accept(entry.balancer));
      entry.failures = 0;
      delete entry.problem;
      onOpen?.();
    } catch (error) {
      const code = (error as NodeJS.ErrnoException).code ?? String(error);
      if (entry.problem !== code) onProblem(service, frontend, code);
      entry.problem = code;
      const delayMs = Math.min(RETRY_MS * 2 ** entry.failures++, RETRY_MAX_MS);
      entry.cancelRetry = clock.after(delayMs, () => {
        entry.cancelRetry = undefined;
        refresh(entry);
      });
    }
    entry.opening = undefined;
    refresh(entry);
  };

  const refresh = (entry: Entry) => {
    const [claim] = entry.claims;
    if (claim) entry.balancer.update(claim[1]);
    // What is being opened is looked at again when it is open.
    if (entry.opening) return;
    if (stopping) entry.socket?.close();
    else if (!claim) {
      entry.cancelRetry?.();
      entry.socket?.giveUp();
      entries.delete(entry.key);
    } else if (!entry.socket && !entry.cancelRetry) entry.opening = open(entry, claim);
  };

  const claim = (service: string, frontend: Frontend) => {
    let entry = entries.get(frontend.key);
    if (!entry) {
      const balancer = createBalancer(frontend, options);
      entry = { key: frontend.key, claims: new Map(), balancer, failures: 0 };
      entries.set(frontend.key, entry);
    }
    entry.claims.set(service, frontend);
    refresh(entry);
  };

  return {
    set(service, frontends) {
      const keys = new Set(frontends.map(({ key }) => key));
      for (const key of keysOf.get(service) ?? []) {
        const entry = entries.get(key);
        if (keys.has(key) || !entry) continue;
        entry.claims.delete(service);
        refresh(entry);
      }
      if (keys.size > 0) keysOf.set(service, keys);
      else keysOf.delete(service);
      for (const frontend of frontends) claim(service, frontend);
    },
    refreshFaults() {
      for (const { balancer } of entries.values()) balancer.refreshFaults();
    },
    served: () =>
      [...entries.values()].flatMap(({ socket, claims }) => (socket ? [...claims.values()].slice(0, 1) : [])),
    async settled() {
      await Promise.all([...entries.values()].map((entry) => entry.opening));
    },
    connections: () => clients.size,
    async stop() {
      stopping = true;
      for (const entry of entries.values()) {
        entry.cancelRetry?.();
        refresh(entry);
      }
      const finished = [...clients].map((client) => new Promise((resolve) => client.once("close", resolve)));
      await Promise.race([Promise.all(finished), clock.sleep(FINISH_MS)]);
      for (const client of clients) client.destroy();
    },
  };
}
