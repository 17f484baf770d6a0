// The proxy subresources: a plain request goes on to a pod, a Service's endpoint or a node, over kept-alive connections.
// Invariant: no request to a backend outlives its client. http-proxy sends the request. The answer is passed on here: the
// library's own way leaves a client waiting where a backend breaks off, and would say things that HTTP/2 does not allow.
import {
  type ClientRequest,
  Agent as HttpAgent,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type ServerResponse,
} from "node:http";
import type { Http2ServerRequest, Http2ServerResponse } from "node:http2";
import { Agent as HttpsAgent } from "node:https";
import util from "node:util";
import type HttpProxy from "http-proxy";
import { statusError } from "../../api/status-error.ts";
import { isImpersonation } from "../impersonation.ts";
import { type AgentIdentity, dialError, tlsOptions } from "./join.ts";
import type { Location } from "./locate.ts";
import { pass } from "./relay-log.ts";

/** Passes any request on, body and answer as they come. Rejects with a StatusError before the answer has begun. */
export type RelayRequest = (
  location: Location,
  request: IncomingMessage | Http2ServerRequest,
  response: ServerResponse | Http2ServerResponse,
) => Promise<void>;

// As long as Go's clients, and so Kubernetes' API server, keep an idle connection to a backend.
const IDLE_MS = 90_000;

/** `signal` ends what is under way and closes the connections that are kept. */
export function createRequestRelay(identity: AgentIdentity, signal: AbortSignal): RelayRequest {
  const kept = { keepAlive: true, timeout: IDLE_MS };
  const agents: Readonly<Record<Location["scheme"], HttpAgent>> = {
    http: new HttpAgent(kept),
    https: new HttpsAgent({ ...kept, ...tlsOptions("https", identity) }),
    agent: new HttpsAgent({ ...kept, ...tlsOptions("agent", identity) }),
  };
  signal.addEventListener("abort", () => {
    for (const agent of Object.values(agents)) agent.destroy();
  });
  let loading: Promise<typeof HttpProxy> | undefined;

  return async (location, request, response) => {
    const gone = new AbortController();
    response.once("close", () => gone.abort());
    loading ??= loadLibrary();
    const library = await loading;
    if (hasLeft(request, response)) return;
    if (signal.aborted) throw statusError("ServiceUnavailable", "the API server is stopping");
    const agent = agents[location.scheme];
    const toSend = { location, request, response: response as ServerResponse, agent, stopping: signal };
    const answer = await send(library, toSend, gone.signal).catch((error: Error) => {
      if (gone.signal.aborted) return undefined;
      throw statusError("ServiceUnavailable", `error trying to reach service: ${dialError(error, location)}`);
    });
    if (!answer) return;
    const headers = forwardable(answer.headers);
    if (headers.location?.startsWith("/")) headers.location = proxyPrefix(request) + headers.location;
    response.writeHead(answer.statusCode ?? 502, headers);
    await pass(answer, response as ServerResponse);
  };
}

// The library takes `util._extend` while it loads and calls it for each request; from Node 22 on that prints DEP0060 on the
// user's terminal. Object.assign does the same for objects, which is all it is called with.
async function loadLibrary(): Promise<typeof HttpProxy> {
  const node = util as { _extend?: unknown };
  const extend = node._extend;
  node._extend = Object.assign;
  try {
    return (await import("http-proxy")).default;
  } finally {
    node._extend = extend;
  }
}

// A client that went away before anyone listened says so no more.
function hasLeft(
  request: IncomingMessage | Http2ServerRequest,
  response: ServerResponse | Http2ServerResponse,
): boolean {
  return "stream" in request ? request.stream.destroyed : (response as ServerResponse).destroyed;
}

interface ToSend {
  readonly location: Location;
  readonly request: IncomingMessage | Http2ServerRequest;
  readonly response: ServerResponse;
  readonly agent: HttpAgent;
  /** When aborted, the agent's connections have been cut. */
  readonly stopping: AbortSignal;
}

