import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";

/** Answers `Upgrade: SPDY/3.1` with the first of `protocols` that the client offers; false (and the socket answered) where there is none. */
export function acceptSpdy(
  { request, socket, head }: { request: IncomingMessage; socket: Duplex; head: Buffer },
  protocols: readonly string[],
): boolean {
  const header = request.headers["x-stream-protocol-version"] ?? "";
  const offered = (Array.isArray(header) ? header.join(",") : header).split(",").map((name) => name.trim());
  const chosen = offered[0] === "" ? protocols[0] : protocols.find((name) => offered.includes(name));
  if (chosen === undefined) {
    // The words of apimachinery's httpstream.Handshake.
    const message = `unable to negotiate protocol: client supports [${offered.join(" ")}], server accepts [${protocols.join(" ")}]\n`;
    const head = `HTTP/1.1 403 Forbidden\r\nConnection: close\r\nContent-Type: text/plain\r\nContent-Length: ${message.length}\r\n\r\n`;
    socket.end(head + message);
    return false;
  }
  if (head.length > 0) socket.unshift(head);
  socket.write(
    `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: SPDY/3.1\r\nX-Stream-Protocol-Version: ${chosen}\r\n\r\n`,
  );
  return true;
}
