// The cluster's DNS server: its sockets. Every proxy worker runs one on the same addresses. For UDP each binds a socket of
// its own: of several the kernel gives the datagrams to one, and to another when that one is gone, so a killed worker costs
// at most the queries it held. For TCP the workers share the supervisor's socket, like a Service's.
import dgram from "node:dgram";
import type { Socket } from "node:net";
import type { Clock } from "../../../src/base/clock.ts";
import { DNS_PORT, type DnsPlace } from "../../../src/base/cluster-dns.ts";
import type { Log } from "../../../src/base/log.ts";
import type { OpenSocket, SocketSource } from "../open-socket.ts";
import { answerMessage } from "./answer.ts";
import type { ZoneSource } from "./zone.ts";

export interface DnsServerOptions {
  readonly source: ZoneSource;
  readonly place: DnsPlace;
  readonly settings: { readonly singleAddress: boolean; readonly lowestPort: number };
  readonly sockets: SocketSource;
  readonly clock: Clock;
  readonly log: Log;
  readonly random?: () => number;
}

export interface DnsServer {
  /** Resolves when every socket is open or has failed once. */
  readonly ready: Promise<void>;
  stop(): void;
}

const RETRY_MS = 5_000;
// A client that sends half a message, or none, is not waited for longer.
const TCP_IDLE_MS = 10_000;
const LARGEST_TCP_BACKLOG = 128 * 1024;

export function startDnsServer(options: DnsServerOptions): DnsServer {
  const { source, place, settings, sockets, clock, log, random = Math.random } = options;
  const { host, port, clusterIP } = place;
  let stopped = false;
  const endings: (() => void)[] = [];
  const clients = new Set<Socket>();

  /** Opens with `open`; tries again for ever where that fails, and says so once. */
  const keep = async (what: string, open: () => Promise<() => void>) => {
    let told = false;
    const attempt = async () => {
      if (stopped) return;
      try {
        const close = await open();
        if (stopped) close();
        else endings.push(close);
      } catch (error) {
        if (!told) log.warn({ what, error: String(error) }, "DNS cannot listen");
        told = true;
        endings.push(clock.after(RETRY_MS, () => void attempt()));
      }
    };
    await attempt();
  };
  const answerUdp = (message: Buffer) => answerMessage(message, { source, transport: "udp", random });
  const accept = (client: Socket) => {
    clients.add(client);
    client.once("close", () => clients.delete(client));
    serveTcp(client, (message) => answerMessage(message, { source, transport: "tcp", random }));
  };
  const overTcp = async () => {
    const open: OpenSocket = await sockets.open({ key: `dns:${host}:${port}`, host, port }, accept);
    return () => open.close();
  };
  const udpPlaces = [{ host, port }];
  // TCP at the Service's address is the proxy's ordinary work; UDP is not, so it is served here.
  if (!settings.singleAddress && settings.lowestPort <= DNS_PORT)
    udpPlaces.push({ host: clusterIP, port: DNS_PORT });
  const opened = [
    keep(`tcp ${host}:${port}`, overTcp),
    ...udpPlaces.map((at) => keep(`udp ${at.host}:${at.port}`, () => openUdp(at, answerUdp))),
  ];
  return {
    ready: Promise.all(opened).then(() => {}),
    stop() {
      stopped = true;
      for (const end of endings.splice(0)) end();
      for (const client of clients) client.destroy();
    },
  };
}

function openUdp(
  { host, port }: { host: string; port: number },
  answer: (message: Buffer) => Buffer | undefined,
): Promise<() => void> {
  const socket = dgram.createSocket({ type: "udp4", reuseAddr: true });
  return new Promise((resolve, reject) => {
    socket.once("error", reject);
    socket.bind({ address: host, port, exclusive: true }, () => {
      socket.off("error", reject);
      // A client that is gone makes sending fail; that is its own affair.
      socket.on("error", () => {});
      socket.on("message", (message, from) => {
        const reply = answer(message);
        if (reply) socket.send(reply, from.port, from.address, () => {});
      });
      resolve(() => socket.close());
    });
  });
}

/** Messages with their length in front, one after another, answered in order. */
export function serveTcp(client: Socket, answer: (message: Buffer) => Buffer | undefined): void {
  let pending: Buffer = Buffer.alloc(0);
  client.on("error", () => {});
  client.setTimeout(TCP_IDLE_MS, () => client.destroy());
  client.on("data", (chunk: Buffer) => {
    pending = pending.length === 0 ? chunk : Buffer.concat([pending, chunk]);
    while (pending.length >= 2) {
      const length = pending.readUInt16BE(0);
      if (pending.length < 2 + length) break;
      const reply = answer(pending.subarray(2, 2 + length));
      pending = pending.subarray(2 + length);
      // Nobody who speaks DNS sends that over TCP.
      if (!reply) return client.destroy();
      const head = Buffer.alloc(2);
      head.writeUInt16BE(reply.length);
      client.write(Buffer.concat([head, reply]));
    }
    if (client.writableLength > LARGEST_TCP_BACKLOG) client.destroy();
  });
  client.on("end", () => client.end());
}
