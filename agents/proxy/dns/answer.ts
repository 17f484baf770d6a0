// One DNS message in, one out, or silence. Whatever comes in, nothing here throws: what cannot be read and looks like a
// query is answered FORMERR, the rest is left alone.
import packet, { type Answer, type DecodedPacket, type Packet } from "dns-packet";
import { CLUSTER_DOMAIN } from "../../../src/base/cluster-dns.ts";
import { lookUp, type ZoneAnswer, type ZoneRecord, type ZoneSource } from "./zone.ts";

export interface AnswerOptions {
  readonly source: ZoneSource;
  readonly transport: "udp" | "tcp";
  /** 0 ≤ n < 1: several addresses are given in an order that changes, so that clients that take the first spread. */
  readonly random: () => number;
}

// CoreDNS' default: short, as pods come and go.
const TTL_SECONDS = 5;
const HEADER_BYTES = 12;
// RFC 1035: what a client takes that says nothing else.
const PLAIN_UDP_BYTES = 512;
const LARGEST_UDP_BYTES = 4096;

const RESPONSE = 0x8000;
const OPCODE = 0x7800;
const CODES = { NOERROR: 0, FORMERR: 1, SERVFAIL: 2, NXDOMAIN: 3, NOTIMP: 4, REFUSED: 5 } as const;
type Code = keyof typeof CODES;

/** The reply to `message`; undefined where none is due. */
export function answerMessage(message: Buffer, options: AnswerOptions): Buffer | undefined {
  if (message.length < HEADER_BYTES) return undefined;
  const flags = message.readUInt16BE(2);
  if ((flags & RESPONSE) !== 0) return undefined;
  if ((flags & OPCODE) !== 0) return bare(message, "NOTIMP");
  let query: DecodedPacket;
  try {
    query = packet.decode(message);
  } catch {
    return bare(message, "FORMERR");
  }
  if (query.questions?.length !== 1) return bare(message, "FORMERR");
  try {
    return encode(reply(query, options), query, options.transport);
  } catch {
    return bare(message, "SERVFAIL");
  }
}

/** A reply that is a header only: for a message whose rest is not understood. */
function bare(message: Buffer, code: Code): Buffer {
  const head = Buffer.alloc(HEADER_BYTES);
  message.copy(head, 0, 0, 2);
  head.writeUInt16BE(
    RESPONSE | (message.readUInt16BE(2) & (OPCODE | packet.RECURSION_DESIRED)) | CODES[code],
    2,
  );
  return head;
}

interface Reply {
  readonly code: Code;
  readonly answers: Answer[];
  readonly authorities: Answer[];
  readonly additionals: Answer[];
}

const EMPTY = { answers: [], authorities: [], additionals: [] };

function reply({ questions }: DecodedPacket, { source, random }: AnswerOptions): Reply {
  const [{ name, type, class: group = "IN" }] = questions as [{ name: string; type: string; class?: string }];
  if (group !== "IN" && group !== "ANY") return { code: "REFUSED", ...EMPTY };
  const apex = apexRecords(name, type);
  if (apex) return { code: "NOERROR", ...EMPTY, answers: apex };
  const result: ZoneAnswer = lookUp(source, name, type);
  switch (result.result) {
    // Unlike Kubernetes: nothing is forwarded. Clients ask the machine's own resolver for what is not the cluster's.
    case "foreign":
      return { code: "REFUSED", ...EMPTY };
    case "missing":
      return { code: "NXDOMAIN", ...EMPTY, authorities: [soa(zoneOf(name))] };
    case "found":
      return {
        code: "NOERROR",
        answers: shuffled(result.answers, random).map(toAnswer),
        authorities: result.answers.length === 0 ? [soa(zoneOf(name))] : [],
        additionals: result.additionals.map(toAnswer),
      };
  }
}

const isReverse = (name: string) => /(^|\.)in-addr\.arpa$/i.test(name);
const zoneOf = (name: string) => (isReverse(name) ? "in-addr.arpa" : CLUSTER_DOMAIN);

function apexRecords(name: string, type: string): Answer[] | undefined {
  if (name.toLowerCase() !== CLUSTER_DOMAIN) return undefined;
  if (type === "SOA") return [soa(CLUSTER_DOMAIN)];
  if (type !== "NS") return undefined;
  return [{ type, name, ttl: TTL_SECONDS, data: `ns.dns.${CLUSTER_DOMAIN}` }];
}

function soa(zone: string): Answer {
  return {
    type: "SOA",
    name: zone,
    ttl: TTL_SECONDS,
    data: {
      mname: `ns.dns.${CLUSTER_DOMAIN}`,
      rname: `hostmaster.${CLUSTER_DOMAIN}`,
      serial: 1,
      refresh: 7200,
      retry: 1800,
      expire: 86_400,
      minimum: TTL_SECONDS,
    },
  };
}

function toAnswer(record: ZoneRecord): Answer {
  return { ...record, ttl: TTL_SECONDS, class: "IN" } as Answer;
}

/** Aliases first and in order, then the rest in any. */
function shuffled(records: readonly ZoneRecord[], random: () => number): ZoneRecord[] {
  const aliases = records.filter(({ type }) => type === "CNAME");
  const rest = records.filter(({ type }) => type !== "CNAME");
  for (let left = rest.length; left > 1; left -= 1) {
    const pick = Math.floor(random() * left);
    [rest[left - 1], rest[pick]] = [rest[pick] as ZoneRecord, rest[left - 1] as ZoneRecord];
  }
  return [...aliases, ...rest];
}

/** Leaves out what does not fit: additional records silently, answers with the flag that sends the client to TCP. */
function encode(content: Reply, query: DecodedPacket, transport: "udp" | "tcp"): Buffer {
  const edns = query.additionals?.find(({ type }) => type === "OPT") as
    | { udpPayloadSize?: number }
    | undefined;
  const offered = Math.max(edns?.udpPayloadSize ?? PLAIN_UDP_BYTES, PLAIN_UDP_BYTES);
  const limit = transport === "tcp" ? 65_535 : Math.min(offered, LARGEST_UDP_BYTES);
  const opt = edns
    ? [{ type: "OPT", name: ".", udpPayloadSize: LARGEST_UDP_BYTES, flags: 0, options: [] }]
    : [];
  const build = (answers: readonly Answer[], additionals: readonly Answer[], truncated: boolean) => {
    const desired = (query.flags ?? 0) & packet.RECURSION_DESIRED;
    const flags =
      packet.AUTHORITATIVE_ANSWER |
      desired |
      CODES[content.code] |
      (truncated ? packet.TRUNCATED_RESPONSE : 0);
    const message = {
      type: "response",
      id: query.id ?? 0,
      flags,
      questions: query.questions ?? [],
      answers,
      authorities: content.authorities,
      additionals: [...additionals, ...opt],
    };
    return packet.encode(message as unknown as Packet);
  };
  const { answers, additionals } = content;
  let bytes = build(answers, additionals, false);
  if (bytes.length > limit) bytes = build(answers, [], false);
  for (let kept = answers.length; bytes.length > limit && kept > 0; ) {
    kept = Math.floor((kept * limit) / bytes.length / 1.05);
    bytes = build(answers.slice(0, kept), [], true);
  }
  return bytes;
}
