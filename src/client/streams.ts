// The API's long-lived byte streams: a log that is followed, and WebSockets for exec and port-forward. Beside the Transport, because they
// are not JSON and nobody but a user's terminal needs them.
import type { IncomingMessage } from "node:http";
import { request as httpsRequest } from "node:https";
import { WebSocket } from "ws";
import { StatusError } from "../api/status-error.ts";
import { failureOf } from "./create-client.ts";
import type { Credentials } from "./credentials.ts";

export interface StreamRequest {
  readonly path: string;
  readonly query: URLSearchParams;
  readonly signal?: AbortSignal;
}

export interface Streams {
  /** GET; resolves with the answer's body as it comes. A failure Status is thrown. */
  read(request: StreamRequest): Promise<IncomingMessage>;
  /** Resolves once the connection is upgraded; messages are Buffers. A failure Status is thrown. */
  webSocket(request: StreamRequest, protocols: readonly string[]): Promise<WebSocket>;
}

export function createStreams({
  server,
  ...credentials
}: Credentials & { readonly server: string }): Streams {
  return {
    read: ({ path, query, signal }) =>
      new Promise((resolve, reject) => {
        const request = httpsRequest(`${server}${path}?${query}`, {
          ...credentials,
          agent: false,
          ...(signal ? { signal } : {}),
        });
        request.on("error", reject);
        request.on("response", (response) => {
          if ((response.statusCode ?? 0) < 400) resolve(response);
          else void refusal(response).then(reject);
        });
        request.end();
      }),
    webSocket: ({ path, query, signal }, protocols) =>
      new Promise((resolve, reject) => {
        const url = `${server.replace(/^http/, "ws")}${path}?${query}`;
        const socket = new WebSocket(url, [...protocols], { ...credentials, perMessageDeflate: false });
        signal?.addEventListener("abort", () => socket.terminate(), { once: true });
        socket.binaryType = "nodebuffer";
        socket.once("error", reject);
        socket.once("unexpected-response", (_request, response) => void refusal(response).then(reject));
        socket.once("open", () => {
          socket.off("error", reject);
          socket.on("error", () => socket.terminate());
          resolve(socket);
        });
      }),
  };
}

async function refusal(response: IncomingMessage): Promise<StatusError> {
  let text = "";
  for await (const chunk of response) text += String(chunk);
  let body: unknown = text;
  try {
    body = JSON.parse(text);
  } catch {
    // Some answers, a proxy's for one, have no Status as body.
  }
  return new StatusError(failureOf(response.statusCode ?? 0, body));
}
