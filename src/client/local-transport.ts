// The API over its Unix socket with a bearer token: the way of kubemu's own processes. Nothing is encrypted, and Node's TLS is not even loaded:
// both would cost each process a third of its start (docs/decisions/0008-local-socket.md).
import { Agent, request as httpRequest, type RequestOptions } from "node:http";
import type { LocalAccess } from "./credentials.ts";
import { createHttpTransport, type HttpTransportOptions, REQUEST_AGENT } from "./http-transport.ts";
import type { Transport } from "./transport.ts";

export interface LocalTransportOptions extends HttpTransportOptions, LocalAccess {}

export function createLocalTransport({ socketPath, token, ...options }: LocalTransportOptions): Transport {
  const authorization = `Bearer ${token}`;
  const wire = {
    server: socketPath,
    requests: new Agent(REQUEST_AGENT),
    watches: new Agent({ keepAlive: false }),
    // With a `servername` Node does not work one out (for TLS, of which there is none) from the Host header of each request.
    request: ({ headers, ...wanted }: RequestOptions) =>
      httpRequest({
        socketPath,
        servername: "",
        ...wanted,
        headers: { ...(headers as object), authorization },
      } as RequestOptions),
  };
  return createHttpTransport(wire, options);
}
