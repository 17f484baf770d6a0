// The API over HTTP/1.1, whatever carries it (https-transport.ts, local-transport.ts). Requests share a few kept-alive connections; each
// watch has one of its own. A request that gets no byte for REQUEST_TIMEOUT_MS fails; nothing here retries but what a closing idle connection lost.
import type { Agent, ClientRequest, IncomingMessage, RequestOptions } from "node:http";
import { StatusError } from "../api/status-error.ts";
import { systemClock } from "../base/clock.ts";
import { failureOf } from "./create-client.ts";
import type { Link } from "./link.ts";
import type { Transport, TransportRequest, TransportResponse, WatchEvent } from "./transport.ts";

const REQUEST_TIMEOUT_MS = 32_000;
// A watch that asked for a time limit and is silent for this much longer is dead.
const WATCH_GRACE_MS = 15_000;

/** How an agent keeps the connections of requests: enough that a burst of status writes is not queued behind a slow one, few enough to be cheap. */
export const REQUEST_AGENT = { keepAlive: true, maxSockets: 3, scheduling: "lifo" } as const;

/** What carries requests to one server. */
export interface Wire {
  /** The server, as errors name it. */
  readonly server: string;
  readonly requests: Agent;
  /** Of one connection a request. */
  readonly watches: Agent;
  request(options: RequestOptions): ClientRequest;
}

export interface HttpTransportOptions {
  readonly userAgent?: string;
  readonly requestTimeoutMs?: number;
  /** The server may still be starting: until it has answered once, a refused connection is tried again. */
  readonly awaitServer?: boolean;
  /** Carries every request, watches too. */
  readonly link?: Link;
}

const REFUSED_PAUSE_MS = 10;
const LONGEST_AWAIT_MS = 60_000;

export function createHttpTransport(wire: Wire, options: HttpTransportOptions): Transport {
  const { requests, watches } = wire;
  const timeoutMs = options.requestTimeoutMs ?? REQUEST_TIMEOUT_MS;
  const headers = { accept: "application/json", "user-agent": options.userAgent ?? "kubemu" };

  const awaitUntil = options.awaitServer ? systemClock.now() + LONGEST_AWAIT_MS : 0;
  let answered = false;
  const isStarting = (error: unknown) =>
    !answered && (error as NodeJS.ErrnoException).code === "ECONNREFUSED" && systemClock.now() < awaitUntil;

  const open = (wanted: TransportRequest, agent: Agent, silentMs: number): ClientRequest => {
    // As text, which Node sends in one piece with the head.
    const body = wanted.body === undefined ? undefined : JSON.stringify(wanted.body);
    const request = wire.request({
      agent,
      method: wanted.method,
      path: wanted.path + queryOf(wanted.query),
      ...(wanted.signal ? { signal: wanted.signal } : {}),
      timeout: silentMs,
      headers: {
        ...headers,
        ...(wanted.accept ? { accept: wanted.accept } : {}),
        ...(body
          ? {
              "content-type": wanted.contentType ?? "application/json",
              "content-length": Buffer.byteLength(body),
            }
          : {}),
      },
    });
    request.once("response", () => {
      answered = true;
    });
    request.on("timeout", () =>
      request.destroy(new Error(`no answer from ${wire.server} for ${silentMs} ms`)),
    );
    request.end(body);
    options.link?.carry(request);
    return request;
  };

  const attempt = (wanted: TransportRequest, mayRetry: boolean): Promise<TransportResponse> =>
    new Promise((resolve, reject) => {
      const request = open(wanted, requests, timeoutMs);
      request.on("error", (error: NodeJS.ErrnoException) => {
        if (mayRetry && request.reusedSocket && LOST.has(error.code ?? "")) resolve(attempt(wanted, false));
        else if (isStarting(error))
          void systemClock
            .sleep(REFUSED_PAUSE_MS, wanted.signal)
            .then(() => resolve(attempt(wanted, mayRetry)));
        else reject(error);
      });
      request.on("response", (response) => {
        readBody(response).then((text) => resolve(parseAnswer(response, text)), reject);
      });
    });

  return {
    isRemote: true,
    // A POST may have been carried out before its connection was lost: never sent twice.
    request: (wanted) => attempt(wanted, wanted.method !== "POST"),
    watch: async (wanted, onEvent) => {
      const limitSeconds = Number(wanted.query?.timeoutSeconds ?? 0);
      const silentMs = limitSeconds > 0 ? limitSeconds * 1000 + WATCH_GRACE_MS : 0;
      for (;;) {
        const request = open({ ...wanted, query: { ...wanted.query, watch: true } }, watches, silentMs);
        try {
          return await readWatch(request, wanted.signal, onEvent);
        } catch (error) {
          if (!isStarting(error)) throw error;
          await systemClock.sleep(REFUSED_PAUSE_MS, wanted.signal);
        }
      }
    },
    close() {
      requests.destroy();
      watches.destroy();
    },
  };
}

