// hostPort: what connects to a port of the node's address reaches the pod's. One listener a port while the pod has its sandbox.
// Unlike Kubernetes: a port that cannot be listened on (privileged, or taken by another program of the machine) is told by an Event
// and the pod runs all the same. TCP only. A hostIP that is not one of this machine's own addresses is that of the node.
import net from "node:net";
import type { Pod } from "../../../src/api/generated/types.ts";

export interface HostPort {
  readonly host: string;
  readonly port: number;
  readonly containerPort: number;
}

/** The ports to listen on. Pure. A pod in the host's network listens on its own. */
export function hostPortsOf(pod: Readonly<Pod>, nodeIP: string): HostPort[] {
  if (pod.spec?.hostNetwork) return [];
  const containers = [...(pod.spec?.initContainers ?? []), ...(pod.spec?.containers ?? [])];
  return containers.flatMap(({ ports = [] }) =>
    ports.flatMap(({ hostPort, hostIP, containerPort, protocol = "TCP" }) => {
      if (!hostPort || protocol !== "TCP") return [];
      const host = hostIP?.startsWith("127.") ? hostIP : nodeIP;
      return [{ host, port: hostPort, containerPort }];
    }),
  );
}

export interface Forwarding {
  /** Resolves when nobody listens and nobody is connected any more. */
  stop(): Promise<void>;
}

/** Listens on each of `ports`; `onFailure` hears of those that cannot be. `target` says where a container's port is. */
export async function forwardHostPorts(
  ports: readonly HostPort[],
  target: (containerPort: number) => { host: string; port: number },
  onFailure: (port: HostPort, error: NodeJS.ErrnoException) => void,
): Promise<Forwarding> {
  const sockets = new Set<net.Socket>();
  const keep = (socket: net.Socket) => {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
  };
  const servers = await Promise.all(
    ports.map((port) => {
      const server = net.createServer({ allowHalfOpen: true, noDelay: true }, (client) => {
        const pod = net.connect({ ...target(port.containerPort), allowHalfOpen: true, noDelay: true });
        for (const socket of [client, pod]) keep(socket);
        join(client, pod);
      });
      return new Promise<net.Server | undefined>((resolve) => {
        server.once("error", (error) => {
          onFailure(port, error);
          resolve(undefined);
        });
        server.listen({ host: port.host, port: port.port }, () => resolve(server));
      });
    }),
  );
  return {
    async stop() {
      const closed = servers.map(
        (server) => new Promise<void>((done) => (server ? server.close(() => done()) : done())),
      );
      for (const socket of sockets) socket.destroy();
      await Promise.all(closed);
    },
  };
}

/** Both ways; a side that fails or is gone takes the other with it. */
function join(client: net.Socket, pod: net.Socket): void {
  for (const [from, to] of [
    [client, pod],
    [pod, client],
  ] as const) {
    from.pipe(to);
    from.once("error", () => to.resetAndDestroy());
    from.once("close", () => to.destroySoon());
  }
}
