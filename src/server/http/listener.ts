// HTTPS on one loopback port: HTTP/2, HTTP/1.1 and upgrades; and plain HTTP/1.1 on a Unix socket for kubemu's own processes. Owns sockets and
// identities of clients; what is asked for is the handler's business, streams are the relay's.
import {
  createServer as createHttpServer,
  type Server as HttpServer,
  type IncomingMessage,
  type ServerResponse,
} from "node:http";
import type {
  Http2SecureServer,
  Http2ServerRequest,
  Http2ServerResponse,
  Http2Session,
  SecureServerOptions,
} from "node:http2";
import net, { type AddressInfo, type Server, type Socket } from "node:net";
import type { Duplex } from "node:stream";
import type { TLSSocket } from "node:tls";
import { StatusError, statusError } from "../../api/status-error.ts";
import { createLateServer } from "../../base/late-server.ts";
import { authenticate, certificateUser } from "../authentication.ts";
import type { ServerContext } from "../context.ts";
import type { Handle } from "../dispatch.ts";
import { impersonate } from "../impersonation.ts";
import { takesOnlyProtobuf } from "../negotiation.ts";
import { type Answer, errorAnswer, type User } from "../request.ts";
import { encodeInProtobuf } from "../rest/present.ts";
import type { StreamRelay } from "../streams/relay.ts";
import { createBrokenRequests } from "./broken-requests.ts";
import { isOwnHost, isOwnOrigin } from "./own-names.ts";
import { readRequest, splitUrl } from "./read-request.ts";
import { respond, upgradeRefusal } from "./respond.ts";
import { streamTargetOf } from "./stream-target.ts";

export type HttpRequest = IncomingMessage | Http2ServerRequest;
export type HttpResponse = ServerResponse | Http2ServerResponse;

export interface ListenerOptions {
  readonly context: ServerContext;
  readonly handle: Handle;
  readonly relay: StreamRelay;
  /** PEM. */
  readonly tls: { readonly ca: string; readonly cert: string; readonly key: string };
  /** A port of 127.0.0.1 (0: any), or a server that listens already and has no other listeners. */
  readonly listen: { readonly port: number } | { readonly server: Server };
  /** A server that listens on a Unix socket which only the cluster's owner may open. */
  readonly local?: Server | undefined;
  /** The ClusterIP of the `kubernetes` Service. */
  readonly serviceAddress: string;
}

export interface Listener {
  readonly port: number;
  stop(): Promise<void>;
}

// Longer than clients keep idle connections themselves (Go: 90 s), so that the server is never the one to hang up on a
// request that is on its way.
const KEEP_ALIVE_MS = 120_000;
// Lists and watches come in bursts; the default window of 64 KiB would have them wait for the client.
const HTTP2_WINDOW = 4 * 1024 * 1024;

export async function startListener(options: ListenerOptions): Promise<Listener> {
  const { local, listen } = options;
  const server = "server" in listen ? listen.server : await listenOn(listen.port);
  const sockets = new Set<Socket>();
  acceptSecure(server, options, sockets);
  if (local) acceptLocal(local, options, sockets);
  return {
    port: (server.address() as AddressInfo).port,
    async stop() {
      const closed = [server, local].map((each) => each && new Promise((done) => each.close(done)));
      for (const socket of sockets) socket.destroy();
      await Promise.all(closed);
    },
  };
}

async function listenOn(port: number): Promise<Server> {
  const server = net.createServer();
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject).listen({ port, host: "127.0.0.1" }, () => {
      server.off("error", reject);
      resolve();
    });
  });
  return server;
}

/** HTTP/2 and TLS are loaded for the first who comes: a start has other things to do, and needs neither. */
function acceptSecure(server: Server, options: ListenerOptions, sockets: Set<Socket>): void {
  const handOn = createLateServer(() => createSecure(options, sockets), options.context.log);
  server.on("connection", (socket: Socket) => {
    // From the first byte on: one in the middle of its handshake would keep a server that stops from ending.
    track(sockets, socket);
    socket.setNoDelay(true);
    handOn(socket);
  });
}

