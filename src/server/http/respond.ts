// Writes answers onto HTTP: JSON documents whole, long lists piece by piece, watches line by line for as long as the client keeps up.
import type { ServerResponse } from "node:http";
import type { Http2ServerResponse } from "node:http2";
import type { Writable } from "node:stream";
import type { StatusError } from "../../api/status-error.ts";
import type { Answer, WatchAnswer } from "../request.ts";
import type { HttpRequest, HttpResponse } from "./listener.ts";
import { MAX_BODY_BYTES } from "./read-request.ts";

// What may wait for a watcher that does not read: enough for a big list's worth of events, small enough that a hundred
// stalled watchers are no threat.
const MAX_WATCH_BACKLOG = 8 * 1024 * 1024;

// Of a large answer, what is encrypted and sent at a time.
const SLICE = 512 * 1024;
const SHORT = 16 * 1024;

export function respond(request: HttpRequest, response: HttpResponse, answer: Answer): void {
  if (response.destroyed) return;
  if (answer.form === "watch") {
    respondWatch(response, answer);
    return;
  }
  const headers = headersOf(answer, answer.contentType ?? "application/json");
  const isHead = request.method === "HEAD";
  if (answer.form === "document" && answer.texts && !isHead)
    sendInPieces(response, { status: answer.status, headers, pieces: answer.texts() });
  else {
    const content = answer.form === "document" ? answer.json() : answer.bytes;
    const length = Buffer.byteLength(content);
    if (answer.status !== 304) headers["content-length"] = length;
    if (length > SLICE && !isHead)
      sendInPieces(response, { status: answer.status, headers, pieces: slicesOf(bytesOf(content)) });
    else {
      // Short text goes out in one piece with its head; longer text would only be copied once more for that.
      const body = length <= SHORT ? content : bytesOf(content);
      sendWhole(request, response, { status: answer.status, headers, body });
    }
  }
  if (!request.readableEnded) drain(request);
}

type Headers = Record<string, string | number | readonly string[]>;
type Head = { readonly status: number; readonly headers: Headers };

function sendWhole(
  request: HttpRequest,
  response: HttpResponse,
  { status, headers, body }: Head & { readonly body: string | Uint8Array },
): void {
  // What is left of a refused body would be taken for the next request.
  if (status === 413 && request.httpVersionMajor === 1) headers["connection"] = "close";
  writeHead(response, { status, headers });
  if (request.method === "HEAD" || status === 304) response.end();
  else if (headers["connection"] === "close" && !request.readableEnded) {
    // Ended now, the connection would be reset under a client that is still sending, and the answer lost with it.
    (response as ServerResponse).write(body);
    request.once("end", () => response.end()).once("close", () => response.end());
  } else (response as ServerResponse).end(body);
}

const writeHead = (response: HttpResponse, { status, headers }: Head) =>
  (response as ServerResponse).writeHead(status, headers as Record<string, string | number>);

function headersOf(answer: Answer, type: string): Headers {
  const headers = answer.form === "watch" ? {} : answer.headers;
  return { "content-type": type, "cache-control": "no-cache, private", ...headers, ...warningsOf(answer) };
}

const bytesOf = (content: string | Uint8Array): Buffer =>
  typeof content === "string"
    ? Buffer.from(content)
    : Buffer.from(content.buffer, content.byteOffset, content.byteLength);

function* slicesOf(bytes: Buffer): Iterable<Buffer> {
  for (let start = 0; start < bytes.length; start += SLICE) yield bytes.subarray(start, start + SLICE);
}

/** As fast as the client takes it, and others have their turn after each piece. */
function sendInPieces(
  response: HttpResponse,
  { pieces, ...head }: Head & { readonly pieces: Iterable<string | Buffer> },
): void {
  const send = async () => {
    writeHead(response, head);
    for (const piece of pieces) {
      if (response.destroyed) return;
      (response as ServerResponse).write(piece);
      await new Promise<void>((next) => whenReady(response, next));
    }
    response.end();
  };
  send().catch((error: Error) => response.destroy(error));
}

