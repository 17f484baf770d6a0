// One client's HTTP/1 connection: reads request after request and has each answered by itself (exchange.ts). It is kept for as long as
// the client wants, whatever becomes of endpoints.
import { STATUS_CODES } from "node:http";
import type { Socket } from "node:net";
import { createPassage, type Passage, resetSocket } from "../passage.ts";
import { type Asker, Exchange, type HttpTarget, type RefusalStatus } from "./exchange.ts";
import { parseRequestHead, type RequestHead, withoutFields } from "./head.ts";
import type { Upstream } from "./upstream.ts";

export interface Refusal {
  readonly status: RefusalStatus;
  readonly why: string;
}

/** What is served at a socket. */
export interface HttpSite {
  route(head: RequestHead): HttpTarget | Refusal;
  /** Headers that a request gets, beside X-Forwarded-For: lines with their ends. The client's own of these names count for nothing. */
  addedHeaders?(head: RequestHead): string;
  /** HTTP/2 without TLS is not read here: who speaks it is passed through, where there is one place to go. */
  passThrough?(client: Socket): void;
  /** A connection on which nothing passes for so long is ended; 0: never. */
  readonly idleMs: number;
}

const LONGEST_HEAD = 64 * 1024;
const END_OF_HEAD = Buffer.from("\r\n\r\n");
const HTTP2_PREFACE = Buffer.from("PRI * HTTP/2.0");

const FORWARDED_FOR: ReadonlySet<string> = new Set(["x-forwarded-for"]);
const FORWARDED: ReadonlySet<string> = new Set([
  "x-forwarded-for",
  "x-forwarded-proto",
  "x-forwarded-host",
  "x-scheme",
]);

export function serveHttp(client: Socket, site: HttpSite): void {
  new HttpConnection(client, site);
}

class HttpConnection implements Asker {
  readonly address: string;
  private readonly client: Socket;
  private readonly site: HttpSite;
  private rest: Buffer | undefined;
  private exchange: Exchange | undefined;
  private tunnel: Passage | undefined;
  private isFirst = true;
  private isEnded = false;
  private isClosing = false;

  constructor(client: Socket, site: HttpSite) {
    this.client = client;
    this.site = site;
    this.address = client.remoteAddress ?? "";
    if (site.idleMs > 0) client.setTimeout(site.idleMs, () => client.destroy());
    client.on("error", () => client.destroy());
    client.on("data", this.onData);
    client.on("drain", this.onDrain);
    client.once("end", this.onEnd);
    client.once("close", this.onClose);
  }

  private readonly onData = (chunk: Buffer): void => {
    if (this.tunnel) this.tunnel.take(chunk);
    else if (!this.exchange) this.read(this.rest ? Buffer.concat([this.rest, chunk]) : chunk);
    else if (this.exchange.isRequestComplete) {
      // The next request is here before the answer: it waits, and what follows it waits with the client.
      this.rest = this.rest ? Buffer.concat([this.rest, chunk]) : chunk;
      this.client.pause();
    } else this.readBody(this.exchange, chunk, 0);
  };

  private read(chunk: Buffer): void {
    this.rest = undefined;
    if (this.isClosing) return;
    let start = 0;
    // Blank lines between requests are allowed (RFC 9112, 2.2).
    while (chunk[start] === 13 || chunk[start] === 10) start++;
    if (start === chunk.length) return;
    if (this.isFirst && this.isHttp2(chunk)) return;
    const end = chunk.indexOf(END_OF_HEAD, start);
    if (end < 0) {
      if (chunk.length > LONGEST_HEAD) {
        this.refuse(431, "the request's head is too long");
        return;
      }
      this.rest = chunk;
      return;
    }
    this.isFirst = false;
    const head = parseRequestHead(chunk.toString("latin1", start, end + 2));
    if ("bad" in head) {
      this.refuse(head.bad, head.why);
      return;
    }
    this.begin(head, chunk, end + 4);
  }

  private begin(head: RequestHead, chunk: Buffer, bodyStart: number): void {
    if (head.method === "CONNECT") {
      this.refuse(501, "CONNECT is not served here");
      return;
    }
    const target = this.site.route(head);
    if ("status" in target) {
      this.refuse(target.status, target.why);
      return;
    }
    const exchange = new Exchange(this, target, { head, text: this.forwarded(head) });
    this.exchange = exchange;
    if (!this.readBody(exchange, chunk, bodyStart)) return;
    exchange.dispatch();
  }

