// One question to one DNS server: UDP, again after a silence, TCP where the answer was cut off.
import { randomInt } from "node:crypto";
import dgram from "node:dgram";
import net from "node:net";
import packet, { type DecodedPacket, type Packet } from "dns-packet";
import type { NameServer } from "./config.ts";

export interface DnsReply {
  readonly code: string;
  readonly answers: readonly DnsRecord[];
}

export interface DnsRecord {
  readonly type: string;
  readonly name: string;
  readonly data: unknown;
}

const TRIES = 2;
const WAIT_MS = 1_500;

/** Rejects where the server does not answer. */
export async function ask(server: NameServer, name: string, type: string): Promise<DnsReply> {
  const id = randomInt(65_536);
  const message = packet.encode({
    type: "query",
    id,
    flags: packet.RECURSION_DESIRED,
    questions: [{ name, type }],
    additionals: [{ type: "OPT", name: ".", udpPayloadSize: 4096, flags: 0, options: [] }],
  } as unknown as Packet);
  for (let attempt = 0; attempt < TRIES; attempt += 1) {
    const reply = await overUdp(server, message, id);
    if (!reply) continue;
    return toReply(reply.flag_tc ? await overTcp(server, message) : reply);
  }
  throw new Error("connection timed out; no servers could be reached");
}

function toReply(reply: DecodedPacket): DnsReply {
  const { rcode } = reply as DecodedPacket & { rcode?: string };
  return { code: rcode ?? "NOERROR", answers: (reply.answers ?? []) as unknown as DnsRecord[] };
}

/** Undefined after a silence, or where nobody listens. */
function overUdp(
  { host, port }: NameServer,
  message: Buffer,
  id: number,
): Promise<DecodedPacket | undefined> {
  const socket = dgram.createSocket(net.isIPv6(host) ? "udp6" : "udp4");
  return new Promise((resolve) => {
    const end = (reply?: DecodedPacket) => {
      clearTimeout(timer);
      socket.close();
      resolve(reply);
    };
    const timer = setTimeout(end, WAIT_MS);
    socket.once("error", () => end());
    socket.on("message", (bytes) => {
      try {
        const reply = packet.decode(bytes);
        if (reply.id === id && reply.type === "response") end(reply);
      } catch {
        // Not ours; the time limit decides.
      }
    });
    // Connected, so that the system says when nobody listens, and only that server is heard.
    socket.connect(port, host, () => socket.send(message));
  });
}

function overTcp({ host, port }: NameServer, message: Buffer): Promise<DecodedPacket> {
  return new Promise((resolve, reject) => {
    const socket = net.connect({ host, port, timeout: WAIT_MS });
    let received = Buffer.alloc(0);
    socket.on("timeout", () => socket.destroy(new Error("connection timed out")));
    socket.on("error", reject);
    socket.on("close", () => reject(new Error("connection closed")));
    socket.on("data", (chunk) => {
      received = Buffer.concat([received, chunk]);
      if (received.length < 2 || received.length < 2 + received.readUInt16BE(0)) return;
      try {
        resolve(packet.decode(received.subarray(2)));
      } catch (error) {
        reject(error);
      }
      socket.destroy();
    });
    const head = Buffer.alloc(2);
    head.writeUInt16BE(message.length);
    socket.end(Buffer.concat([head, message]));
  });
}
