// Servers that are made when somebody comes: TLS and HTTP/2 take long to load, and many processes are never asked for anything.
import type { Socket } from "node:net";
import type { Log } from "./log.ts";

/** What takes connections that others have accepted: any server of Node's. */
interface ConnectionTaker {
  emit(event: "connection", socket: Socket): boolean;
}

/** Hands each socket to the server that `make` makes for the first; where it cannot be made that is logged, the socket closed, and the next one tries again. */
export function createLateServer(make: () => Promise<ConnectionTaker>, log: Log): (socket: Socket) => void {
  let made: Promise<ConnectionTaker> | undefined;
  return (socket) => {
    made ??= make();
    made.then(
      (server) => server.emit("connection", socket),
      (error: unknown) => {
        made = undefined;
        log.error({ error: String(error) }, "no connection can be made secure");
        socket.destroy();
      },
    );
  };
}
