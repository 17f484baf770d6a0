// Listening sockets that outlive the processes that accept on them. The supervisor binds each socket once and keeps it;
// workers are sent a duplicate over IPC and listen on it. While every worker is dead the kernel still completes handshakes,
// so connections wait in the backlog instead of being refused (docs/decisions/0003-proxy-handles.md).
// The holder never listens itself: a socket in use by others shows when a worker tries to listen.
import type { ChildProcess, SendHandle } from "node:child_process";
import net from "node:net";
import { getSystemErrorName } from "node:util";
import { bindOwnerOnly } from "./owner-only.ts";

/** Worker → supervisor. `key` is the worker's own name for the socket: the same in every worker that shares it. */
export type HandleRequest =
  | { readonly handle: "open"; readonly key: string; readonly host: string; readonly port: number }
  | { readonly handle: "close"; readonly key: string };

/** Supervisor → worker. `opened` comes with the socket; `failed` with the system's code (EACCES, EADDRINUSE …). */
export type HandleReply =
  | { readonly handle: "opened"; readonly key: string }
  | { readonly handle: "failed"; readonly key: string; readonly code: string };

/** A bound TCP socket that this process holds and never accepts on. */
export interface HeldSocket {
  /** The port it is bound to, also where 0 was asked for. */
  readonly port: number;
  /** Goes with any message to a child: `child.send(message, socket.handle)`; there `server.listen({ _handle: handle })`. */
  readonly handle: SendHandle;
  close(): void;
}

interface BoundHandle {
  getsockname(out: { port?: number }): number;
  close(): void;
}

/** Binds `host:port` (an IP address; port 0: any free). Throws an Error whose `code` is the system's. */
export function holdSocket(host: string, port: number): HeldSocket {
  // The one way to bind without accepting; node:cluster's primary does the same, but lets go when its last worker dies.
  const { _createServerHandle } = net as unknown as {
    _createServerHandle(host: string, port: number, family: 4 | 6, fd: number): BoundHandle | number;
  };
  // Not net.isIPv6: its expression alone takes 10 ms to compile, while a whole cluster waits for this socket.
  const handle = _createServerHandle(host, port, host.includes(":") ? 6 : 4, -1);
  if (typeof handle === "number") throw bindError(getSystemErrorName(handle), `${host}:${port}`);
  const bound: { port?: number } = {};
  const status = handle.getsockname(bound);
  // libuv keeps EADDRINUSE back until listen, and listening would then bind to any port: see that it is the one asked for.
  if (status !== 0 || bound.port === undefined || (port !== 0 && bound.port !== port)) {
    handle.close();
    throw bindError("EADDRINUSE", `${host}:${port}`);
  }
  return { port: bound.port, handle: handle as unknown as SendHandle, close: () => handle.close() };
}

/** A bound Unix socket that this process holds and never accepts on: a child that inherits `fd` listens on it (`server.listen({ fd })`). */
export interface HeldPath {
  readonly path: string;
  readonly fd: number;
  /** Removes the file, too. */
  close(): void;
}

/** Binds `path`, 0600; what an earlier process left there is replaced. Throws an Error whose `code` is the system's. */
export function holdPath(path: string): HeldPath {
  const { _createServerHandle } = net as unknown as {
    _createServerHandle(path: string, port: -1, family: -1): (BoundHandle & { readonly fd: number }) | number;
  };
  const handle = bindOwnerOnly(path, () => _createServerHandle(path, -1, -1));
  if (typeof handle === "number") throw bindError(getSystemErrorName(handle), path);
  return { path, fd: handle.fd, close: () => handle.close() };
}

function bindError(code: string, where: string): NodeJS.ErrnoException {
  return Object.assign(new Error(`bind ${where}: ${code}`), { code });
}

export interface SharedHandles {
  /** Answers the requests of `worker` until it exits. Call it right after fork. */
  serve(worker: ChildProcess): void;
  /** Lets go of every socket. */
  close(): void;
}

interface WorkerClaims {
  readonly keys: Set<string>;
  ready: boolean;
}

/**
 * The sockets of the proxy's workers. A socket is closed when a worker gives it up and no other live worker has it, and, for
 * what only dead workers had, once every live worker has said `{"ready":true}`: until then nobody knows what is still wanted.
 */
export function createSharedHandles(): SharedHandles {
  const sockets = new Map<string, HeldSocket>();
  const workers = new Set<WorkerClaims>();

  const letGo = (key: string) => {
    for (const worker of workers) if (worker.keys.has(key)) return;
    sockets.get(key)?.close();
    sockets.delete(key);
  };
  const sweep = () => {
    for (const worker of workers) if (!worker.ready) return;
    for (const key of [...sockets.keys()]) letGo(key);
  };
  const open = (worker: ChildProcess, request: HandleRequest & { handle: "open" }) => {
    const { key, host, port } = request;
    try {
      const socket = sockets.get(key) ?? holdSocket(host, port);
      sockets.set(key, socket);
      reply(worker, { handle: "opened", key }, socket.handle);
      return true;
    } catch (error) {
      reply(worker, { handle: "failed", key, code: (error as NodeJS.ErrnoException).code ?? "EINVAL" });
      return false;
    }
  };

  return {
    serve(worker) {
      const claims: WorkerClaims = { keys: new Set(), ready: false };
      workers.add(claims);
      worker.on("message", (message) => {
        const request = parseRequest(message);
        if (request === "ready") {
          claims.ready = true;
          sweep();
        } else if (request?.handle === "open") {
          if (open(worker, request)) claims.keys.add(request.key);
        } else if (request?.handle === "close") {
          claims.keys.delete(request.key);
          letGo(request.key);
        }
      });
      worker.once("exit", () => workers.delete(claims));
    },
    close() {
      for (const socket of sockets.values()) socket.close();
      sockets.clear();
    },
  };
}

// A worker that dies between its request and the answer makes send fail; its exit event says all there is to say.
function reply(worker: ChildProcess, message: HandleReply, handle?: SendHandle): void {
  if (worker.connected) worker.send(message, handle, {}, () => {});
}

function parseRequest(message: unknown): HandleRequest | "ready" | undefined {
  if (typeof message !== "object" || message === null) return undefined;
  if ("ready" in message && message.ready === true) return "ready";
  if (!("handle" in message) || !("key" in message) || typeof message.key !== "string") return undefined;
  const { handle, key } = message;
  if (handle === "close") return { handle, key };
  if (handle !== "open" || !("host" in message) || !("port" in message)) return undefined;
  const { host, port } = message;
  return typeof host === "string" && typeof port === "number" ? { handle, key, host, port } : undefined;
}
