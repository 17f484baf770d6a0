import { X509Certificate } from "node:crypto";
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { ensurePki, serverFile } from "../../../src/pki/files.ts";

const dataDir = mkdtempSync(join(tmpdir(), "kubemu-pki-"));
const read = (file: string) => readFileSync(join(dataDir, "pki", file), "utf8");
const options = { dataDir, slot: 42, nodes: ["node-1"], nowMs: Date.now() };

beforeAll(() => ensurePki(options));
afterAll(() => rmSync(dataDir, { recursive: true, force: true }));

test("every certificate is the authority's, and its key fits", () => {
  const authority = new X509Certificate(read("ca.crt"));
  const names = readdirSync(join(dataDir, "pki")).filter(
    (file) => file.endsWith(".crt") && file !== "ca.crt",
  );
  expect(names.length).toBeGreaterThanOrEqual(7);
  for (const name of names) {
    const certificate = new X509Certificate(read(name));
    expect([name, certificate.verify(authority.publicKey)]).toEqual([name, true]);
    expect([name, Date.parse(certificate.validFrom) < Date.now()]).toEqual([name, true]);
  }
});

test("clients are named as Kubernetes names them", () => {
  expect(new X509Certificate(read("admin.crt")).subject).toBe("O=system:masters\nCN=kubernetes-admin");
  expect(new X509Certificate(read("node-node-1.crt")).subject).toBe("O=system:nodes\nCN=system:node:node-1");
});

test("the server's names are those that clients use", () => {
  const server = new X509Certificate(read(`${serverFile(42)}.crt`));
  for (const host of ["localhost", "kubernetes.default.svc"]) expect(server.checkHost(host)).toBe(host);
  for (const address of ["127.0.0.1", "127.42.192.1", "10.96.0.1"])
    expect(server.checkIP(address)).toBe(address);
});

test("only the owner can read the keys", () => {
  expect(statSync(join(dataDir, "pki")).mode & 0o777).toBe(0o700);
  for (const file of readdirSync(join(dataDir, "pki")))
    expect([file, statSync(join(dataDir, "pki", file)).mode & 0o777]).toEqual([file, 0o600]);
});

test("what is there is kept, and a new node gets its own from the same authority", async () => {
  const [before, admin] = [read("ca.crt"), read("admin.crt")];
  await ensurePki({ ...options, nodes: ["node-1", "node-2"] });
  expect(read("ca.crt")).toBe(before);
  expect(read("admin.crt")).toBe(admin);
  expect(new X509Certificate(read("node-node-2.crt")).verify(new X509Certificate(before).publicKey)).toBe(
    true,
  );
});

test("without its authority everything is made anew", async () => {
  const admin = read("admin.crt");
  rmSync(join(dataDir, "pki", "ca.crt"));
  await ensurePki(options);
  expect(read("admin.crt")).not.toBe(admin);
  expect(new X509Certificate(read("admin.crt")).verify(new X509Certificate(read("ca.crt")).publicKey)).toBe(
    true,
  );
});
