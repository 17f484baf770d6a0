// The credentials of a cluster, as files below DATA_DIR/pki (docs/architecture.md lists them): certificates for what is spoken to over HTTPS,
// tokens for kubemu's own processes. What is there is kept; only what is missing, or was made for another slot, is issued.
import { generateKeyPairSync, randomBytes } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type CertificateRequest, openAuthority, type Pair } from "./certificates.ts";
import { type ComponentIdentity, signComponentToken } from "./component-tokens.ts";

export interface PkiOptions {
  readonly dataDir: string;
  /** The server's certificate names the first Service address of this slot. */
  readonly slot: number;
  readonly nodes: readonly string[];
  readonly nowMs: number;
}

const SERVER_NAMES = [
  "localhost",
  "kubernetes",
  "kubernetes.default",
  "kubernetes.default.svc",
  "kubernetes.default.svc.cluster.local",
];

/** Makes what is missing. Every file is 0600 in a 0700 folder and appears whole. */
export function ensurePki({ dataDir, slot, nodes, nowMs }: PkiOptions): void {
  const folder = join(dataDir, "pki");
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  ensureServiceAccountKey(folder);
  ensureTokens(folder, nodes);
  const existing = existsSync(join(folder, "ca.crt")) ? readPair(folder, "ca") : undefined;
  // Without its authority nothing that lies there is of use.
  const missing = Object.entries(requests(slot)).filter(
    ([name]) => !existing || !existsSync(join(folder, `${name}.crt`)),
  );
  if (missing.length === 0) return;

  const authority = openAuthority(nowMs, existing);
  for (const [name, request] of missing) writePair(folder, name, authority.issue(request));
  // Last: a start that was cut off finds no authority and makes everything anew.
  if (!existing) writePair(folder, "ca", authority);
}

function requests(slot: number): Record<string, CertificateRequest> {
  return {
    [serverFile(slot)]: {
      commonName: "kube-apiserver",
      use: "server",
      dnsNames: SERVER_NAMES,
      addresses: ["127.0.0.1", "::1", `127.${slot}.192.1`, "10.96.0.1"],
    },
    kubelet: { commonName: "kubelet", use: "server", dnsNames: ["kubelet.kubemu"] },
    admin: { commonName: "kubernetes-admin", organizations: MASTERS, use: "client" },
    "kubelet-client": { commonName: "kube-apiserver-kubelet-client", organizations: MASTERS, use: "client" },
  };
}

const MASTERS = ["system:masters"];

function components(nodes: readonly string[]): Record<string, ComponentIdentity> {
  return {
    admin: { name: "kubernetes-admin", groups: MASTERS },
    supervisor: { name: "kubemu:supervisor", groups: MASTERS },
    proxy: { name: "system:kube-proxy", groups: [] },
    ...Object.fromEntries(
      nodes.map((node) => [`node-${node}`, { name: `system:node:${node}`, groups: ["system:nodes"] }]),
    ),
  };
}

/** The server's certificate holds an address of the slot, so each slot has its own file: `server-17` (.crt, .key). */
export const serverFile = (slot: number): string => `server-${slot}`;

function readPair(folder: string, name: string): Pair {
  return {
    cert: readFileSync(join(folder, `${name}.crt`), "utf8"),
    key: readFileSync(join(folder, `${name}.key`), "utf8"),
  };
}

function writePair(folder: string, name: string, { cert, key }: Pair): void {
  writeWhole(join(folder, `${name}.key`), key);
  writeWhole(join(folder, `${name}.crt`), cert);
}

// Service account tokens are signed with this key; the server reads it (ES256).
function ensureServiceAccountKey(folder: string): void {
  const path = join(folder, "service-account.key");
  if (existsSync(path)) return;
  const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  writeWhole(path, privateKey.export({ type: "pkcs8", format: "pem" }) as string);
}

/** `component-tokens.key`, 32 random bytes in hexadecimal, and a `NAME.token` signed with it for each component. */
function ensureTokens(folder: string, nodes: readonly string[]): void {
  const keyFile = join(folder, "component-tokens.key");
  const isNew = !existsSync(keyFile);
  const key = isNew ? randomBytes(32).toString("hex") : readFileSync(keyFile, "utf8");
  for (const [name, identity] of Object.entries(components(nodes))) {
    const file = join(folder, `${name}.token`);
    if (isNew || !existsSync(file)) writeWhole(file, signComponentToken(identity, key));
  }
  // Last: a start that was cut off finds no key and signs all anew.
  if (isNew) writeWhole(keyFile, key);
}

function writeWhole(path: string, text: string): void {
  const temporary = `${path}.${process.pid}`;
  writeFileSync(temporary, text, { mode: 0o600 });
  renameSync(temporary, path);
}
