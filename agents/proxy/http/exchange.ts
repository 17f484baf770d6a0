// One request and its answer: picks an endpoint, sends, and passes the answer on with back-pressure. When the endpoint dies before the
// first byte of its answer, a request that may be repeated is, on another one; else the client gets a 502 that names the endpoint.
import type { TrafficOutcome } from "../../../src/api/traffic.ts";
import type { Balancer, Link } from "../balancer.ts";
import type { TrafficEnd } from "../traffic.ts";
import { type BodyScanner, scanBody } from "./body.ts";
import { parseResponseHead, type RequestHead, type ResponseHead, UNTIL_CLOSE } from "./head.ts";
import { isIdempotentMethod } from "./safe-request.ts";
import type { Upstream, UpstreamPool, UpstreamUser } from "./upstream.ts";

/** Where requests of a Service port go. */
export interface HttpTarget {
  readonly balancer: Balancer;
  readonly pool: UpstreamPool;
}

/** The client's side, as an exchange sees it. */
export interface Asker {
  readonly address: string;
  /** False: wait for `onClientDrain`. */
  write(data: string | Buffer): boolean;
  /** The rest of the request's body is welcome, or not now. */
  holdBody(held: boolean): void;
  /** The answer is complete; with `close` the connection ends after it. */
  finished(close: boolean): void;
  /** Nothing has been answered yet: the proxy answers by itself. */
  refuse(status: RefusalStatus, why: string): void;
  /** Something has been answered, and no more comes of it. */
  abort(): void;
  /** The endpoint speaks another protocol from here on; `head` is what it has said so far. */
  upgraded(upstream: Upstream, head: Buffer): void;
}

export type RefusalStatus = 400 | 404 | 431 | 501 | 502 | 503 | 505;

// What is kept of a body so that it can be sent again.
const MOST_KEPT_BYTES = 64 * 1024;
const LONGEST_HEAD = 64 * 1024;
// Up to here head and body are cheaper as one text than as two buffers.
const ONE_WRITE_BYTES = 8 * 1024;
const END_OF_HEAD = Buffer.from("\r\n\r\n");
const NONE: ReadonlySet<string> = new Set();

export class Exchange implements UpstreamUser {
  private readonly asker: Asker;
  private readonly target: HttpTarget;
  private readonly head: RequestHead;
  private readonly request: BodyScanner;
  /** What has been said so far, as long as it can be said again. */
  private kept: (string | Buffer)[] | undefined;
  private keptBytes = 0;
  private tried: ReadonlySet<string> = NONE;
  private needsNew = false;
  private link: Link | undefined;
  private upstream: Upstream | undefined;
  private cancel: (() => void) | undefined;
  private isSent = false;
  private readonly startedAt = performance.now();
  private lastLink: Link | undefined;
  private bytesIn = 0;
  private bytesOut = 0;
  private begun: Buffer | undefined;
  private response: ResponseHead | undefined;
  private body: BodyScanner | undefined;

  /** `text`: the head as the endpoint gets it. */
  constructor(asker: Asker, target: HttpTarget, { head, text }: { head: RequestHead; text: string }) {
    this.asker = asker;
    this.target = target;
    this.head = head;
    this.request = scanBody(head.framing);
    this.kept = [text];
  }

  get isRequestComplete(): boolean {
    return this.request.done;
  }

  /** Reads the body in `chunk` from `from`; returns where it ends, or -1 when it is malformed. */
  takeBody(chunk: Buffer, from: number): number {
    const end = this.request.take(chunk, from);
    if (this.request.broken) return -1;
    if (end === from) return end;
    const part = chunk.subarray(from, end);
    this.bytesIn += part.length;
    this.keptBytes += part.length;
    if (this.isSent && this.keptBytes > MOST_KEPT_BYTES) this.kept = undefined;
    this.kept?.push(part);
    if (this.isSent && this.upstream?.write(part) === false) this.asker.holdBody(true);
    return end;
  }

