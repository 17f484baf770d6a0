// `kubemu port-forward POD|TYPE/NAME [LOCAL:]REMOTE …`: a local port whose connections go to the pod through the API server. One WebSocket a
// connection (`v4.channel.k8s.io`: channel 0 carries data, 1 errors, each begins with the port in two bytes).
import { createServer, type Server, type Socket } from "node:net";
import type { Pod, Service } from "../../api/generated/types.ts";
import { pods } from "../../api/kinds/pod.ts";
import { pathOf } from "../../api/resource.ts";
import { type Invocation, UsageError } from "../command.ts";
import { type Found, podsOf } from "../pod-of.ts";
import { note, type Session, say, withSession } from "../session.ts";

const [DATA, ERROR] = [0, 1];
const HIGHEST_PORT = 65_535;
// As much as one side may be ahead of the other.
const HIGH_WATER = 1024 * 1024;

export interface Forward {
  /** 0: any free. */
  readonly local: number;
  readonly remote: string;
}

/** `8080:80`, `8080`, `:80`, `8080:http`. */
export function parseForward(text: string): Forward {
  const [, local, remote] = /^(?:(\d*):)?([a-z0-9-]+)$/.exec(text) ?? [];
  const number = local === undefined ? Number(remote) : Number(local || 0);
  if (
    !remote ||
    !Number.isInteger(number) ||
    number > HIGHEST_PORT ||
    (/^\d+$/.test(remote) && !isPort(Number(remote)))
  )
    throw new UsageError(`a port is LOCAL:REMOTE, PORT or :REMOTE, not ${JSON.stringify(text)}`);
  return { local: number, remote };
}

const isPort = (port: number) => port > 0 && port <= HIGHEST_PORT;

export const portForward = (invocation: Invocation): Promise<number> =>
  withSession(invocation, async (session) => {
    const [word, ...ports] = invocation.arguments;
    if (word === undefined || ports.length === 0)
      throw new UsageError("TYPE/NAME and list of ports are required for port-forward");
    const forwards = ports.map(parseForward);
    const found = await podsOf(session, word);
    const host =
      typeof invocation.options["address"] === "string" ? invocation.options["address"] : "127.0.0.1";
    const servers = await Promise.all(
      forwards.map(({ local, remote }) =>
        listen(session, found.pods[0]!, { host, local, remote: containerPort(found, remote) }),
      ),
    );
    await new Promise<void>((resolve) => process.once("SIGINT", resolve).once("SIGTERM", resolve));
    for (const server of servers) server.close();
    return 0;
  });

/** A Service's port leads to its target port, a name to the container's port of that name. */
export function containerPort({ pods: [pod], owner }: Found, remote: string): number {
  const service = owner && "clusterIP" in ((owner as Service).spec ?? {}) ? (owner as Service) : undefined;
  const port = service?.spec.ports?.find((each) => each.name === remote || String(each.port) === remote);
  if (service && !port)
    throw new Error(`Service ${service.metadata.name} does not have a service port ${remote}`);
  const target = port ? (port.targetPort ?? port.port) : /^\d+$/.test(remote) ? Number(remote) : remote;
  if (typeof target === "number") return target;
  const named = pod?.spec.containers.flatMap(({ ports = [] }) => ports).find(({ name }) => name === target);
  if (!named)
    throw new Error(`Pod ${pod?.metadata.name} does not have a named port ${JSON.stringify(target)}`);
  return named.containerPort;
}

async function listen(
  session: Session,
  pod: Pod,
  { host, local, remote }: { host: string; local: number; remote: number },
): Promise<Server> {
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    say(`Handling connection for ${(server.address() as { port: number }).port}`);
    carry(session, pod, { socket, remote }).catch((error: Error) => {
      note(`error: ${error.message}`);
      socket.destroy();
    });
  });
  await new Promise<void>((resolve, reject) => server.once("error", reject).listen(local, host, resolve));
  say(`Forwarding from ${host}:${(server.address() as { port: number }).port} -> ${remote}`);
  return server;
}

async function carry(
  session: Session,
  pod: Pod,
  { socket, remote }: { socket: Socket; remote: number },
): Promise<void> {
  socket.pause();
  socket.on("error", () => socket.destroy());
  const streams = await session.streams();
  const query = new URLSearchParams({ ports: String(remote) });
  const path = pathOf(pods, { ...pod.metadata, subresource: "portforward" });
  const tunnel = await streams.webSocket({ path, query }, ["v4.channel.k8s.io"]);
  const greeted = new Set<number>();
  tunnel.on("message", (message: Buffer) => {
    const channel = message[0] ?? 0;
    const isGreeting = !greeted.has(channel);
    greeted.add(channel);
    const data = message.subarray(isGreeting ? 3 : 1);
    if (data.length === 0) return;
    if (channel === ERROR) note(`error: ${data.toString()}`);
    else if (channel === DATA && !socket.write(data)) {
      tunnel.pause();
      socket.once("drain", () => tunnel.resume());
    }
  });
  socket.on("data", (chunk) => {
    tunnel.send(Buffer.concat([Buffer.of(DATA), chunk]), () => {
      if (socket.isPaused() && tunnel.bufferedAmount < HIGH_WATER) socket.resume();
    });
    if (tunnel.bufferedAmount > HIGH_WATER) socket.pause();
  });
  tunnel.once("close", () => socket.end());
  socket.once("close", () => tunnel.close(1000));
  socket.resume();
}
