// One client connection, one endpoint: connects, and joins the two sockets with back-pressure and half-close kept.
// An endpoint that refuses or resets is replaced by another before the client notices. That ends with the first byte of an answer, and
// with the client's first byte as well, since the endpoint may have acted on it, unless that byte begins a request that is safe to repeat.
import net, { type Socket } from "node:net";
import type { TrafficOutcome } from "../../src/api/traffic.ts";
import type { Balancer, Link } from "./balancer.ts";
import { isSafeRequest } from "./http/safe-request.ts";
import { createPassage, type Passage } from "./passage.ts";

// A process that hangs with a full backlog never answers: then it is another endpoint's turn.
const CONNECT_TIMEOUT_MS = 3_000;
// With every endpoint as busy as it may be, a client waits in line for so long.
const QUEUE_TIMEOUT_MS = 10_000;

const NONE: ReadonlySet<string> = new Set();

interface Connection {
  readonly client: Socket;
  readonly balancer: Balancer;
  /** The client's; gone from the socket once that is closed, and needed for each try. */
  readonly address: string;
  tried: ReadonlySet<string>;
  /** What the client has said so far, as long as it may be said again to another endpoint. */
  said: Buffer | undefined;
  /** The last endpoint ended it in good order, without a word. */
  wasEnded: boolean;
  readonly startedAt: number;
  /** The endpoint that it was last given to. */
  link: Link | undefined;
  outcome: TrafficOutcome;
}

/** Takes over `client`, a socket with allowHalfOpen. With no endpoint that can be connected to, the client is reset. */
export function proxyConnection(client: Socket, balancer: Balancer): void {
  client.on("error", ignore);
  const { idleMs } = balancer.frontend.balancing;
  const connection: Connection = {
    client,
    balancer,
    address: client.remoteAddress ?? "",
    tried: NONE,
    said: undefined,
    wasEnded: false,
    startedAt: performance.now(),
    link: undefined,
    outcome: "ok",
  };
  if (idleMs > 0)
    client.setTimeout(idleMs, () => {
      connection.outcome = "idle";
      client.destroy();
    });
  if (balancer.traffic) client.once("close", (hadError) => report(connection, hadError));
  tryNext(connection);
}

function report(connection: Connection, hadError: boolean): void {
  const { client, balancer, address, tried, startedAt, link, outcome } = connection;
  balancer.traffic?.ended({
    service: balancer.frontend.service,
    protocol: "tcp",
    outcome: outcome === "ok" && hadError ? "client-left" : outcome,
    durationMs: performance.now() - startedAt,
    details: () => ({
      client: address,
      ...(link ? { endpoint: link.key, pod: link.pod, node: link.node } : {}),
      ...(tried.size > 0 ? { tried: [...tried] } : {}),
      bytesIn: client.bytesRead,
      bytesOut: client.bytesWritten,
    }),
  });
}

function tryNext(connection: Connection): void {
  const { client, balancer, address, tried } = connection;
  if (client.destroyed) return;
  const link = balancer.pick(address, tried);
  if (link) connect(connection, link);
  else if (tried.size === 0 && balancer.isFull) waitInLine(connection);
  else if (connection.wasEnded) client.end();
  else {
    connection.outcome = tried.size > 0 ? "refused" : "no-endpoint";
    client.resetAndDestroy();
  }
}

function waitInLine(connection: Connection): void {
  const { client, balancer } = connection;
  const stopWaiting = balancer.whenFree(() => {
    client.off("close", onClose);
    clearTimeout(timer);
    tryNext(connection);
  });
  const onClose = () => {
    clearTimeout(timer);
    stopWaiting();
  };
  const timer = setTimeout(() => {
    connection.outcome = "refused";
    client.resetAndDestroy();
  }, QUEUE_TIMEOUT_MS);
  client.once("close", onClose);
}

/** The endpoint has failed this client, who knows nothing of it: asks the next. */
function tryAnother(connection: Connection, link: Link): void {
  if (connection.client.destroyed) return;
  connection.balancer.refused(link);
  connection.tried = new Set(connection.tried).add(link.key);
  tryNext(connection);
}

