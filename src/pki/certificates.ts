// Making X.509 certificates (RFC 5280): ECDSA on P-256, signed with SHA-256. Written out here because every library for it takes
// longer to load than a control plane takes to serve (docs/decisions/0002-certificates.md). Reading certificates is left to Node.
import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  randomBytes,
  sign,
} from "node:crypto";
import { isIPv4 } from "node:net";
import {
  bits,
  explicit,
  implicit,
  integer,
  isTrue,
  objectIdentifier,
  octets,
  sequence,
  set,
  time,
  utf8,
} from "./der.ts";

const DAY_MS = 24 * 60 * 60 * 1000;
// A clock that was put back a little must not make a cluster unusable.
const BACKDATED_MS = DAY_MS;
const VALID_MS = 3650 * DAY_MS;

const AUTHORITY_NAME = "kubemu-ca";
const COMMON_NAME = "2.5.4.3";
const ORGANIZATION = "2.5.4.10";
const ECDSA_WITH_SHA256 = "1.2.840.10045.4.3.2";
const SUBJECT_KEY_IDENTIFIER = "2.5.29.14";
const KEY_USAGE = "2.5.29.15";
const SUBJECT_ALTERNATIVE_NAME = "2.5.29.17";
const BASIC_CONSTRAINTS = "2.5.29.19";
const AUTHORITY_KEY_IDENTIFIER = "2.5.29.35";
const EXTENDED_KEY_USAGE = "2.5.29.37";
const PURPOSES = { server: "1.3.6.1.5.5.7.3.1", client: "1.3.6.1.5.5.7.3.2" } as const;

/** PEM texts. */
export interface Pair {
  readonly cert: string;
  readonly key: string;
}

export interface Authority extends Pair {
  issue(request: CertificateRequest): Pair;
}

export interface CertificateRequest {
  readonly commonName: string;
  /** Kubernetes reads a client's groups from here. */
  readonly organizations?: readonly string[];
  readonly use: "client" | "server";
  readonly dnsNames?: readonly string[];
  readonly addresses?: readonly string[];
}

/** A new authority, or the one whose PEM texts are given. */
export function openAuthority(nowMs: number, existing?: Pair): Authority {
  const key = existing ? createPrivateKey(existing.key) : newKey();
  const publicKey = createPublicKey(key);
  const name = distinguishedName(AUTHORITY_NAME);
  const sealed = (subject: Buffer, holder: KeyObject, extensions: readonly Buffer[]) =>
    pem("CERTIFICATE", certificate({ subject, issuer: name, holder, key, nowMs, extensions }));
  const own = () =>
    sealed(name, publicKey, [
      extension(BASIC_CONSTRAINTS, sequence(isTrue()), { critical: true }),
      // digitalSignature, keyCertSign and cRLSign: bits 0, 5 and 6.
      extension(KEY_USAGE, bits(Uint8Array.of(0b1000_0110), 1), { critical: true }),
      extension(SUBJECT_KEY_IDENTIFIER, octets(keyIdentifier(publicKey))),
    ]);
  return {
    cert: existing?.cert ?? own(),
    key: existing?.key ?? privatePem(key),
    issue({ commonName, organizations = [], use, dnsNames = [], addresses = [] }) {
      const holder = newKey();
      const names = [
        ...dnsNames.map((dnsName) => implicit(2, Buffer.from(dnsName, "ascii"))),
        ...addresses.map((address) => implicit(7, addressBytes(address))),
      ];
      const cert = sealed(distinguishedName(commonName, organizations), createPublicKey(holder), [
        // digitalSignature: bit 0.
        extension(KEY_USAGE, bits(Uint8Array.of(0b1000_0000), 7), { critical: true }),
        extension(EXTENDED_KEY_USAGE, sequence(objectIdentifier(PURPOSES[use]))),
        extension(AUTHORITY_KEY_IDENTIFIER, sequence(implicit(0, keyIdentifier(publicKey)))),
        ...(names.length > 0 ? [extension(SUBJECT_ALTERNATIVE_NAME, sequence(...names))] : []),
      ]);
      return { cert, key: privatePem(holder) };
    },
  };
}

interface Contents {
  readonly subject: Buffer;
  readonly issuer: Buffer;
  /** The public key that the certificate vouches for. */
  readonly holder: KeyObject;
  /** The issuer's private key. */
  readonly key: KeyObject;
  readonly nowMs: number;
  readonly extensions: readonly Buffer[];
}

function certificate({ subject, issuer, holder, key, nowMs, extensions }: Contents): Buffer {
  const algorithm = sequence(objectIdentifier(ECDSA_WITH_SHA256));
  const toBeSigned = sequence(
    // Version 3 is written as 2.
    explicit(0, integer(Uint8Array.of(2))),
    serialNumber(),
    algorithm,
    issuer,
    sequence(time(nowMs - BACKDATED_MS), time(nowMs + VALID_MS)),
    subject,
    holder.export({ type: "spki", format: "der" }),
    explicit(3, sequence(...extensions)),
  );
  return sequence(toBeSigned, algorithm, bits(sign("sha256", toBeSigned, key)));
}

// Positive, not zero and unpredictable, as RFC 5280 section 4.1.2.2 asks.
function serialNumber(): Buffer {
  const bytes = randomBytes(16);
  bytes[0] = (bytes[0]! & 0x7f) | 0x40;
  return integer(bytes);
}

function distinguishedName(commonName: string, organizations: readonly string[] = []): Buffer {
  const part = (type: string, value: string) => set(sequence(objectIdentifier(type), utf8(value)));
  return sequence(...organizations.map((each) => part(ORGANIZATION, each)), part(COMMON_NAME, commonName));
}

function extension(id: string, value: Buffer, { critical = false } = {}): Buffer {
  return sequence(objectIdentifier(id), ...(critical ? [isTrue()] : []), octets(value));
}

/** RFC 5280 section 4.2.1.2, method 1, but over the whole key element; any value that differs between keys will do. */
function keyIdentifier(key: KeyObject): Buffer {
  return createHash("sha1")
    .update(key.export({ type: "spki", format: "der" }))
    .digest();
}

function addressBytes(address: string): Uint8Array {
  if (isIPv4(address)) return Uint8Array.from(address.split("."), Number);
  const [before = "", after = ""] = address.split("::");
  const groups = (text: string) =>
    text === "" ? [] : text.split(":").map((part) => Number.parseInt(part, 16));
  const [head, tail] = [groups(before), groups(after)];
  const all = [...head, ...Array<number>(8 - head.length - tail.length).fill(0), ...tail];
  return Uint8Array.from(all.flatMap((group) => [group >> 8, group & 0xff]));
}

function newKey(): KeyObject {
  return generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey;
}

const privatePem = (key: KeyObject): string => key.export({ type: "pkcs8", format: "pem" }) as string;

function pem(label: string, der: Buffer): string {
  const lines = der.toString("base64").replace(/.{64}/g, "$&\n").trimEnd();
  return `-----BEGIN ${label}-----\n${lines}\n-----END ${label}-----\n`;
}