  /** Asks an endpoint; call it once, with the first part of the body taken. */
  dispatch(): void {
    const { balancer, pool } = this.target;
    const link = balancer.pick(this.asker.address, this.tried);
    if (!link) {
      this.refuse();
      return;
    }
    this.link = link;
    this.lastLink = link;
    balancer.take(link);
    if (!this.request.done) this.asker.holdBody(true);
    let isNow = true;
    const isRepeatable = isIdempotentMethod(this.head.method);
    const cancel = pool.acquire(link, { isRepeatable, isNew: this.needsNew }, (upstream) => {
      isNow = false;
      this.cancel = undefined;
      if (upstream) this.send(upstream);
      else this.another(true);
    });
    if (isNow) this.cancel = cancel;
  }

  private send(upstream: Upstream): void {
    this.upstream = upstream;
    upstream.user = this;
    let hasRoom = true;
    for (const part of this.kept ?? []) hasRoom = upstream.write(part);
    this.isSent = true;
    if (!isIdempotentMethod(this.head.method) || this.keptBytes > MOST_KEPT_BYTES) this.kept = undefined;
    if (!this.request.done && hasRoom) this.asker.holdBody(false);
  }

  private another(isRefused: boolean): void {
    const { balancer } = this.target;
    const link = this.link as Link;
    balancer.release(link);
    // An idle connection that the endpoint has just given up says nothing about the endpoint.
    if (isRefused || !this.upstream?.isUsed) {
      balancer.refused(link);
      this.tried = new Set(this.tried).add(link.key);
    }
    this.needsNew = this.upstream?.isUsed === true;
    this.upstream = undefined;
    this.isSent = false;
    this.dispatch();
  }

  private refuse(): void {
    const { service } = this.target.balancer.frontend;
    const all = [...this.tried];
    this.report(all.length === 0 ? "no-endpoint" : "refused");
    if (all.length === 0) this.asker.refuse(503, `Service ${service} has no endpoint that could answer`);
    else this.asker.refuse(502, `no endpoint of Service ${service} could be reached: ${all.join(", ")}`);
  }

  onAnswer(chunk: Buffer): void {
    if (this.body) {
      this.passBody(chunk, 0);
      return;
    }
    const all = this.begun ? Buffer.concat([this.begun, chunk]) : chunk;
    const end = all.indexOf(END_OF_HEAD);
    if (end >= 0) {
      this.answerHead(all, end);
      return;
    }
    this.begun = all;
    if (all.length > LONGEST_HEAD) this.fail("answered with too long a head");
  }

  private answerHead(all: Buffer, end: number): void {
    const { method } = this.head;
    const response = parseResponseHead(all.toString("latin1", 0, end + 2), method);
    if (!response) {
      this.fail("did not answer in HTTP/1.1");
      return;
    }
    const next = end + 4;
    this.kept = undefined;
    if (response.status === 101 && !this.head.upgrade) {
      this.fail("began another protocol unasked");
      return;
    }
    if (response.status === 101 && this.upstream) {
      this.asker.write(`${response.forward}\r\n`);
      this.asker.upgraded(this.upstream, all.subarray(next));
      return;
    }
    if (response.status < 200) {
      this.begun = undefined;
      // A client of HTTP/1.0 knows no interim answers.
      if (!this.head.isOld) this.asker.write(`${response.forward}\r\n`);
      if (next < all.length) this.onAnswer(all.subarray(next));
      return;
    }
    this.response = response;
    this.body = scanBody(response.framing);
    const bodyEnd = this.body.take(all, next);
    const text = `${response.forward}${this.willClose ? "Connection: close\r\n\r\n" : "\r\n"}`;
    if (bodyEnd - next <= ONE_WRITE_BYTES) this.write(text + all.toString("latin1", next, bodyEnd));
    else {
      this.asker.write(text);
      this.write(all.subarray(next, bodyEnd));
    }
    this.afterBody(all.length - bodyEnd);
  }

