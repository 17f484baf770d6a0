import dgram from "node:dgram";
import net from "node:net";
import packet, { type DecodedPacket, type Packet } from "dns-packet";
import fc from "fast-check";
import { afterEach, describe, expect, test } from "vitest";
import { answerMessage } from "../../../../../agents/proxy/dns/answer.ts";
import { type DnsServer, startDnsServer } from "../../../../../agents/proxy/dns/server.ts";
import { ownSockets } from "../../../../../agents/proxy/open-socket.ts";
import { systemClock } from "../../../../../src/base/clock.ts";
import { silentLog } from "../../../../../src/base/log.ts";
import { cluster, service, slice, sourceOf } from "./source.ts";

type Transport = "udp" | "tcp";
const options = (transport: Transport = "udp") => ({ source: cluster, transport, random: () => 0.99 });

const query = (name: string, type = "A", more: object = {}) =>
  packet.encode({
    type: "query",
    id: 4711,
    flags: packet.RECURSION_DESIRED,
    questions: [{ name, type }],
    ...more,
  } as unknown as Packet);

function ask(message: Buffer, from = options()): DecodedPacket & { rcode: string } {
  const reply = answerMessage(message, from);
  if (!reply) throw new Error("no reply");
  return packet.decode(reply) as DecodedPacket & { rcode: string };
}

describe("a query", () => {
  test("is answered with its own id and question, with authority", () => {
    const reply = ask(query("web.default.svc.cluster.local"));
    expect(reply).toMatchObject({ id: 4711, rcode: "NOERROR", flag_aa: true, flag_rd: true, flag_tc: false });
    expect(reply.questions).toMatchObject([{ name: "web.default.svc.cluster.local", type: "A" }]);
    expect(reply.answers).toMatchObject([{ type: "A", data: "127.20.192.7", ttl: 5 }]);
  });

  test.each([
    ["nobody.default.svc.cluster.local", "NXDOMAIN", ["SOA"]],
    ["1.2.3.4.in-addr.arpa", "NXDOMAIN", ["SOA"]],
    ["example.com", "REFUSED", []],
  ])("for %s is answered %s", (name, rcode, authorities) => {
    const reply = ask(query(name));
    expect(reply.rcode).toBe(rcode);
    expect(reply.authorities?.map(({ type }) => type)).toEqual(authorities);
  });

  test("for a type that the name has not is answered with the zone's SOA alone", () => {
    const reply = ask(query("web.default.svc.cluster.local", "AAAA"));
    expect(reply).toMatchObject({
      rcode: "NOERROR",
      answers: [],
      authorities: [{ type: "SOA", name: "cluster.local" }],
    });
  });

  test("for the zone itself is answered with its SOA and name server", () => {
    expect(ask(query("cluster.local", "SOA")).answers).toMatchObject([{ type: "SOA" }]);
    expect(ask(query("cluster.local", "NS")).answers).toMatchObject([{ data: "ns.dns.cluster.local" }]);
  });

  test("of another class or kind is refused", () => {
    const chaos = { questions: [{ name: "web.default.svc.cluster.local", type: "A", class: "CH" }] };
    expect(ask(query("", "A", chaos)).rcode).toBe("REFUSED");
    const update = query("web.default.svc.cluster.local");
    update.writeUInt16BE(5 << 11, 2);
    expect(ask(update).rcode).toBe("NOTIMP");
    expect(ask(query("", "A", { questions: [] })).rcode).toBe("FORMERR");
  });

  test("that is none is left alone", () => {
    const answered = query("web.default.svc.cluster.local", "A", { type: "response" });
    expect(answerMessage(answered, options())).toBeUndefined();
    expect(answerMessage(Buffer.from("short"), options())).toBeUndefined();
  });
});

describe("many addresses", () => {
  const endpoints = Array.from({ length: 80 }, (_, index) => ({
    addresses: [`127.20.1.${index + 2}`],
    conditions: { ready: true },
  }));
  const many = sourceOf([service("many", { clusterIP: "None" })], [slice("many", endpoints)]);
  const from = (transport: Transport) => ({ ...options(transport), source: many });
  const name = "many.default.svc.cluster.local";

  test("are cut off over plain UDP, with the flag that says so", () => {
    const bytes = answerMessage(query(name), from("udp"));
    expect(bytes?.length).toBeLessThanOrEqual(512);
    const reply = ask(query(name), from("udp"));
    expect(reply.flag_tc).toBe(true);
    expect(reply.answers?.length).toBeGreaterThan(8);
  });

  test("are all there for a client that takes more, and over TCP", () => {
    const edns = { additionals: [{ type: "OPT", name: ".", udpPayloadSize: 4096, flags: 0, options: [] }] };
    const reply = ask(query(name, "A", edns), from("udp"));
    expect(reply).toMatchObject({ flag_tc: false, additionals: [{ type: "OPT" }] });
    expect(reply.answers).toHaveLength(80);
    expect(ask(query(name), from("tcp")).answers).toHaveLength(80);
  });
});

