// What the HTTP/1.1 parser cannot read, answered as Go's net/http answers it. Invariant: the answer arrives. A socket that is closed with input unread
// is reset, and the client throws away what it had received; so what still comes is read, and thrown away here.
import type { Duplex } from "node:stream";

/** Go lingers for 500 ms; a client behind a busy machine may need longer to have read its answer. */
const LINGER_MS = 2_000;
const STATUS: Readonly<Record<string, string>> = {
  HPE_HEADER_OVERFLOW: "431 Request Header Fields Too Large",
  HPE_CHUNK_EXTENSIONS_OVERFLOW: "413 Payload Too Large",
  ERR_HTTP_REQUEST_TIMEOUT: "408 Request Timeout",
};

/** A listener for `clientError` of one server. */
export function createBrokenRequests(): (error: NodeJS.ErrnoException, socket: Duplex) => void {
  // The parser fails anew with each piece that comes.
  const answered = new WeakSet<Duplex>();
  return (error, socket) => {
    if (answered.has(socket)) return;
    answered.add(socket);
    const { _httpMessage: under } = socket as { _httpMessage?: { readonly headersSent: boolean } };
    if (!socket.writable || error.code === "ECONNRESET" || under?.headersSent) {
      socket.destroy();
      return;
    }
    const status = STATUS[error.code ?? ""] ?? "400 Bad Request";
    const head = [
      `HTTP/1.1 ${status}`,
      "Content-Type: text/plain; charset=utf-8",
      `Content-Length: ${status.length}`,
      "Connection: close",
    ];
    socket.end(`${head.join("\r\n")}\r\n\r\n${status}`);
    socket.resume();
    const timer = setTimeout(() => socket.destroy(), LINGER_MS);
    socket.once("close", () => clearTimeout(timer));
  };
}