async function createSecure(options: ListenerOptions, sockets: Set<Socket>): Promise<Http2SecureServer> {
  const { createSecureServer } = await import("node:http2");
  const { ca, cert, key } = options.tls;
  const secure = createSecureServer({
    allowHTTP1: true,
    ca,
    cert,
    key,
    requestCert: true,
    // A client may come with a token instead.
    rejectUnauthorized: false,
    minVersion: "TLSv1.2",
    settings: { initialWindowSize: HTTP2_WINDOW },
    keepAliveTimeout: KEEP_ALIVE_MS,
  } as SecureServerOptions);
  secure.on("secureConnection", (socket: TLSSocket) => track(sockets, socket));
  // A client that breaks off in the middle of its handshake is no concern of ours.
  secure.on("tlsClientError", () => {});
  secure.on("sessionError", () => {});
  serve(secure, options);
  return secure;
}

function acceptLocal(server: Server, options: ListenerOptions, sockets: Set<Socket>): void {
  const plain = createHttpServer({ keepAliveTimeout: KEEP_ALIVE_MS });
  serve(plain, options);
  server.on("connection", (socket: Socket) => {
    track(sockets, socket);
    plain.emit("connection", socket);
  });
}

function track(sockets: Set<Socket>, socket: Socket): void {
  sockets.add(socket);
  socket.on("close", () => sockets.delete(socket));
  socket.on("error", () => socket.destroy());
}

function serve(server: HttpServer | Http2SecureServer, options: ListenerOptions): void {
  const { context, handle, relay } = options;
  server.on("clientError", createBrokenRequests());
  const userOf = identities();

  const identify = (request: HttpRequest): User => {
    const host = request.headers.host ?? (request as Http2ServerRequest).authority;
    if (!isOwnHost(host, options.serviceAddress))
      throw statusError("Forbidden", `forbidden: host ${JSON.stringify(host ?? "")} is not this server's`);
    if (!isOwnOrigin(request.headers.origin, options.serviceAddress))
      throw statusError(
        "Forbidden",
        `forbidden: origin ${JSON.stringify(request.headers.origin)} is not this server's`,
      );
    const requestor = authenticate(context, {
      certificate: userOf(request),
      authorization: request.headers.authorization,
    });
    return impersonate(requestor, request.rawHeaders, request.url ?? "/");
  };

  server.on("request", (request: HttpRequest, response: HttpResponse) => {
    answer(request, response).catch((error: unknown) => {
      context.log.error({ error: String(error) }, "answer failed");
      response.destroy();
    });
  });

  async function answer(request: HttpRequest, response: HttpResponse): Promise<void> {
    response.on("error", () => {});
    request.on("error", () => {});
    const { accept = "" } = request.headers;
    let user: User;
    try {
      user = identify(request);
      const target = streamTargetOf(request.url ?? "/");
      if (target) return await relay.forward(request, response, target);
    } catch (error) {
      if (response.headersSent) return response.destroy() as unknown as undefined;
      return respond(request, response, await inEncoding(accept, errorAnswer(asStatus(error))));
    }
    return respond(request, response, await inEncoding(accept, await handle(readRequest(request, user))));
  }

  server.on("upgrade", (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    socket.on("error", () => socket.destroy());
    try {
      identify(request);
      const { path } = splitUrl(request.url ?? "/");
      const target = streamTargetOf(request.url ?? "/");
      if (!target) throw statusError("BadRequest", `${path} does not take an upgrade`);
      void relay.upgrade(request, socket, head, target);
    } catch (error) {
      socket.end(upgradeRefusal(asStatus(error)));
    }
  });

  const asStatus = (error: unknown): StatusError => {
    if (error instanceof StatusError) return error;
    if (error instanceof URIError) return statusError("BadRequest", "invalid URL escape");
    context.log.error({ error: error instanceof Error ? error.stack : String(error) }, "request failed");
    return statusError("InternalError", `Internal error occurred: ${String(error)}`);
  };
}

/** Errors and other documents that come as JSON, in protobuf for who takes nothing else; what has no message stays JSON. */
async function inEncoding(accept: string, answer: Answer): Promise<Answer> {
  if (answer.form !== "document" || !takesOnlyProtobuf(accept)) return answer;
  return (await encodeInProtobuf(answer)) ?? answer;
}

/** The certificate's user, read once a connection. */
function identities(): (request: HttpRequest) => User | undefined {
  const known = new WeakMap<TLSSocket | Http2Session, { readonly user: User | undefined }>();
  return (request) => {
    const session = "stream" in request ? request.stream.session : undefined;
    const connection: TLSSocket | Http2Session = session ?? (request.socket as TLSSocket);
    let found = known.get(connection);
    if (!found) {
      found = { user: certificateUser((session?.socket ?? request.socket) as TLSSocket) };
      known.set(connection, found);
    }
    return found.user;
  };
}
