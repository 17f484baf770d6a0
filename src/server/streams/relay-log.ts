// The log of a container, from its node agent to the client: read once, mostly followed for long, so on a connection of its own.
import { request as httpRequest, type IncomingMessage, type ServerResponse } from "node:http";
import { request as httpsRequest } from "node:https";
import { pipeline } from "node:stream";
import { badRequest, type StatusError, statusError } from "../../api/status-error.ts";
import { type AgentIdentity, dialError, tlsOptions, unreachable } from "./join.ts";
import type { Location } from "./locate.ts";
import type { StreamTarget } from "./relay.ts";

export interface LogRelay {
  readonly location: Location;
  readonly identity: AgentIdentity;
  readonly signal: AbortSignal;
  readonly target: StreamTarget;
}

/** Streams a container's log to the client, as it comes. */
export async function relayLog(to: LogRelay, response: ServerResponse): Promise<void> {
  const { location, target } = to;
  const { host, port, path } = location;
  const answer = await ask(to, response).catch((error: Error) => {
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

/** Resolves with the answer's head. When the client of `response` leaves, the request ends with it. */
function ask({ location, identity, signal }: LogRelay, response: ServerResponse): Promise<IncomingMessage> {
  const { scheme, host, port, path } = location;
  return new Promise((resolve, reject) => {
    const options = { host, port, path, signal, agent: false };
    const outgoing =
      scheme === "http"
        ? httpRequest(options)
        : httpsRequest({ ...options, ...tlsOptions(scheme, identity) });
    outgoing.once("response", resolve);
    outgoing.once("error", reject);
    // Later errors reach the answer's stream.
    outgoing.on("error", () => {});
    response.once("close", () => outgoing.destroy());
    outgoing.end();
  });
}

/** Resolves when all is passed on, or either side is gone: then the other is cut, so that a client sees the answer is incomplete. */
export function pass(from: IncomingMessage, to: ServerResponse): Promise<void> {
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