function connect(connection: Connection, link: Link): void {
  const { client, balancer } = connection;
  balancer.take(link);
  connection.link = link;
  const abort = connectTo(link, (server) => {
    client.off("close", abort);
    if (server && !client.destroyed) {
      server.once("close", () => balancer.release(link));
      return join(connection, link, server);
    }
    server?.destroy();
    balancer.release(link);
    if (!server) tryAnother(connection, link);
  });
  // A client that leaves before the endpoint answers must not leave the half-made connection behind.
  client.once("close", abort);
}

/** Connects, as late as the link's fault has it. `done` gets the socket, or nothing where it was refused. Returns the way to give up. */
export function connectTo(link: Link, done: (server: Socket | undefined) => void): () => void {
  let server: Socket | undefined;
  const finish = (connected: boolean) => {
    clearTimeout(late);
    server?.setTimeout(0, onFailed);
    server?.off("error", onFailed).off("connect", onConnect).on("error", ignore);
    if (!connected) server?.destroy();
    done(connected ? server : undefined);
  };
  const onFailed = () => finish(false);
  const onConnect = () => finish(true);
  const dial = () => {
    server = net.connect({ host: link.host, port: link.port, noDelay: true, allowHalfOpen: true });
    server.once("error", onFailed).once("connect", onConnect);
    server.setTimeout(CONNECT_TIMEOUT_MS, onFailed);
  };
  const delayMs = link.fault?.delayOf("connect") ?? 0;
  const isHopeless = delayMs >= CONNECT_TIMEOUT_MS;
  const late =
    delayMs > 0
      ? setTimeout(isHopeless ? onFailed : dial, isHopeless ? CONNECT_TIMEOUT_MS : delayMs)
      : undefined;
  if (delayMs === 0) dial();
  return onFailed;
}

/** Passes bytes both ways until both have ended, or one has failed: then the other is cut as well. */
function join(connection: Connection, link: Link, server: Socket): void {
  const { client } = connection;
  const toServer = createPassage(client, server, link);
  const toClient = createPassage(server, client, link);
  if (connection.said) toServer.take(connection.said);
  // Until the endpoint has answered, or has been told something that it may have acted on.
  let mayRepeat = true;

  const onData = (chunk: Buffer) => {
    if (mayRepeat) {
      mayRepeat = connection.said === undefined && isSafeRequest(chunk);
      connection.said = mayRepeat ? chunk : undefined;
    }
    toServer.take(chunk);
  };
  const onClientClose = (hadError: boolean) => closePassage(toServer, client, hadError);
  const onEnd = () => toServer.end();
  client.on("data", onData);
  client.once("close", onClientClose);
  // A client may have said all it will, nothing, while the endpoint was being connected to.
  if (client.readableEnded) toServer.end();
  else client.once("end", onEnd);
  client.resume();

  server.on("data", (chunk: Buffer) => {
    mayRepeat = false;
    connection.said = undefined;
    toClient.take(chunk);
  });
  const leave = (wasEnded: boolean) => {
    mayRepeat = false;
    connection.wasEnded = wasEnded;
    toServer.drop();
    client.off("data", onData).off("close", onClientClose).off("end", onEnd).pause();
    tryAnother(connection, link);
  };
  server.once("end", () => {
    // It died with a request in its hands that is safe to repeat, or with one on the way to it. A client that has ended wants no other.
    if (!mayRepeat || (client.readableEnded && !connection.said)) return toClient.end();
    server.destroy();
    leave(true);
  });
  server.once("close", (hadError) => {
    if (hadError && mayRepeat) leave(false);
    else {
      if (hadError) connection.outcome = "died";
      closePassage(toClient, server, hadError);
    }
  });
}

/** A reset is passed on as one; an orderly end has been passed on by `end`, and what is still to be written may be. */
function closePassage(passage: Passage, from: Socket, hadError: boolean): void {
  if (hadError) passage.reset();
  else if (!from.readableEnded) passage.cut();
}

function ignore(): void {}