  private forwarded(head: RequestHead): string {
    const { forward, forwardedFor } = head;
    const added = this.site.addedHeaders?.(head) ?? "";
    const names = added ? FORWARDED : FORWARDED_FOR;
    const own = forwardedFor === undefined && !added ? forward : withoutFields(forward, names);
    const way = forwardedFor === undefined ? this.address : `${forwardedFor}, ${this.address}`;
    return `${own}X-Forwarded-For: ${way}\r\n${added}\r\n`;
  }

  /** False: the body is malformed, and the client has been told. */
  private readBody(exchange: Exchange, chunk: Buffer, from: number): boolean {
    const end = exchange.takeBody(chunk, from);
    if (end < 0) {
      exchange.abandon();
      this.exchange = undefined;
      this.refuse(400, "the body's chunks cannot be read");
      return false;
    }
    if (end < chunk.length) {
      this.rest = chunk.subarray(end);
      this.client.pause();
    }
    return true;
  }

  private isHttp2(chunk: Buffer): boolean {
    if (!this.site.passThrough) return false;
    const length = Math.min(chunk.length, HTTP2_PREFACE.length);
    if (chunk.compare(HTTP2_PREFACE, 0, length, 0, length) !== 0) return false;
    if (length < HTTP2_PREFACE.length) {
      this.rest = chunk;
      return true;
    }
    this.client.off("data", this.onData).off("drain", this.onDrain).off("end", this.onEnd);
    this.client.off("close", this.onClose).pause();
    this.client.unshift(chunk);
    this.site.passThrough(this.client);
    return true;
  }

  write(data: string | Buffer): boolean {
    if (this.client.destroyed) return true;
    return typeof data === "string" ? this.client.write(data, "latin1") : this.client.write(data);
  }

  holdBody(held: boolean): void {
    if (held) this.client.pause();
    else this.client.resume();
  }

  finished(close: boolean): void {
    this.exchange = undefined;
    if (close) {
      this.close();
      return;
    }
    const { rest } = this;
    if (rest) this.read(rest);
    if (!this.exchange) this.client.resume();
  }

  refuse(status: RefusalStatus, why: string): void {
    this.exchange = undefined;
    const body = `${why}\n`;
    this.write(
      `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nContent-Type: text/plain; charset=utf-8\r\n` +
        `Content-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`,
    );
    this.close();
  }

  /** Ends once all is written. What the client still sends is read and dropped, or it would be reset before it has read the answer. */
  private close(): void {
    this.isClosing = true;
    this.client.end();
    this.client.resume();
  }

  abort(): void {
    this.exchange = undefined;
    resetSocket(this.client);
  }

  upgraded(upstream: Upstream, head: Buffer): void {
    const { link, release } = (this.exchange as Exchange).handOver();
    this.exchange = undefined;
    const server = upstream.detach();
    const toClient = createPassage(server, this.client, link);
    this.tunnel = createPassage(this.client, server, link);
    if (head.length > 0) toClient.take(head);
    if (this.rest) this.tunnel.take(this.rest);
    this.rest = undefined;
    server.on("data", (chunk: Buffer) => toClient.take(chunk));
    server.once("end", () => toClient.end());
    server.once("close", (hadError) => {
      release();
      if (hadError) toClient.reset();
      else if (!server.readableEnded) toClient.cut();
    });
    server.resume();
    this.client.resume();
  }

  private readonly onDrain = (): void => {
    this.exchange?.onClientDrain();
  };

  private readonly onEnd = (): void => {
    this.isEnded = true;
    if (this.tunnel) this.tunnel.end();
    else if (!this.exchange) this.client.end();
    // Unlike Kubernetes: it counts as gone, since a client that ends its side and still waits for the answer looks the same.
    else this.client.destroy();
  };

  private readonly onClose = (hadError: boolean): void => {
    this.exchange?.abandon();
    this.exchange = undefined;
    if (!this.tunnel) return;
    if (hadError) this.tunnel.reset();
    else if (!this.isEnded) this.tunnel.cut();
  };
}