  private passBody(chunk: Buffer, from: number): void {
    const end = (this.body as BodyScanner).take(chunk, from);
    this.write(end === chunk.length && from === 0 ? chunk : chunk.subarray(from, end));
    this.afterBody(chunk.length - end);
  }

  private afterBody(excess: number): void {
    const { body } = this;
    if (body?.broken) this.cutShort();
    else if (body?.done) this.finish(excess === 0);
  }

  private write(data: string | Buffer): void {
    this.bytesOut += data.length;
    if (!this.asker.write(data)) this.upstream?.socket.pause();
  }

  /** The client's connection ends after this answer. */
  private get willClose(): boolean {
    return this.head.close || this.response?.framing === UNTIL_CLOSE || !this.request.done;
  }

  private finish(isClean: boolean): void {
    const { upstream, response, target, link } = this;
    const close = this.willClose;
    this.report("ok");
    if (link) target.balancer.release(link);
    this.upstream = undefined;
    this.link = undefined;
    if (upstream && isClean && !response?.close && this.request.done) {
      upstream.socket.resume();
      target.pool.giveBack(upstream, response?.keepAliveMs);
    } else upstream?.destroy();
    this.asker.finished(close);
  }

  onAnswerOver(hadError: boolean): void {
    if (this.body) {
      if (!hadError && this.response?.framing === UNTIL_CLOSE) this.finish(false);
      else this.cutShort();
      return;
    }
    this.upstream?.destroy();
    if (this.kept && !this.begun) this.another(false);
    else this.fail("ended the connection before it had answered");
  }

  private cutShort(): void {
    this.report("died", "the answer was cut short");
    this.drop(() => this.asker.abort());
  }

  private report(outcome: TrafficOutcome, reason?: string): void {
    const { traffic, frontend } = this.target.balancer;
    traffic?.ended({
      service: frontend.service,
      protocol: "http",
      outcome,
      durationMs: performance.now() - this.startedAt,
      details: () => this.details(reason),
    });
  }

  private details(reason: string | undefined): ReturnType<TrafficEnd["details"]> {
    const { lastLink: link, tried, head, response } = this;
    return {
      ...(reason ? { reason } : {}),
      client: this.asker.address,
      ...(link ? { endpoint: link.key, pod: link.pod, node: link.node } : {}),
      ...(tried.size > 0 ? { tried: [...tried] } : {}),
      method: head.method,
      path: head.target.replace(/[?#].*$/, ""),
      ...(response ? { status: response.status } : {}),
      bytesIn: this.bytesIn,
      bytesOut: this.bytesOut,
    };
  }

  onUpstreamDrain(): void {
    if (!this.request.done) this.asker.holdBody(false);
  }

  onClientDrain(): void {
    this.upstream?.socket.resume();
  }

  /** The client is gone. */
  abandon(): void {
    this.report("client-left");
    this.drop(() => {});
  }

  private fail(what: string): void {
    const { link } = this;
    if (link) this.target.balancer.refused(link);
    this.report("died", what);
    const where = [link?.pod && `pod ${link.pod}`, link?.node && `node ${link.node}`]
      .filter(Boolean)
      .join(", ");
    this.drop(() => this.asker.refuse(502, `endpoint ${link?.key}${where && ` (${where})`} ${what}`));
  }

  private drop(then: () => void): void {
    this.cancel?.();
    this.upstream?.destroy();
    if (this.link) this.target.balancer.release(this.link);
    this.upstream = undefined;
    this.link = undefined;
    then();
  }

  /** The connection is the tunnel's; `release` is called when that ends. */
  handOver(): { link: Link; release: () => void } {
    const { link, target } = this;
    const release = () => {
      this.report("ok");
      target.balancer.release(link as Link);
    };
    this.link = undefined;
    this.upstream = undefined;
    return { link: link as Link, release };
  }
}