/** Calls `next` once the client has taken what was written, or gone; never at once. */
function whenReady(response: HttpResponse, next: () => void): void {
  const plain = response as ServerResponse;
  const { stream: ofHttp2 } = response as Partial<Http2ServerResponse>;
  const stream: Writable = ofHttp2 ?? (plain.chunkedEncoding ? plain.socket : null) ?? plain;
  if (!stream.writableNeedDrain || stream.destroyed) {
    setImmediate(next);
    return;
  }
  const ready = () => {
    stream.off("drain", ready).off("close", ready);
    // A client on the same machine takes everything at once: "drain" would follow "drain" without anybody else's turn.
    setImmediate(next);
  };
  stream.on("drain", ready).on("close", ready);
}

/** Reads away a body that nobody wanted, a bit of it at least, so that the client gets to its answer. */
function drain(request: HttpRequest): void {
  let left = 4 * MAX_BODY_BYTES;
  request.on("data", (chunk: Buffer) => {
    left -= chunk.length;
    if (left < 0) request.destroy();
  });
  request.resume();
}

// kube-apiserver's bounds, in characters: of all warnings together, and of each where they are more than that.
const MOST_WARNED = 4096;
const LONGEST_WARNING = 256;

/** Each warning once; where all are too long together each is cut short, and the last ones are left out. */
function told(warnings: readonly string[]): string[] {
  const texts = [...new Set(warnings)];
  if (texts.reduce((sum, text) => sum + text.length, 0) <= MOST_WARNED) return texts;
  const short: string[] = [];
  let written = 0;
  for (const text of texts) {
    if (written >= MOST_WARNED) break;
    const cut = text.length > LONGEST_WARNING ? [...text].slice(0, LONGEST_WARNING).join("") : text;
    written += cut.length;
    short.push(cut);
  }
  return short;
}

/** RFC 7234's form, as Kubernetes fills it in: `299 - "text"`. */
export function warningHeaders(warnings: readonly string[]): string[] {
  return told(warnings).map((text) => {
    const plain = text.replace(/[^\x20-\x7e]/g, " ").replace(/[\\"]/g, "\\$&");
    return `299 - "${plain}"`;
  });
}

const warningsOf = ({ warnings = [] }: Answer): Record<string, string[]> =>
  warnings.length > 0 ? { warning: warningHeaders(warnings) } : {};

function respondWatch(response: HttpResponse, answer: WatchAnswer): void {
  writeHead(response, { status: 200, headers: headersOf(answer, answer.contentType) });
  (response as ServerResponse).flushHeaders();
  const stop = answer.start({
    send(event) {
      if (response.destroyed || response.writableEnded) return false;
      writeLine(response, event.line());
      if (backlogOf(response) <= MAX_WATCH_BACKLOG) return true;
      // end() would wait for what the client does not read.
      response.destroy();
      return false;
    },
    whenReady: (next) => whenReady(response, next),
    end: () => {
      if (!response.destroyed) response.end();
    },
  });
  response.on("close", stop);
}

/**
 * Past `response.write`, which frames and copies for each watcher: the head is out, so the socket takes the event as one ready chunk. An event
 * goes to fifty watchers in half the time.
 */
function writeLine(response: HttpResponse, line: Buffer): void {
  const plain = response as ServerResponse;
  if (plain.chunkedEncoding && plain.socket) plain.socket.write(chunkOf(line));
  else plain.write(line);
}

// By the line's buffer, which all watchers of an event share.
const chunks = new WeakMap<Buffer, Buffer>();
const CRLF = Buffer.from("\r\n");

/** As RFC 9112 section 7.1 frames it. */
function chunkOf(line: Buffer): Buffer {
  const known = chunks.get(line);
  if (known) return known;
  const chunk = Buffer.concat([Buffer.from(`${line.length.toString(16)}\r\n`), line, CRLF]);
  chunks.set(line, chunk);
  return chunk;
}

function backlogOf(response: HttpResponse): number {
  return (
    (response as ServerResponse).writableLength ?? (response as Http2ServerResponse).stream.writableLength
  );
}

/** The plain HTTP/1.1 answer to an upgrade that is refused. */
export function upgradeRefusal({ status, code }: StatusError): string {
  const body = JSON.stringify(status);
  return [
    `HTTP/1.1 ${code} ${status.reason ?? "Error"}`,
    "Content-Type: application/json",
    `Content-Length: ${Buffer.byteLength(body)}`,
    "Connection: close",
    "",
    body,
  ].join("\r\n");
}