describe("whatever comes in", () => {
  const isSound = (message: Buffer) => {
    const reply = answerMessage(message, options());
    if (reply === undefined) return message.length < 12 || (message.readUInt16BE(2) & 0x8000) !== 0;
    return reply.readUInt16BE(0) === message.readUInt16BE(0) && packet.decode(reply).type === "response";
  };
  test("bytes of any kind get an answer or silence", () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 600 }), (bytes) => isSound(Buffer.from(bytes))));
  });

  test("a damaged query gets an answer or silence", () => {
    const whole = query("web-0.nginx.default.svc.cluster.local", "SRV");
    const damage = fc.array(fc.tuple(fc.nat(whole.length - 1), fc.nat(255)), { minLength: 1, maxLength: 8 });
    fc.assert(
      fc.property(damage, fc.nat(whole.length), (changes, length) => {
        const bytes = Buffer.from(whole);
        for (const [at, value] of changes) bytes[at] = value;
        return isSound(bytes.subarray(0, length));
      }),
    );
  });

  test("any name gets an answer", () => {
    const label = fc.string({ minLength: 1, maxLength: 20 }).filter((text) => !text.includes("."));
    const names = fc.array(label, { minLength: 1, maxLength: 8 });
    fc.assert(fc.property(names, (labels) => isSound(query(`${labels.join(".")}.svc.cluster.local`))));
  });
});

describe("the server", () => {
  let servers: DnsServer[] = [];
  afterEach(() => {
    for (const server of servers) server.stop();
    servers = [];
  });
  const start = async (port: number) => {
    const server = startDnsServer({
      source: cluster,
      place: { clusterIP: "10.96.0.10", host: "127.0.0.1", port },
      settings: { singleAddress: true, lowestPort: 1024 },
      sockets: ownSockets,
      clock: systemClock,
      log: silentLog,
    });
    servers.push(server);
    await server.ready;
    return server;
  };
  const freePort = async () => {
    const holder = net.createServer().listen(0, "127.0.0.1");
    await new Promise((resolve) => holder.once("listening", resolve));
    const { port } = holder.address() as net.AddressInfo;
    await new Promise((resolve) => holder.close(resolve));
    return port;
  };
  const askUdp = async (port: number, messages: readonly Buffer[]) => {
    const socket = dgram.createSocket("udp4");
    try {
      const reply = new Promise<Buffer>((resolve) => socket.once("message", resolve));
      for (const message of messages) socket.send(message, port, "127.0.0.1");
      return packet.decode(await reply);
    } finally {
      socket.close();
    }
  };
  const name = "web.default.svc.cluster.local";

  test("answers over UDP, whatever came before", async () => {
    const port = await freePort();
    await start(port);
    const reply = await askUdp(port, [Buffer.from("rubbish"), Buffer.alloc(0), query(name)]);
    expect(reply.answers).toMatchObject([{ data: "127.20.192.7" }]);
  });

  test("answers several messages of one TCP connection, split anywhere", async () => {
    const port = await freePort();
    await start(port);
    const socket = net.connect(port, "127.0.0.1");
    const framed = [name, "nginx.default.svc.cluster.local"].map((each) =>
      packet.streamEncode({ type: "query", id: 1, questions: [{ name: each, type: "A" }] }),
    );
    const bytes = Buffer.concat(framed);
    let received = Buffer.alloc(0);
    const done = new Promise<void>((resolve) => {
      socket.on("data", (chunk) => {
        received = Buffer.concat([received, chunk]);
      });
      socket.on("close", () => resolve());
    });
    for (const byte of bytes) socket.write(Buffer.of(byte));
    socket.end();
    await done;
    const first = received.readUInt16BE(0);
    const answers = [received.subarray(2, 2 + first), received.subarray(4 + first)].map(
      (message) => packet.decode(message).answers?.length,
    );
    expect(answers).toEqual([1, 2]);
  });

  test("of two on one UDP port one goes on when the other is gone", async () => {
    const port = await freePort();
    const [first] = [await start(port), await start(port)];
    expect((await askUdp(port, [query(name)])).answers).toHaveLength(1);
    first.stop();
    expect((await askUdp(port, [query(name)])).answers).toHaveLength(1);
  });
});
