import { createServer } from "node:net";

/** True when nobody listens at `host:port` and this user may: found out by trying. */
export async function portIsFree(host: string, port: number, protocol: string): Promise<boolean> {
  return protocol === "UDP" ? udpIsFree(host, port) : tcpIsFree(host, port);
}

function tcpIsFree(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(false));
    server.listen({ host, port, exclusive: true }, () => server.close(() => resolve(true)));
  });
}

async function udpIsFree(host: string, port: number): Promise<boolean> {
  const { createSocket } = await import("node:dgram");
  return new Promise((resolve) => {
    const socket = createSocket("udp4");
    socket.once("error", () => {
      socket.close();
      resolve(false);
    });
    socket.bind({ address: host, port, exclusive: true }, () => socket.close(() => resolve(true)));
  });
}
