// Writes answers onto HTTP: JSON documents whole, watches line by line for as long as the client keeps up.
import type { ServerResponse } from "node:http";
import type { Http2ServerResponse } from "node:http2";
import type { StatusError } from "../../api/status-error.ts";
import type { Answer, WatchAnswer } from "../request.ts";
import type { HttpRequest, HttpResponse } from "./listener.ts";
import { MAX_BODY_BYTES } from "./read-request.ts";

// What may wait for a watcher that does not read: enough for a big list's worth of events, small enough that a hundred
// stalled watchers are no threat.
const MAX_WATCH_BACKLOG = 8 * 1024 * 1024;

export function respond(request: HttpRequest, response: HttpResponse, answer: Answer): void {
  if (response.destroyed) return;
  if (answer.form === "watch") {
    respondWatch(response, answer);
    return;
  }
  const bytes = Buffer.from(answer.form === "document" ? answer.json() : answer.bytes);
  const type = answer.contentType ?? "application/json";
  const headers: Record<string, string | number | readonly string[]> = {
    "content-type": type,
    "cache-control": "no-cache, private",
    ...answer.headers,
  };
  if (answer.status !== 304) headers["content-length"] = bytes.length;
  if (answer.warnings && answer.warnings.length > 0) headers["warning"] = warningHeaders(answer.warnings);
  // What is left of a refused body would be taken for the next request.
  if (answer.status === 413 && request.httpVersionMajor === 1) headers["connection"] = "close";
  (response as ServerResponse).writeHead(answer.status, headers as Record<string, string | number>);
  if (request.method === "HEAD" || answer.status === 304) response.end();
  else response.end(bytes);
  if (!request.readableEnded) drain(request);
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

/** RFC 7234's form, as Kubernetes fills it in: `299 - "text"`. */
export function warningHeaders(warnings: readonly string[]): string[] {
  return warnings.map((text) => {
    const plain = text.replace(/[^\x20-\x7e]/g, " ").replace(/[\\"]/g, "\\$&");
    return `299 - "${plain}"`;
  });
}

function respondWatch(response: HttpResponse, answer: WatchAnswer): void {
  (response as ServerResponse).writeHead(200, {
    "content-type": answer.contentType,
    "cache-control": "no-cache, private",
  });
  (response as ServerResponse).flushHeaders();
  const stop = answer.start({
    send(event) {
      if (response.destroyed || response.writableEnded) return false;
      (response as ServerResponse).write(event.line());
      if (backlogOf(response) <= MAX_WATCH_BACKLOG) return true;
      // end() would wait for what the client does not read.
      response.destroy();
      return false;
    },
    end: () => {
      if (!response.destroyed) response.end();
    },
  });
  response.on("close", stop);
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
