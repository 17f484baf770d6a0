// One request that a process makes all its life, a heartbeat: only its body changes. It has a connection of its own and writes HTTP/1.1 by
// hand: once a second, Node's client spends more on the machinery of a request than on sending it, and heartbeats are all that an idle
// cluster does. Nothing is tried again here: whoever repeats a request does so anyway.
import { connect, type SecureContext, type TLSSocket } from "node:tls";
import { StatusError } from "../api/status-error.ts";
import { failureOf } from "./create-client.ts";
import type { Link } from "./link.ts";

export interface RepeatedRequestOptions {
  readonly host: string;
  readonly port: number;
  readonly secureContext: SecureContext;
  readonly method: string;
  /** With its query. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  /** No byte for so long, and the request fails. */
  readonly timeoutMs: number;
  readonly link?: Link | undefined;
  /** Ends the connection, and a request that is under way. */
  readonly signal?: AbortSignal | undefined;
}

interface Awaited {
  resolve(): void;
  reject(error: Error): void;
}

/**
 * Sends `body` as JSON and resolves once it was answered with success; rejects with a StatusError for a failure, with another error when no
 * answer was had. One at a time.
 */
export function createRepeatedRequest(options: RepeatedRequestOptions): (body: unknown) => Promise<void> {
  const { signal } = options;
  const head = headOf(options);
  let connection: TLSSocket | undefined;
  let awaited: Awaited | undefined;

  const settle = (failure?: Error) => {
    const { resolve, reject } = awaited ?? {};
    awaited = undefined;
    if (failure) reject?.(failure);
    else resolve?.();
  };
  const open = (): TLSSocket => {
    const opened = openConnection(options, {
      onAnswer({ status, text, isLast }) {
        if (isLast) opened.destroy();
        settle(status < 400 ? undefined : new StatusError(failureOf(status, parsed(text))));
      },
      onClose(why) {
        if (connection !== opened) return;
        connection = undefined;
        settle(why);
      },
    });
    return opened;
  };
  signal?.addEventListener("abort", () => connection?.destroy(), { once: true });

  return (body) =>
    new Promise((resolve, reject) => {
      if (awaited) throw new Error("a request was repeated before it was answered");
      if (signal?.aborted) throw new Error("aborted");
      if (!connection || connection.destroyed) connection = open();
      awaited = { resolve, reject };
      const text = JSON.stringify(body);
      connection.write(`${head}content-length: ${Buffer.byteLength(text)}\r\n\r\n${text}`);
    });
}

function headOf({ method, path, host, port, headers }: RepeatedRequestOptions): string {
  const lines = Object.entries({ host: `${host}:${port}`, ...headers });
  return `${method} ${path} HTTP/1.1\r\n${lines.map(([name, value]) => `${name}: ${value}\r\n`).join("")}`;
}

function openConnection(
  { host, port, secureContext, timeoutMs, link }: RepeatedRequestOptions,
  { onAnswer, onClose }: { onAnswer(answer: Answer): void; onClose(why: Error): void },
): TLSSocket {
  const socket = connect({ host, port, secureContext, ALPNProtocols: ["http/1.1"] });
  let received: Buffer | undefined;
  let why = new Error("the connection was closed before there was an answer");
  socket.setNoDelay(true);
  socket.setTimeout(timeoutMs, () =>
    socket.destroy(new Error(`no answer from https://${host}:${port} for ${timeoutMs} ms`)),
  );
  socket.on("error", (error) => {
    why = error;
  });
  socket.on("close", () => onClose(why));
  socket.on("data", (chunk: Buffer) => {
    received = received ? Buffer.concat([received, chunk]) : chunk;
    const answer = readAnswer(received);
    if (answer === "malformed") return socket.destroy(new Error("the answer is no HTTP of a known length"));
    if (!answer) return;
    received = undefined;
    onAnswer(answer);
    return;
  });
  link?.carry(socket);
  return socket;
}

interface Answer {
  readonly status: number;
  readonly text: string;
  /** The server closes the connection. */
  readonly isLast: boolean;
}

const HEAD_END = "\r\n\r\n";

/** Undefined until all of it is there. The API server answers a write with a Content-Length, always. */
function readAnswer(bytes: Buffer): Answer | "malformed" | undefined {
  const end = bytes.indexOf(HEAD_END);
  if (end < 0) return undefined;
  const head = bytes.toString("latin1", 0, end);
  const status = /^HTTP\/1\.1 (\d{3})/.exec(head)?.[1];
  const length = /\r\ncontent-length: *(\d+)/i.exec(head)?.[1];
  if (!status || !length) return "malformed";
  const from = end + HEAD_END.length;
  if (bytes.length < from + Number(length)) return undefined;
  return {
    status: Number(status),
    text: bytes.toString("utf8", from, from + Number(length)),
    isLast: /\r\nconnection: *close/i.test(head),
  };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
