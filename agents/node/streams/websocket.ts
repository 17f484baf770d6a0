// exec, attach and port-forward over WebSocket. Kubernetes' channel protocols: the first byte of each message names a channel
// (in the base64 variants a digit does); port-forward of kubectl is SPDY inside, that of other clients two channels a port.
import type { IncomingMessage } from "node:http";
import { type Duplex, PassThrough, Writable } from "node:stream";
import { createWebSocketStream, type WebSocket, WebSocketServer } from "ws";
import { type ForwardTarget, forwardChannels, forwardStreams } from "./port-forward.ts";
import type { ClientStreams, CommandRequest, Outcome } from "./remote-command.ts";
import { createTerminalSizes } from "./terminal-size.ts";

const COMMAND_PROTOCOLS = [
  "v5.channel.k8s.io",
  "v4.channel.k8s.io",
  "v4.base64.channel.k8s.io",
  "channel.k8s.io",
  "base64.channel.k8s.io",
] as const;
const FORWARD_PROTOCOLS = [
  "SPDY/3.1+portforward.k8s.io",
  "v5.channel.k8s.io",
  "v4.channel.k8s.io",
  "v4.base64.channel.k8s.io",
];

const LARGEST_MESSAGE_BYTES = 32 * 1024 * 1024;
const STDIN_LIMIT_BYTES = 1024 * 1024;
// As long as the library waits for an answer to its farewell.
const LINGER_MS = 30_000;

/** Undefined (and the socket answered) where the client offers no protocol that is spoken here. */
function accept(
  { request, socket, head }: Upgrade,
  protocols: readonly string[],
): Promise<WebSocket | undefined> {
  const offered = (request.headers["sec-websocket-protocol"] ?? "").split(",").map((name) => name.trim());
  const chosen = offered.find((name) => protocols.includes(name));
  if (offered[0] !== "" && chosen === undefined) {
    socket.end("HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\nno subprotocol in common\n");
    return Promise.resolve(undefined);
  }
  const server = new WebSocketServer({
    noServer: true,
    perMessageDeflate: false,
    maxPayload: LARGEST_MESSAGE_BYTES,
    handleProtocols: () => chosen ?? false,
  });
  return new Promise((resolve) => {
    socket.once("close", () => resolve(undefined));
    server.handleUpgrade(request, socket, head, resolve);
  });
}

export interface Upgrade {
  readonly request: IncomingMessage;
  readonly socket: Duplex;
  readonly head: Buffer;
}

export async function acceptCommand(
  upgrade: Upgrade,
  wanted: CommandRequest,
): Promise<ClientStreams | undefined> {
  const socket = await accept(upgrade, COMMAND_PROTOCOLS);
  return socket && channelStreams(socket, wanted);
}

export async function acceptForward(upgrade: Upgrade, target: ForwardTarget): Promise<void> {
  const socket = await accept(upgrade, FORWARD_PROTOCOLS);
  if (!socket) return;
  socket.on("error", () => {});
  if (socket.protocol.startsWith("SPDY/")) {
    const transport = createWebSocketStream(socket);
    transport.once("end", () => socket.close(1000));
    forwardStreams(transport, target);
  } else {
    const query = new URL(upgrade.request.url ?? "", "http://node").searchParams;
    forwardChannels(channelsOf(socket), target, portsOf(query));
  }
}

function portsOf(query: URLSearchParams): number[] {
  return query.getAll("ports").flatMap((text) => text.split(",").map(Number));
}

/** A WebSocket as numbered channels. */
export interface Channels {
  /** Messages leave in the order of the calls, each in a TLS record of its own (src/server/streams/join.ts says for whom). */
  send(channel: number, data: Buffer, sent?: (error?: Error) => void): void;
  onMessage(listener: (channel: number, data: Buffer) => void): void;
  pause(): void;
  resume(): void;
  /** After what has been sent. A client that does not take that is cut off. */
  close(): void;
  readonly gone: AbortSignal;
}

function channelsOf(socket: WebSocket): Channels {
  const isBase64 = socket.protocol.includes("base64");
  const gone = new AbortController();
  socket.on("error", () => {});
  socket.once("close", () => gone.abort());
  let turn = Promise.resolve();
  const inTurn = (act: () => Promise<void> | void) => {
    turn = turn.then(act);
  };
  const write = (channel: number, data: Buffer): Promise<Error | undefined> =>
    new Promise((sent) => {
      if (socket.readyState !== socket.OPEN) sent(new Error("the client has gone"));
      else if (isBase64) socket.send(String(channel) + data.toString("base64"), { binary: false }, sent);
      else socket.send(Buffer.concat([Buffer.of(channel), data]), { binary: true }, sent);
    });
  return {
    send: (channel, data, sent) => inTurn(() => write(channel, data).then(sent)),
    onMessage(listener) {
      socket.on("message", (message: Buffer) => {
        if (message.length === 0) return;
        const [first = 0] = message;
        if (isBase64) listener(first - 48, Buffer.from(message.toString("latin1", 1), "base64"));
        else listener(first, message.subarray(1));
      });
    },
    pause: () => socket.pause(),
    resume: () => socket.resume(),
    close() {
      if (gone.signal.aborted) return;
      const timer = setTimeout(() => socket.terminate(), LINGER_MS);
      socket.once("close", () => clearTimeout(timer));
      inTurn(() => socket.close(1000));
    },
    gone: gone.signal,
  };
}

const STDIN = 0;
const STDOUT = 1;
const STDERR = 2;
const ERROR = 3;
const RESIZE = 4;
/** v5: the channel whose number follows is closed by the client. */
const CLOSE = 255;

function channelStreams(socket: WebSocket, wanted: CommandRequest): ClientStreams {
  const channels = channelsOf(socket);
  const stdin = wanted.stdin ? new PassThrough({ writableHighWaterMark: STDIN_LIMIT_BYTES }) : undefined;
  stdin?.on("drain", () => channels.resume());
  const sizes = createTerminalSizes();
  channels.onMessage((channel, data) => {
    if (channel === RESIZE) sizes.take(data.toString());
    if (!stdin || stdin.writableEnded) return;
    if (channel === CLOSE && data[0] === STDIN) stdin.end();
    else if (channel === STDIN && data.length > 0 && !stdin.write(data)) channels.pause();
  });
  channels.gone.addEventListener("abort", () => stdin?.end(), { once: true });
  // As Kubernetes: an empty message tells the client that the command is under way.
  channels.send(wanted.stdout ? STDOUT : wanted.stderr ? STDERR : ERROR, Buffer.alloc(0));
  const output = (channel: number) =>
    new Writable({
      write: (data: Buffer, _encoding, callback) => channels.send(channel, data, (error) => callback(error)),
    }).on("error", () => {});
  return {
    stdin,
    stdout: wanted.stdout ? output(STDOUT) : undefined,
    stderr: wanted.stderr && !wanted.tty ? output(STDERR) : undefined,
    sizes,
    gone: channels.gone,
    finish(outcome) {
      const text = outcomeText(outcome, socket.protocol);
      if (text) channels.send(ERROR, Buffer.from(text));
      // A client that still sends input must be heard saying goodbye.
      stdin?.resume();
      channels.resume();
      channels.close();
    },
  };
}

// Before v4 the error channel carried plain words, and nothing for success.
function outcomeText(outcome: Outcome, protocol: string): string {
  if (protocol.startsWith("v4") || protocol.startsWith("v5")) return JSON.stringify(outcome);
  return outcome.status === "Success" ? "" : (outcome.message ?? "");
}
