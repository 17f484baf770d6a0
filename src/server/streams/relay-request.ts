// Plain requests that go on to a node agent, a pod or a Service's endpoint: the log of a container and the proxy subresources.
import {
  request as httpRequest,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type ServerResponse,
} from "node:http";
import type { RequestOptions } from "node:https";
import { request as httpsRequest } from "node:https";
import { pipeline } from "node:stream";
import { badRequest, type StatusError, statusError } from "../../api/status-error.ts";
import { type AgentIdentity, dialError, tlsOptions, unreachable } from "./join.ts";
import type { Location } from "./locate.ts";
import type { StreamTarget } from "./relay.ts";

export interface RelayTo {
  readonly location: Location;
  readonly identity: AgentIdentity;
  readonly signal: AbortSignal;
}

/** Streams a container's log to the client, as it comes. */
export async function relayLog(
  to: RelayTo & { readonly target: StreamTarget },
  response: ServerResponse,
): Promise<void> {
  const { location, target } = to;
  const { host, port, path } = location;
  const answer = await ask(to, { method: "GET", headers: {} }, { gone: response }).catch((error: Error) => {
    throw unreachable(`Get "https://${host}:${port}${path}": ${dialError(error, location)}`, error);
  });
  if (answer.statusCode !== 200) throw logFailure(answer.statusCode ?? 500, await textOf(answer), target);
  response.writeHead(200, { "content-type": "text/plain" });
  // A follower wants to know that it is connected before the first line comes.
  response.flushHeaders?.();
  await pass(answer, response);
}

// The rules of the API server's GenericHttpResponseChecker.
function logFailure(code: number, text: string, { name }: StreamTarget): StatusError {
  if (code === 400) return badRequest(text);
  if (code === 404)
    return statusError("NotFound", `the server could not find the requested resource ( pods/log ${name})`, {
      name,
      kind: "pods/log",
      causes: [{ reason: "UnexpectedServerResponse", message: text }],
    });
  return statusError("InternalError", `Internal error occurred: ${text}`);
}

/** Passes any request on, body and answer as they come. */
export async function relayRequest(
  to: RelayTo,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const { location } = to;
  const headers = { ...forwardable(request.headers), ...forwardedFrom(request) };
  const { method = "GET" } = request;
  const answer = await ask(to, { method, headers }, { gone: response, body: request }).catch(
    (error: Error) => {
      throw statusError("ServiceUnavailable", `error trying to reach service: ${dialError(error, location)}`);
    },
  );
  const answered = forwardable(answer.headers);
  if (answered.location?.startsWith("/")) answered.location = proxyPrefix(request) + answered.location;
  response.writeHead(answer.statusCode ?? 502, answered);
  await pass(answer, response);
}

interface Outgoing {
  readonly method: string;
  readonly headers: IncomingHttpHeaders;
}

/** Resolves with the answer's head. When the client of `gone` leaves, the request ends with it. */
function ask(
  { location, identity, signal }: RelayTo,
  { method, headers }: Outgoing,
  { gone, body }: { gone: ServerResponse; body?: IncomingMessage },
): Promise<IncomingMessage> {
  const { scheme, host, port, path } = location;
  return new Promise((resolve, reject) => {
    const options: RequestOptions = { host, port, path, method, headers, signal, agent: false };
    const outgoing =
      scheme === "http"
        ? httpRequest(options)
        : httpsRequest({ ...options, ...tlsOptions(scheme, identity) });
    outgoing.once("response", resolve);
    outgoing.once("error", reject);
    // Later errors reach the answer's stream.
    outgoing.on("error", () => {});
    gone.once("close", () => outgoing.destroy());
    if (body) body.pipe(outgoing);
    else outgoing.end();
  });
}

/** Resolves when all is passed on, or either side is gone: then the other is cut, so that a client sees the answer is incomplete. */
function pass(from: IncomingMessage, to: ServerResponse): Promise<void> {
  return new Promise((resolve) => pipeline(from, to, () => resolve()));
}

// A message, not a document.
const TEXT_LIMIT = 2048;

async function textOf(answer: IncomingMessage): Promise<string> {
  let text = "";
  for await (const chunk of answer) {
    text += chunk;
    if (text.length >= TEXT_LIMIT) break;
  }
  return text.slice(0, TEXT_LIMIT).trim();
}

// RFC 9110 section 7.6.1, and what HTTP/2 does not allow; credentials end at the API server.
const NOT_FORWARDED: ReadonlySet<string> = new Set([
  "authorization",
  "connection",
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
    Object.entries(headers).filter(([name]) => !name.startsWith(":") && !NOT_FORWARDED.has(name)),
  );
}

// As apimachinery's proxy transport.
function forwardedFrom(request: IncomingMessage): IncomingHttpHeaders {
  const host = request.headers.host ?? request.headers[":authority"];
  return {
    "x-forwarded-uri": request.url?.split("?", 1)[0],
    ...(host ? { "x-forwarded-host": host } : {}),
    "x-forwarded-proto": "https",
  } as IncomingHttpHeaders;
}

/** `/api/v1/namespaces/default/pods/web:80/proxy` */
function proxyPrefix(request: IncomingMessage): string {
  const path = request.url?.split("?", 1)[0] ?? "";
  return /^.*?\/(?:pods|services|nodes)\/[^/]+\/proxy/.exec(path)?.[0] ?? "";
}
