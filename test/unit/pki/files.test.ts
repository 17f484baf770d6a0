import { execFileSync } from "node:child_process";
import { createPrivateKey, X509Certificate } from "node:crypto";
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import tls from "node:tls";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createComponentTokens } from "../../../src/pki/component-tokens.ts";
import { ensurePki, serverFile } from "../../../src/pki/files.ts";

const NOW = Date.now();
const DAY_MS = 24 * 60 * 60 * 1000;
let dataDir: string;
beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), "kubemu-pki-"));
});
afterEach(() => rmSync(dataDir, { recursive: true, force: true }));

const make = (slot = 20, nodes = ["node-1"]) => ensurePki({ dataDir, slot, nodes, nowMs: NOW });
const text = (file: string) => readFileSync(join(dataDir, "pki", file), "utf8");
const certificate = (name: string) => new X509Certificate(text(`${name}.crt`));

describe("the certificates of a cluster", () => {
  it("are all signed by the cluster's authority and fit their keys", () => {
    make();
    const authority = certificate("ca");
    expect(authority.ca).toBe(true);
    expect(authority.verify(authority.publicKey)).toBe(true);
    const names = readdirSync(join(dataDir, "pki")).filter(
      (file) => file.endsWith(".crt") && file !== "ca.crt",
    );
    expect(names).toHaveLength(4);
    for (const file of names) {
      const issued = certificate(file.slice(0, -4));
      expect(issued.ca).toBe(false);
      expect(issued.checkIssued(authority)).toBe(true);
      expect(issued.verify(authority.publicKey)).toBe(true);
      expect(issued.checkPrivateKey(createPrivateKey(text(file.replace(".crt", ".key"))))).toBe(true);
    }
  });

  it.each([
    ["admin", "O=system:masters\nCN=kubernetes-admin"],
    ["kubelet-client", "O=system:masters\nCN=kube-apiserver-kubelet-client"],
  ])("names the user of %s as Kubernetes does", (name, subject) => {
    make();
    expect(certificate(name).subject).toBe(subject);
    expect(certificate(name).keyUsage).toEqual(["1.3.6.1.5.5.7.3.2"]);
  });

  it("come with a token for each of kubemu's own processes, in the names that Kubernetes has for them", () => {
    make();
    const read = createComponentTokens(text("component-tokens.key"));
    expect(
      ["admin", "supervisor", "proxy", "node-node-1"].map((name) => read(text(`${name}.token`))),
    ).toEqual([
      { name: "kubernetes-admin", groups: ["system:masters"] },
      { name: "kubemu:supervisor", groups: ["system:masters"] },
      { name: "system:kube-proxy", groups: [] },
      { name: "system:node:node-1", groups: ["system:nodes"] },
    ]);
  });

  it("have all their tokens signed anew where the key is missing", () => {
    make();
    const before = text("proxy.token");
    rmSync(join(dataDir, "pki", "component-tokens.key"));
    make();
    expect(text("proxy.token")).not.toBe(before);
    expect(createComponentTokens(text("component-tokens.key"))(text("proxy.token"))).toBeDefined();
  });

  it("name every way to the API server", () => {
    make(33);
    const server = certificate(serverFile(33));
    for (const host of [
      "localhost",
      "kubernetes",
      "kubernetes.default.svc",
      "kubernetes.default.svc.cluster.local",
    ])
      expect(server.checkHost(host)).toBe(host);
    for (const address of ["127.0.0.1", "::1", "127.33.192.1", "10.96.0.1"])
      expect(server.checkIP(address)).toBe(address);
    expect(server.checkIP("127.34.192.1")).toBeUndefined();
    expect(certificate("kubelet").checkHost("kubelet.kubemu")).toBe("kubelet.kubemu");
  });

  it("are valid from a little before now for ten years", () => {
    make();
    const { validFrom, validTo } = certificate("admin");
    expect(Date.parse(validFrom)).toBeLessThanOrEqual(NOW - DAY_MS + 1000);
    expect(Date.parse(validTo)).toBeGreaterThan(NOW + 3649 * DAY_MS);
  });

  it("can be read by their owner only", () => {
    make();
    expect(statSync(join(dataDir, "pki")).mode & 0o777).toBe(0o700);
    for (const file of readdirSync(join(dataDir, "pki")))
      expect([file, statSync(join(dataDir, "pki", file)).mode & 0o777]).toEqual([file, 0o600]);
  });

  it("are kept; only what is new is issued, by the same authority", () => {
    make(20, ["node-1"]);
    const before = readdirSync(join(dataDir, "pki")).map((file) => [file, text(file)]);
    make(21, ["node-1", "node-2"]);
    for (const [file, was] of before) expect(text(file!)).toBe(was);
    expect(certificate(serverFile(21)).verify(certificate("ca").publicKey)).toBe(true);
    const read = createComponentTokens(text("component-tokens.key"));
    expect(read(text("node-node-2.token"))?.name).toBe("system:node:node-2");
  });

  it("are all made anew where the authority is missing", () => {
    make();
    const admin = text("admin.crt");
    rmSync(join(dataDir, "pki", "ca.crt"));
    make();
    expect(text("admin.crt")).not.toBe(admin);
    expect(certificate("admin").verify(certificate("ca").publicKey)).toBe(true);
  });

  it("carry a TLS connection with both sides authenticated", async () => {
    make();
    const server = tls.createServer(
      { key: text("server-20.key"), cert: text("server-20.crt"), ca: text("ca.crt"), requestCert: true },
      (socket) => socket.end(JSON.stringify([socket.authorized, socket.getPeerCertificate().subject])),
    );
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as AddressInfo;
    const socket = tls.connect({
      host: "127.0.0.1",
      port,
      ca: text("ca.crt"),
      key: text("admin.key"),
      cert: text("admin.crt"),
    });
    let heard = "";
    for await (const chunk of socket.setEncoding("utf8")) heard += chunk;
    await new Promise((resolve) => server.close(resolve));
    expect(JSON.parse(heard)).toEqual([true, { O: "system:masters", CN: "kubernetes-admin" }]);
  });

  it("satisfy openssl's strict reading", ({ skip }) => {
    make();
    const path = (file: string) => join(dataDir, "pki", file);
    try {
      execFileSync("openssl", ["version"], { stdio: "ignore" });
    } catch {
      skip("openssl is not installed");
    }
    const files = ["ca.crt", "admin.crt", "kubelet.crt", "server-20.crt"].map(path);
    const output = execFileSync("openssl", ["verify", "-x509_strict", "-CAfile", path("ca.crt"), ...files], {
      encoding: "utf8",
    });
    expect(output.match(/: OK/g)).toHaveLength(files.length);
  });
});