const LOST: ReadonlySet<string> = new Set(["ECONNRESET", "EPIPE"]);

function queryOf(query: TransportRequest["query"] = {}): string {
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries(query))
    if (value !== undefined) parameters.set(name, String(value));
  const text = parameters.toString();
  return text ? `?${text}` : "";
}

function readBody(response: IncomingMessage): Promise<string> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    response.on("data", (chunk: Buffer) => chunks.push(chunk));
    response.on("end", () => resolve(Buffer.concat(chunks).toString("utf8")));
    response.on("error", reject);
  });
}

function parseAnswer(response: IncomingMessage, text: string): TransportResponse {
  const warnings = (response.headersDistinct["warning"] ?? []).map(warningText);
  return { status: response.statusCode ?? 0, body: parseBody(text), warnings };
}

function parseBody(text: string): unknown {
  if (text === "") return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/** `299 - "unknown field \"x\""` → `unknown field "x"` (RFC 7234 section 5.5). */
function warningText(header: string): string {
  const quoted = /^\d{3} \S+ "((?:[^"\\]|\\.)*)"/.exec(header)?.[1];
  return quoted === undefined ? header : quoted.replace(/\\(.)/g, "$1");
}

function readWatch(
  request: ClientRequest,
  signal: AbortSignal | undefined,
  onEvent: (event: WatchEvent) => void,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const fail = (error: Error) => {
      request.destroy();
      if (signal?.aborted) resolve();
      else reject(error);
    };
    request.on("error", fail);
    request.on("response", (response) => {
      const status = response.statusCode ?? 0;
      if (status !== 200) {
        readBody(response).then((text) => fail(new StatusError(failureOf(status, parseBody(text)))), fail);
        return;
      }
      const feed = lineSplitter((line) => {
        if (!signal?.aborted) onEvent(JSON.parse(line) as WatchEvent);
      });
      response.on("data", (chunk: Buffer) => {
        try {
          feed(chunk);
        } catch (error) {
          fail(error as Error);
        }
      });
      response.on("end", () => resolve());
      response.on("error", fail);
    });
  });
}

const NEWLINE = 10;

/** Feeds whole lines to `onLine`, whatever the chunks. A line's bytes are joined once, when it is complete. */
export function lineSplitter(onLine: (line: string) => void): (chunk: Buffer) => void {
  let pieces: Buffer[] = [];
  return (chunk) => {
    let start = 0;
    for (let end = chunk.indexOf(NEWLINE); end >= 0; end = chunk.indexOf(NEWLINE, start)) {
      const piece = chunk.subarray(start, end);
      const line = pieces.length > 0 ? Buffer.concat([...pieces, piece]) : piece;
      pieces = [];
      start = end + 1;
      if (line.length > 0) onLine(line.toString("utf8"));
    }
    if (start < chunk.length) pieces.push(chunk.subarray(start));
  };
}
