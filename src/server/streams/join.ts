// Connections to a backend, and the joining of two sockets: bytes pass through unread, both ways, until both have ended.
import { type IncomingMessage, STATUS_CODES } from "node:http";
import net, { type Socket } from "node:net";
import type { Duplex } from "node:stream";
import tls from "node:tls";
import type { Status } from "../../api/generated/types.ts";
import { StatusError } from "../../api/status-error.ts";
import { isImpersonation } from "../impersonation.ts";
import type { Location } from "./locate.ts";

/** What the API server shows to node agents, and the name it wants to see in their certificate. PEM texts. */
export interface AgentIdentity {
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
  readonly servername: string;
}

/** The name in every node agent's certificate (docs/architecture.md): addresses come and go, the name stays. */
export const AGENT_NAME = "kubelet.kubemu";

const DIAL_TIMEOUT_MS = 10_000;
// A peer that does not close its half after ours is complete and the other side is gone.
const LINGER_MS = 5_000;

/** Connects; rejects with a StatusError in the words of Kubernetes' upgrade proxy. */
export function dial(location: Location, identity: AgentIdentity, signal: AbortSignal): Promise<Socket> {
  const { host, port, scheme } = location;
  return new Promise((resolve, reject) => {
    const socket =
      scheme === "http"
        ? net.connect({ host, port, noDelay: true, allowHalfOpen: true })
        : tls.connect({ host, port, ...tlsOptions(scheme, identity), ALPNProtocols: ["http/1.1"] });
    const fail = (error: Error) => {
      socket.destroy();
      reject(unreachable(`error dialing backend: ${dialError(error, location)}`, error));
    };
    const onAbort = () => socket.destroy();
    signal.addEventListener("abort", onAbort, { once: true });
    socket.once("close", () => signal.removeEventListener("abort", onAbort));
    socket.once("error", fail);
    socket.setTimeout(DIAL_TIMEOUT_MS, () =>
      fail(Object.assign(new Error("timeout"), { code: "ETIMEDOUT" })),
    );
    socket.once(scheme === "http" ? "connect" : "secureConnect", () => {
      socket.setTimeout(0);
      socket.setNoDelay(true);
      socket.off("error", fail);
      socket.on("error", () => {});
      resolve(socket);
    });
  });
}

/** TLS options for a backend. Unlike an agent's, a pod's own certificate comes from anywhere and is not checked, as in Kubernetes. */
export function tlsOptions(scheme: Location["scheme"], identity: AgentIdentity): tls.ConnectionOptions {
  return scheme === "agent" ? identity : { rejectUnauthorized: false };
}

/** 500 without a reason, as Kubernetes answers for a Go error that is no Status: kubectl prints `Error from server: MESSAGE`. */
export function unreachable(message: string, cause: Error): StatusError {
  const metadata = {} as Status["metadata"];
  return new StatusError(
    { kind: "Status", apiVersion: "v1", metadata, status: "Failure", message, code: 500 },
    { cause },
  );
}

const GO_WORDS: Readonly<Record<string, string>> = {
  ECONNREFUSED: "connect: connection refused",
  ECONNRESET: "read: connection reset by peer",
  EHOSTUNREACH: "connect: no route to host",
  ENETUNREACH: "connect: network is unreachable",
  ETIMEDOUT: "i/o timeout",
};

/** `dial tcp 127.0.0.1:10250: connect: connection refused`: how a Go client reports it. */
export function dialError(error: Error, { host, port }: Location): string {
  const { code } = error as NodeJS.ErrnoException;
  return `dial tcp ${host}:${port}: ${GO_WORDS[code ?? ""] ?? error.message}`;
}

const NOT_FORWARDED: ReadonlySet<string> = new Set([
  "host",
  "connection",
  "upgrade",
  "authorization",
  "cookie",
]);

/** The head of the upgrade request as the backend gets it. Credentials, and who it is meant to be from, end at the API server. */
export function upgradeHead(request: IncomingMessage, { host, port, path }: Location): string {
  const lines = [`${request.method} ${path} HTTP/1.1`, `Host: ${host}:${port}`, "Connection: Upgrade"];
  lines.push(`Upgrade: ${request.headers.upgrade ?? ""}`);
  const { rawHeaders } = request;
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
    const name = rawHeaders[index] ?? "";
    const lower = name.toLowerCase();
    if (NOT_FORWARDED.has(lower) || isImpersonation(lower)) continue;
    lines.push(`${name}: ${rawHeaders[index + 1]}`);
  }
  return `${lines.join("\r\n")}\r\n\r\n`;
}

/**
 * Passes everything both ways; an end is passed on as an end, a failure cuts both. What came as one TLS record leaves as one, as in Kubernetes:
 * a client that polls its socket and reads one message at a time (the Python client does) does not see a second message of a record.
 */
export function join(a: Duplex, b: Duplex): void {
  pass(a, b);
  pass(b, a);
}

function pass(from: Duplex, to: Duplex): void {
  // One at a time: what waits beside another is written together with it.
  from.on("data", (chunk: Buffer) => {
    from.pause();
    to.write(chunk, () => from.resume());
  });
  from.once("end", () => to.end());
  from.once("close", () => {
    if (to.destroyed) return;
    if (!from.readableEnded) {
      to.destroy();
      return;
    }
    const timer = setTimeout(() => to.destroy(), LINGER_MS);
    timer.unref();
    to.once("close", () => clearTimeout(timer));
  });
}

/** Answers an upgrade request with a Status and closes. */
export function endWithStatus(socket: Duplex, error: unknown): void {
  if (socket.destroyed) return;
  const { status } =
    error instanceof StatusError ? error : unreachable(String(error), new Error("upgrade", { cause: error }));
  const body = Buffer.from(JSON.stringify(status));
  const head = [
    `HTTP/1.1 ${status.code} ${STATUS_CODES[status.code] ?? ""}`,
    "Content-Type: application/json",
    `Content-Length: ${body.length}`,
    "Connection: close",
  ];
  socket.end(Buffer.concat([Buffer.from(`${head.join("\r\n")}\r\n\r\n`), body]));
}
