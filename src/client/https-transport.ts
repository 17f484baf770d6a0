// The API over HTTPS with a client certificate: the way of whoever is not a process of the cluster's.
import type { ClientRequest } from "node:http";
import { Agent, request as httpsRequest, type RequestOptions } from "node:https";
import type { Socket } from "node:net";
import { createSecureContext } from "node:tls";
import type { Credentials } from "./credentials.ts";
import { createHttpTransport, type HttpTransportOptions, REQUEST_AGENT } from "./http-transport.ts";
import type { Transport } from "./transport.ts";

export interface HttpsTransportOptions extends HttpTransportOptions, Credentials {
  /** `https://127.0.0.1:6443` */
  readonly server: string;
}

export function createHttpsTransport({
  server,
  ca,
  cert,
  key,
  ...options
}: HttpsTransportOptions): Transport {
  const shared = { secureContext: createSecureContext({ ca, cert, key }), noDelay: true };
  const { hostname, port } = new URL(server);

  // A resumed TLS session costs half of what a new one does, and every watch has a connection of its own. Requests are not told of it: their
  // agent keeps one, and newer versions of Node would take connections with different sessions for connections to different servers.
  let session: Buffer | undefined;
  const keepSession = (request: ClientRequest, socket: Socket) => {
    if (request.reusedSocket) return;
    socket.once("session", (made: Buffer) => {
      session = made;
    });
  };
  const watches = new Agent({ ...shared, keepAlive: false });
  const wire = {
    server,
    requests: new Agent({ ...shared, ...REQUEST_AGENT }),
    watches,
    request(wanted: RequestOptions) {
      const resumed = wanted.agent === watches ? { session } : {};
      const request = httpsRequest({ hostname, port, ...wanted, ...resumed });
      request.once("socket", (socket) => keepSession(request, socket));
      return request;
    },
  };
  return createHttpTransport(wire, options);
}
