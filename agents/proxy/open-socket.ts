// Where the proxy's listening sockets come from: below a supervisor they are its own, lent over IPC (src/process/shared-handles.ts),
// so that they outlive this process; alone, this process binds them itself.
import net, { type Server, type Socket } from "node:net";
import type { HandleReply, HandleRequest } from "../../src/process/shared-handles.ts";

export interface SocketSource {
  /** Listens and calls `onConnection`. Rejects with an Error whose `code` is the system's (EACCES, EADDRINUSE …). */
  open(
    place: { key: string; host: string; port: number },
    onConnection: (socket: Socket) => void,
  ): Promise<OpenSocket>;
}

export interface OpenSocket {
  /** Stops accepting; connections stay. A lent socket stays with the supervisor, for the next worker. */
  close(): void;
  /** The socket is wanted no more: closes it for all workers that have given it up. */
  giveUp(): void;
}

// Bursts of connections wait here while a worker starts; the kernel caps it at net.core.somaxconn.
const BACKLOG = 4_096;

const createServer = (onConnection: (socket: Socket) => void): Server =>
  net.createServer({ allowHalfOpen: true, noDelay: true }, onConnection);

/** Binds by itself. */
export const ownSockets: SocketSource = {
  async open({ host, port }, onConnection) {
    const server = await listen(createServer(onConnection), { host, port, exclusive: true });
    const close = () => {
      server.close();
    };
    return { close, giveUp: close };
  },
};

function listen(server: Server, place: object): Promise<Server> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(place, BACKLOG, () => {
      server.off("error", reject);
      // Accepting can fail later when file descriptors run out; the socket goes on and takes the next ones.
      server.on("error", () => {});
      resolve(server);
    });
  });
}

/** The part of `process` that a worker below a supervisor uses. */
export interface WorkerChannel {
  send(message: HandleRequest): void;
  onMessage(listener: (message: unknown, handle: unknown) => void): void;
}

// As long as another worker takes to wake up.
const PAUSE_MS = 0.05;
const nobody = new Int32Array(new SharedArrayBuffer(4));

/**
 * Takes turns with the other workers at one socket. The first that wakes would accept a whole burst of connections before it looks at
 * anything else, and long-lived ones would keep it busy alone; so after each further one of a burst it lets the others have a go.
 */
function inTurns(onConnection: (socket: Socket) => void): (socket: Socket) => void {
  let isBurst = false;
  return (socket) => {
    if (isBurst) Atomics.wait(nobody, 0, 0, PAUSE_MS);
    else
      setImmediate(() => {
        isBurst = false;
      });
    isBurst = true;
    onConnection(socket);
  };
}

/** Asks the supervisor for each socket and listens on what it lends. */
export function sharedSockets(channel: WorkerChannel): SocketSource {
  const waiting = new Map<string, { resolve: (handle: unknown) => void; reject: (error: Error) => void }>();
  channel.onMessage((message, handle) => {
    const reply = message as Partial<HandleReply> | undefined;
    if (reply?.handle !== "opened" && reply?.handle !== "failed") return;
    const request = waiting.get(reply.key ?? "");
    waiting.delete(reply.key ?? "");
    if (reply.handle === "opened") request?.resolve(handle);
    else {
      const code = (reply as { code: string }).code;
      request?.reject(Object.assign(new Error(`listen: ${code}`), { code }));
    }
  });
  return {
    async open({ key, host, port }, onConnection) {
      const handle = await new Promise<unknown>((resolve, reject) => {
        waiting.set(key, { resolve, reject });
        channel.send({ handle: "open", key, host, port });
      });
      const giveBack = () => channel.send({ handle: "close", key });
      try {
        const server = await listen(createServer(inTurns(onConnection)), { _handle: handle });
        const close = () => {
          server.close();
        };
        return {
          close,
          giveUp() {
            close();
            giveBack();
          },
        };
      } catch (error) {
        giveBack();
        throw error;
      }
    },
  };
}
