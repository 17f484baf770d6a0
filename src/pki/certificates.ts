// Making X.509 certificates. The library is heavy to load, so this module is imported only when something has to be issued.
import "reflect-metadata";
import { webcrypto } from "node:crypto";
import {
  BasicConstraintsExtension,
  cryptoProvider,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  KeyUsageFlags,
  KeyUsagesExtension,
  SubjectAlternativeNameExtension,
  X509Certificate,
  X509CertificateGenerator,
} from "@peculiar/x509";

const ALGORITHM = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" } as const;
const DAY_MS = 24 * 60 * 60 * 1000;
// A clock that was put back a little must not make a cluster unusable.
const BACKDATED_MS = DAY_MS;
const VALID_MS = 3650 * DAY_MS;

/** PEM texts. */
export interface Pair {
  readonly cert: string;
  readonly key: string;
}

export interface Authority extends Pair {
  issue(request: CertificateRequest): Promise<Pair>;
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
export async function openAuthority(nowMs: number, existing?: Pair): Promise<Authority> {
  // The library is typed for browsers; what it is given here is the same by shape.
  cryptoProvider.set(webcrypto as never);
  const keys = existing
    ? await importKeys(existing)
    : await webcrypto.subtle.generateKey(ALGORITHM, true, ["sign", "verify"]);
  const certificate = existing
    ? new X509Certificate(existing.cert)
    : await X509CertificateGenerator.createSelfSigned({
        ...validity(nowMs),
        serialNumber: serial(),
        name: "CN=kubemu-ca",
        keys: keys as never,
        signingAlgorithm: ALGORITHM,
        extensions: [
          new BasicConstraintsExtension(true, undefined, true),
          new KeyUsagesExtension(
            KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign | KeyUsageFlags.digitalSignature,
            true,
          ),
        ],
      });
  return {
    cert: existing?.cert ?? certificate.toString("pem"),
    key: existing?.key ?? (await privatePem(keys.privateKey)),
    async issue(request) {
      const own = await webcrypto.subtle.generateKey(ALGORITHM, true, ["sign", "verify"]);
      const names = [
        ...(request.dnsNames ?? []).map((value) => ({ type: "dns" as const, value })),
        ...(request.addresses ?? []).map((value) => ({ type: "ip" as const, value })),
      ];
      const issued = await X509CertificateGenerator.create({
        ...validity(nowMs),
        serialNumber: serial(),
        // A set of its own for each name: clients' groups are read from these.
        subject: [
          ...(request.organizations ?? []).map((name) => ({ O: [name] })),
          { CN: [request.commonName] },
        ],
        issuer: certificate.subject,
        publicKey: own.publicKey as never,
        signingKey: keys.privateKey as never,
        signingAlgorithm: ALGORITHM,
        extensions: [
          new KeyUsagesExtension(KeyUsageFlags.digitalSignature, true),
          new ExtendedKeyUsageExtension([
            request.use === "server" ? ExtendedKeyUsage.serverAuth : ExtendedKeyUsage.clientAuth,
          ]),
          ...(names.length > 0 ? [new SubjectAlternativeNameExtension(names)] : []),
        ],
      });
      return { cert: issued.toString("pem"), key: await privatePem(own.privateKey) };
    },
  };
}

const validity = (nowMs: number) => ({
  notBefore: new Date(nowMs - BACKDATED_MS),
  notAfter: new Date(nowMs + VALID_MS),
});

// Positive and unpredictable, as RFC 5280 section 4.1.2.2 asks.
function serial(): string {
  const bytes = webcrypto.getRandomValues(new Uint8Array(16));
  bytes[0] = (bytes[0]! & 0x7f) | 0x40;
  return Buffer.from(bytes).toString("hex");
}

async function privatePem(key: webcrypto.CryptoKey): Promise<string> {
  const der = Buffer.from(await webcrypto.subtle.exportKey("pkcs8", key)).toString("base64");
  return `-----BEGIN PRIVATE KEY-----\n${der.replace(/.{64}/g, "$&\n")}\n-----END PRIVATE KEY-----\n`;
}

async function importKeys({ key }: Pair): Promise<{ privateKey: webcrypto.CryptoKey }> {
  const der = Buffer.from(key.replace(/-----[^-]+-----/g, ""), "base64");
  return { privateKey: await webcrypto.subtle.importKey("pkcs8", der, ALGORITHM, true, ["sign"]) };
}
