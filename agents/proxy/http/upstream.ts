// The proxy's own connections to endpoints, kept alive between requests: one request at a time on each, the latest used first.
// An endpoint that leaves its Service loses its idle connections at once; those with a request finish it.
import type { Socket } from "node:net";
import type { Link } from "../balancer.ts";
import { createDelayLine, type DelayLine } from "../faults.ts";
import { connectTo } from "../tcp.ts";

/** Whose request is under way. */
export interface UpstreamUser {
  onAnswer(chunk: Buffer): void;
  /** No more comes: an end, or with `hadError` a failure. */
  onAnswerOver(hadError: boolean): void;
  onUpstreamDrain(): void;
}

export class Upstream {
  readonly socket: Socket;
  readonly link: Link;
  user: UpstreamUser | undefined;
  /** Has carried a request before: it may be about to be closed by the endpoint. */
  isUsed = false;
  idleSince = 0;
  idleLimitMs = IDLE_LIMIT_MS;
  private out: DelayLine<string | Buffer> | undefined;
  private in: DelayLine<Buffer | "end" | "failed"> | undefined;

  constructor(socket: Socket, link: Link, onIdleOver: (upstream: Upstream) => void) {
    this.socket = socket;
    this.link = link;
    socket.on("data", (chunk: Buffer) => this.arrived(chunk));
    socket.on("drain", () => this.user?.onUpstreamDrain());
    socket.once("end", () => this.arrived("end"));
    socket.once("close", (hadError) => {
      onIdleOver(this);
      this.arrived(hadError ? "failed" : "end");
    });
  }

  /** False: wait for onUpstreamDrain before there is more. */
  write(data: string | Buffer): boolean {
    if (!this.link.fault && (this.out?.idle ?? true)) return this.put(data);
    this.out ??= createDelayLine(this.link, (item) => this.put(item));
    this.out.push(data);
    return true;
  }

  private put(data: string | Buffer): boolean {
    if (this.socket.destroyed) return true;
    return typeof data === "string" ? this.socket.write(data, "latin1") : this.socket.write(data);
  }

  private arrived(what: Buffer | "end" | "failed"): void {
    if (!this.link.fault && (this.in?.idle ?? true)) {
      this.tell(what);
      return;
    }
    this.in ??= createDelayLine(this.link, (item) => this.tell(item));
    this.in.push(what);
  }

  private tell(what: Buffer | "end" | "failed"): void {
    if (typeof what !== "string") {
      // An answer to nothing.
      if (!this.user) this.socket.destroy();
      this.user?.onAnswer(what);
    } else if (this.user) this.user.onAnswerOver(what === "failed");
    else this.socket.destroy();
  }

  /** The socket is somebody else's now: without the listeners of this. */
  detach(): Socket {
    this.user = undefined;
    this.socket.removeAllListeners("data").removeAllListeners("drain");
    this.socket.removeAllListeners("end").removeAllListeners("close");
    return this.socket;
  }

  destroy(): void {
    this.user = undefined;
    this.in?.drop();
    this.out?.drop();
    this.socket.destroy();
  }
}

// Node's servers, which say so, close after five seconds; who says nothing is trusted for less.
const IDLE_LIMIT_MS = 4_000;
// An endpoint that closes just then would leave an answer unknown.
const MARGIN_MS = 1_000;
// What may not be sent twice goes over a connection that has just been used, or over a new one.
const FRESH_MS = 500;
const MOST_IDLE = 512;

export interface UpstreamPool {
  /** `done` gets a connection, or nothing where the endpoint refuses. Returns the way to give up. */
  acquire(
    link: Link,
    wish: { isRepeatable: boolean; isNew: boolean },
    done: (upstream: Upstream | undefined) => void,
  ): () => void;
  /** After a complete answer. */
  giveBack(upstream: Upstream, keepAliveMs: number | undefined): void;
}

export function createUpstreamPool(now: () => number): UpstreamPool {
  const idle = new Map<Link, Upstream[]>();
  const forget = (upstream: Upstream) => {
    const all = idle.get(upstream.link);
    const index = all?.indexOf(upstream) ?? -1;
    if (index >= 0) all?.splice(index, 1);
  };
  const takeIdle = (link: Link, isRepeatable: boolean): Upstream | undefined => {
    const all = idle.get(link);
    const limitMs = isRepeatable ? Number.POSITIVE_INFINITY : FRESH_MS;
    for (let upstream = all?.pop(); upstream; upstream = all?.pop()) {
      if (now() - upstream.idleSince < Math.min(upstream.idleLimitMs, limitMs)) return upstream;
      upstream.destroy();
    }
    return undefined;
  };
  const poolOf = (link: Link) => {
    const known = idle.get(link);
    if (known) return known;
    const all: Upstream[] = [];
    idle.set(link, all);
    link.onGone = () => {
      idle.delete(link);
      for (const upstream of all) upstream.destroy();
    };
    return all;
  };
  return {
    acquire(link, { isRepeatable, isNew }, done) {
      const upstream = isNew ? undefined : takeIdle(link, isRepeatable);
      if (!upstream) return connectTo(link, (socket) => done(socket && new Upstream(socket, link, forget)));
      done(upstream);
      return () => {};
    },
    giveBack(upstream, keepAliveMs) {
      upstream.user = undefined;
      const { link } = upstream;
      if (link.gone || upstream.socket.destroyed) return upstream.destroy();
      const all = poolOf(link);
      if (all.length >= MOST_IDLE) return upstream.destroy();
      upstream.isUsed = true;
      upstream.idleSince = now();
      upstream.idleLimitMs = keepAliveMs === undefined ? IDLE_LIMIT_MS : Math.max(keepAliveMs - MARGIN_MS, 0);
      all.push(upstream);
    },
  };
}
