// One client connection, one endpoint: connects, and joins the two sockets with back-pressure and half-close kept.
// An endpoint that cannot be connected to is replaced by another before the client notices; once a byte has passed, never,
// since the other end may have acted on it.
import net, { type Socket } from "node:net";
import type { Balancer } from "./balancer.ts";
import type { Backend } from "./service-table.ts";

// A process that hangs with a full backlog never answers: then it is another endpoint's turn.
const CONNECT_TIMEOUT_MS = 3_000;

const NONE: ReadonlySet<string> = new Set();

/** Takes over `client`, a socket with allowHalfOpen. With no endpoint that can be connected to, the client is reset. */
export function proxyConnection(client: Socket, balancer: Balancer): void {
  // The address is gone once the socket is closed; affinity needs it for each try.
  const address = client.remoteAddress ?? "";
  client.on("error", ignore);
  tryNext(client, balancer, { address, tried: NONE });
}

interface Attempt {
  readonly address: string;
  readonly tried: ReadonlySet<string>;
}

function tryNext(client: Socket, balancer: Balancer, { address, tried }: Attempt): void {
  const backend = balancer.pick(address, tried);
  if (!backend) {
    client.resetAndDestroy();
    return;
  }
  connect(client, backend, () => {
    if (client.destroyed) return;
    balancer.refused(backend);
    tryNext(client, balancer, { address, tried: new Set(tried).add(backend.key) });
  });
}

function connect(client: Socket, { host, port }: Backend, onRefused: () => void): void {
  const server = net.connect({ host, port, noDelay: true, allowHalfOpen: true });
  // A client that leaves before the endpoint answers must not leave the half-made connection behind.
  const onClientClose = () => server.destroy();
  const onError = () => {
    client.off("close", onClientClose);
    server.setTimeout(0);
    server.destroy();
    onRefused();
  };
  client.once("close", onClientClose);
  server.once("error", onError);
  server.setTimeout(CONNECT_TIMEOUT_MS, onError);
  server.once("connect", () => {
    server.off("error", onError);
    server.setTimeout(0);
    client.off("close", onClientClose);
    server.on("error", ignore);
    if (client.destroyed) server.destroy();
    else join(client, server);
  });
}

/** Passes bytes both ways until both have ended, or one has failed: then the other is cut as well. */
export function join(a: Socket, b: Socket): void {
  pass(a, b);
  pass(b, a);
}

function pass(from: Socket, to: Socket): void {
  from.on("data", (chunk: Buffer) => {
    if (!to.write(chunk)) from.pause();
  });
  to.on("drain", () => from.resume());
  // A client may have said all it will, nothing, while the endpoint was being connected to.
  if (from.readableEnded) to.end();
  else from.once("end", () => to.end());
  from.once("close", (hadError) => {
    if (to.destroyed) return;
    // A reset is passed on as one; an orderly end has been passed on by `end`, and what is still to be written may be.
    if (hadError) to.resetAndDestroy();
    else if (!from.readableEnded) to.destroy();
  });
}

function ignore(): void {}
