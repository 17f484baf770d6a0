// Port-forward: each pair of streams (data, error) is one TCP connection to the pod. One that fails says so on its error stream, in the
// kubelet's words, and leaves the others alone.
import net from "node:net";
import { Duplex } from "node:stream";
import type { Pod } from "../../../src/api/generated/types.ts";
import type { NodeHost } from "./host.ts";
import { createSpdyConnection, type SpdyStream } from "./spdy/connection.ts";
import type { Channels } from "./websocket.ts";

export interface ForwardTarget {
  readonly host: Pick<NodeHost, "portAddress">;
  readonly pod: Readonly<Pod>;
}

/** Serves a SPDY/3.1 session on `transport` until it ends. */
export function forwardStreams(transport: Duplex, target: ForwardTarget): void {
  const pairs = new Map<string, { data?: Duplex; error?: Duplex }>();
  createSpdyConnection(transport, ({ id, headers, duplex }: SpdyStream) => {
    const type = headers["streamtype"];
    const port = Number(headers["port"]);
    if ((type !== "data" && type !== "error") || !isPort(port)) return duplex.destroy();
    // Clients older than the header open the error stream first, its data stream next.
    const request = headers["requestid"] ?? String(type === "error" ? id : id - 2);
    const pair = pairs.get(request) ?? {};
    pair[type] = duplex;
    pairs.set(request, pair);
    duplex.once("close", () => pairs.delete(request));
    const { data, error } = pair;
    if (!data || !error) return;
    pairs.delete(request);
    error.resume();
    forward(data, port, target).then(
      () => error.end(),
      (reason) => error.end(failure(port, target.pod, reason)),
    );
  });
}

const isPort = (port: number) => Number.isInteger(port) && port > 0 && port < 65536;

/**
 * Joins `data` to the pod's port. Resolves when the pod has said all it will, which a client of kubectl 1.30 or older hears of only once
 * the error stream has ended as well; what the client still says passes on. Rejects where no connection could be made, or it broke.
 */
function forward(data: Duplex, port: number, { host, pod }: ForwardTarget): Promise<void> {
  const address = host.portAddress(pod, port);
  if (!address) {
    data.end().resume();
    return Promise.reject(Object.assign(new Error("the pod is gone"), { code: GONE }));
  }
  const socket = net.connect({ ...address, noDelay: true, allowHalfOpen: true });
  return new Promise((resolve, reject) => {
    socket.once("error", (error) => {
      // The kubelet closes the stream in good order and tells the reason on the other one.
      if (data.writable) data.end();
      data.resume();
      reject(error);
    });
    socket.once("close", () => resolve());
    data.once("finish", resolve);
    data.once("close", () => socket.destroySoon());
    socket.once("connect", () => {
      data.pipe(socket);
      socket.pipe(data);
    });
  });
}

const GONE = "GONE";
const BROKEN: Readonly<Record<string, string>> = {
  ECONNRESET: "connection reset by peer",
  EPIPE: "broken pipe",
};

function failure(port: number, pod: Readonly<Pod>, error: NodeJS.ErrnoException): string {
  const { name, namespace, uid } = pod.metadata;
  return `error forwarding port ${port} to pod ${name}_${namespace}, uid ${uid}: ${reasonOf(port, pod, error)}`;
}

function reasonOf(
  port: number,
  { metadata: { name, namespace } }: Readonly<Pod>,
  error: NodeJS.ErrnoException,
): string {
  if (error.code === GONE) return `pod not found (${JSON.stringify(`${name}_${namespace}`)})`;
  const where = `localhost:${port} inside namespace ${JSON.stringify(namespace)}`;
  const refused = error.code === "ECONNREFUSED" ? "connect: connection refused" : error.message;
  return error.syscall === "read" || error.syscall === "write"
    ? `connection to ${where} broke: ${error.syscall} tcp4 127.0.0.1:${port}: ${BROKEN[error.code ?? ""] ?? error.message}`
    : `failed to connect to ${where}: dial tcp4 127.0.0.1:${port}: ${refused}`;
}

/**
 * The older protocol of WebSocket clients that are not kubectl: for the n-th port channel 2n carries data and 2n+1 errors; each begins
 * with the port in two bytes, little-endian. One connection a port and session.
 */
export function forwardChannels(channels: Channels, target: ForwardTarget, ports: readonly number[]): void {
  const ended: Promise<void>[] = [];
  const streams = ports.map((port, index) => {
    const name = Buffer.alloc(2);
    name.writeUInt16LE(port);
    channels.send(index * 2, name);
    channels.send(index * 2 + 1, name);
    const data = new Duplex({
      read: () => channels.resume(),
      write: (chunk: Buffer, _encoding, callback) =>
        channels.send(index * 2, chunk, (error) => callback(error)),
    });
    data.on("error", () => {});
    // The pod has nothing more to say: the protocol has no word for that but the end of the session.
    ended.push(new Promise((resolve) => data.once("finish", resolve)));
    forward(data, port, target).catch((reason) =>
      channels.send(index * 2 + 1, Buffer.from(failure(port, target.pod, reason))),
    );
    return data;
  });
  void Promise.all(ended).then(() => channels.close());
  channels.onMessage((channel, data) => {
    const stream = channel % 2 === 0 ? streams[channel / 2] : undefined;
    if (stream && !stream.destroyed && data.length > 0 && !stream.push(data)) channels.pause();
  });
  channels.gone.addEventListener("abort", () => {
    for (const stream of streams) stream.destroy();
  });
}