/** Resolves with the answer's head; ends the request when the client is `gone`. */
function send(library: typeof HttpProxy, toSend: ToSend, gone: AbortSignal): Promise<IncomingMessage> {
  const { location, request, response, agent, stopping } = toSend;
  const { scheme, host, port, path } = location;
  return new Promise((resolve, reject) => {
    // One a request: its events name neither the request nor its number.
    const proxy = library.createProxyServer();
    let outgoing: ClientRequest | undefined;
    let answered = false;
    // On the outgoing request's `socket` event: nothing is written yet.
    proxy.on("proxyReq", (sent: ClientRequest) => {
      outgoing = sent;
      // The library makes one `/` of many.
      sent.path = path;
      if (gone.aborted) sent.destroy();
      else gone.addEventListener("abort", () => sent.destroy(), { once: true });
    });
    proxy.on("proxyRes", (answer) => {
      answered = true;
      resolve(answer);
    });
    // Later errors reach the answer's stream.
    const fail = (error: Error) => {
      if (answered) return;
      const isOver = gone.aborted || stopping.aborted;
      if (outgoing?.reusedSocket && !isOver && isRepeatable(request) && isHangUp(error))
        resolve(send(library, toSend, gone));
      else reject(error);
    };
    const options: HttpProxy.ServerOptions = {
      target: { protocol: scheme === "http" ? "http:" : "https:", host, port },
      agent,
      method: request.method ?? "GET",
      toProxy: true,
      prependPath: false,
      selfHandleResponse: true,
      buffer: request,
    };
    proxy.web(requestShape(request, path), response, options, fail);
  });
}

/**
 * What the library reads of a request, without what ends here: HTTP/2's pseudo-headers, headers of the connection, credentials.
 * The method is left to the options: for a DELETE the library would declare a body of unknown length as empty and send it all the
 * same, to be taken for the next request on a connection that is kept.
 */
function requestShape(request: IncomingMessage | Http2ServerRequest, path: string): IncomingMessage {
  const headers = { ...forwardable(request.headers), ...forwardedFrom(request) };
  if (hasBody(request) && headers["content-length"] === undefined) headers["transfer-encoding"] = "chunked";
  const on = (event: string, listener: () => void) => request.on(event, listener);
  return { url: path, headers, on, socket: { destroyed: false } } as unknown as IncomingMessage;
}

function hasBody(request: IncomingMessage | Http2ServerRequest): boolean {
  if ("stream" in request) return !request.stream.endAfterHeaders;
  return (
    request.headers["transfer-encoding"] !== undefined || Number(request.headers["content-length"] ?? 0) > 0
  );
}

// A backend may close a kept connection just when it is used again. As Go's transport, which Kubernetes' API server has: only
// what changes nothing is sent once more, on another connection.
function isRepeatable(request: IncomingMessage | Http2ServerRequest): boolean {
  return ["GET", "HEAD", "OPTIONS", "TRACE"].includes(request.method ?? "") && !hasBody(request);
}

function isHangUp(error: Error): boolean {
  const { code } = error as NodeJS.ErrnoException;
  return code === "ECONNRESET" || code === "EPIPE";
}

// RFC 9110 section 7.6.1, and what HTTP/2 does not allow; credentials and impersonation end at the API server. `100 Continue` is said already.
const NOT_FORWARDED: ReadonlySet<string> = new Set([
  "authorization",
  "connection",
  "expect",
  "host",
  "http2-settings",
  "keep-alive",
  "proxy-authenticate",
  "proxy-authorization",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
]);

function forwardable(headers: IncomingHttpHeaders): IncomingHttpHeaders {
  return Object.fromEntries(
    Object.entries(headers).filter(
      ([name]) => !name.startsWith(":") && !isImpersonation(name) && !NOT_FORWARDED.has(name),
    ),
  );
}

// As apimachinery's proxy transport.
function forwardedFrom(request: IncomingMessage | Http2ServerRequest): IncomingHttpHeaders {
  const host = request.headers.host ?? request.headers[":authority"];
  return {
    "x-forwarded-uri": request.url?.split("?", 1)[0],
    ...(host ? { "x-forwarded-host": host } : {}),
    "x-forwarded-proto": "https",
  } as IncomingHttpHeaders;
}

/** `/api/v1/namespaces/default/pods/web:80/proxy` */
function proxyPrefix(request: IncomingMessage | Http2ServerRequest): string {
  const path = request.url?.split("?", 1)[0] ?? "";
  return /^.*?\/(?:pods|services|nodes)\/[^/]+\/proxy/.exec(path)?.[0] ?? "";
}
