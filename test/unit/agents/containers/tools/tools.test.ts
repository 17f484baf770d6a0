// The stand-in programs and the preload, as processes, against a DNS server of the cluster in this process.
import { execFile } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import http from "node:http";
import net, { type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { build } from "esbuild";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parseOptions } from "../../../../../agents/containers/tools/options.ts";
import { type DnsServer, startDnsServer } from "../../../../../agents/proxy/dns/server.ts";
import { ownSockets } from "../../../../../agents/proxy/open-socket.ts";
import { PUBLISHED_PORTS } from "../../../../../src/api/names.ts";
import { systemClock } from "../../../../../src/base/clock.ts";
import { silentLog } from "../../../../../src/base/log.ts";
import { service, slice, sourceOf } from "../../proxy/dns/source.ts";

const folder = mkdtempSync(join(tmpdir(), "kubemu-tools-"));
const root = join(folder, "root");
let dns: DnsServer;
let web: http.Server;
let webPort = 0;
let env: Record<string, string>;

const listening = async (server: net.Server) => {
  await new Promise((resolve) => server.listen(0, "127.0.0.1", () => resolve(undefined)));
  return (server.address() as AddressInfo).port;
};

beforeAll(async () => {
  web = http.createServer((request, response) => {
    if (request.url === "/gone") response.statusCode = 404;
    if (request.url === "/away") response.writeHead(302, { Location: "/" });
    response.end(`${request.method} ${request.headers.host} ${request.url}\n`);
  });
  webPort = await listening(web);
  const probe = net.createServer();
  const port = await listening(probe);
  await new Promise((resolve) => probe.close(resolve));
  const published = service("low", { clusterIP: "10.96.0.7", ports: [{ port: 80 }] });
  published.metadata.annotations = {
    [PUBLISHED_PORTS]: JSON.stringify({ "80/TCP": { host: "127.0.0.1", port: webPort } }),
  };
  const services = [
    service("kube-dns", { clusterIP: "10.96.0.10" }, "kube-system"),
    service("web", { clusterIP: "127.0.0.1", ports: [{ name: "http", port: webPort }] }),
    service("nginx", { clusterIP: "None", ports: [{ name: "web", port: 80 }] }),
    service("docs", { type: "ExternalName", externalName: "localhost" }),
    published,
  ];
  const endpoints = [{ addresses: ["127.30.1.3"], conditions: { ready: true }, hostname: "web-0" }];
  dns = startDnsServer({
    source: sourceOf(services, [slice("nginx", endpoints)]),
    place: { clusterIP: "10.96.0.10", host: "127.0.0.1", port },
    settings: { singleAddress: true, lowestPort: 1024 },
    sockets: ownSockets,
    clock: systemClock,
    log: silentLog,
  });
  mkdirSync(join(root, "etc"), { recursive: true });
  writeFileSync(
    join(root, "etc/resolv.conf"),
    "search default.svc.cluster.local svc.cluster.local cluster.local\nnameserver 10.96.0.10\noptions ndots:5\n",
  );
  writeFileSync(
    join(root, "etc/hosts"),
    "127.30.1.3 web-0.nginx.default.svc.cluster.local web-0\n127.0.0.1 foo.remote\n",
  );
  env = {
    // No curl and no wget of the machine's.
    PATH: "/nowhere",
    HOSTNAME: "web-0",
    POD_IP: "127.30.1.3",
    KUBEMU_ROOT: root,
    KUBEMU_DNS_SERVICE: "10.96.0.10",
    KUBEMU_DNS: `127.0.0.1:${port}`,
  };
  const common = { bundle: true, platform: "node", target: "node20", outdir: folder } as const;
  await Promise.all([
    build({
      ...common,
      entryPoints: { tools: "agents/containers/tools/main.ts", preload: "agents/containers/preload.ts" },
      format: "cjs",
      outExtension: { ".js": ".cjs" },
    }),
    dns.ready,
  ]);
});
afterAll(() => {
  dns.stop();
  web.close();
  rmSync(folder, { recursive: true, force: true });
});

interface Result {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

function runNode(args: readonly string[], more: Record<string, string> = {}): Promise<Result> {
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      [...args],
      { env: { ...env, ...more }, cwd: folder },
      (error, stdout, stderr) => resolve({ code: Number(error?.code ?? 0), stdout, stderr }),
    );
  });
}
const tool = (...args: string[]) => runNode([join(folder, "tools.cjs"), ...args]);
const SERVER = "Server:    10.96.0.10\nAddress 1: 10.96.0.10 kube-dns.kube-system.svc.cluster.local\n\n";

describe("nslookup", () => {
  it("prints as busybox does what a short name stands for", async () => {
    expect(await tool("nslookup", "web-0.nginx")).toEqual({
      code: 0,
      stdout: `${SERVER}Name:      web-0.nginx\nAddress 1: 127.30.1.3 web-0.nginx.default.svc.cluster.local\n`,
      stderr: "",
    });
  });
  it("says what it cannot resolve, and fails", async () => {
    const nobody = "nobody.default.svc.cluster.local";
    expect(await tool("nslookup", nobody)).toEqual({
      code: 1,
      stdout: SERVER,
      stderr: `nslookup: can't resolve '${nobody}'\n`,
    });
  });
  it("prints records of a type", async () => {
    const { stdout } = await tool("nslookup", "-type=SRV", "_web._tcp.nginx");
    expect(stdout).toContain("service = 0 100 80 web-0.nginx.default.svc.cluster.local\n");
  });
});

describe.each(["wget", "curl"])("%s", (name) => {
  const page = (...args: string[]) => tool(name, ...(name === "wget" ? ["-qO-"] : ["-sL"]), ...args);
  it("fetches from a Service by its short and its full name", async () => {
    expect(await page(`http://web:${webPort}`)).toEqual({
      code: 0,
      stdout: `GET web:${webPort} /\n`,
      stderr: "",
    });
    const full = `web.default.svc.cluster.local:${webPort}`;
    expect((await page(`${full}/x`)).stdout).toBe(`GET ${full} /x\n`);
  });
  it("finds the port that stands in for one that may not be bound", async () => {
    expect((await page("http://low")).stdout).toBe("GET low /\n");
  });
  it("knows the names of the hosts file, and what an ExternalName stands for", async () => {
    expect((await page(`foo.remote:${webPort}`)).stdout).toContain("foo.remote");
    expect((await page(`docs:${webPort}`)).stdout).toContain("docs");
  });
  it("follows where it is sent", async () => {
    expect((await page(`http://web:${webPort}/away`)).stdout).toBe(`GET web:${webPort} /\n`);
  });
});

describe("wget", () => {
  it("names what went wrong as busybox does", async () => {
    expect(await tool("wget", "-qO-", `http://web:${webPort}/gone`)).toMatchObject({
      code: 1,
      stderr: "wget: server returned error: HTTP/1.1 404 Not Found\n",
    });
    expect(await tool("wget", "-O-", "http://nobody.default.svc.cluster.local")).toMatchObject({
      code: 1,
      stderr: "wget: bad address 'nobody.default.svc.cluster.local'\n",
    });
    expect(await tool("wget", "-O-", "http://web:1")).toMatchObject({
      code: 1,
      stderr:
        "Connecting to web:1 (127.0.0.1:1)\nwget: can't connect to remote host (127.0.0.1): Connection refused\n",
    });
  });
});

describe("curl", () => {
  it("fails with curl's codes", async () => {
    const url = `http://web:${webPort}/gone`;
    expect(await tool("curl", "-f", url)).toMatchObject({ code: 22 });
    expect(await tool("curl", "-s", "-o", "/dev/null", "-w", "%{http_code}", url)).toMatchObject({
      stdout: "404",
    });
    expect(await tool("curl", "http://web:1")).toMatchObject({ code: 7 });
    expect(await tool("curl", "http://nobody.default.svc.cluster.local")).toMatchObject({ code: 6 });
  });
});

describe("hostname and nc", () => {
  it.each([
    [[], "web-0\n"],
    [["-f"], "web-0.nginx.default.svc.cluster.local\n"],
    [["-d"], "nginx.default.svc.cluster.local\n"],
    [["-i"], "127.30.1.3\n"],
  ])("hostname %j", async (args, stdout) => {
    expect(await tool("hostname", ...args)).toMatchObject({ code: 0, stdout });
  });
  it("nc says whether a port is open", async () => {
    const open = `web (127.0.0.1:${webPort}) open\n`;
    expect(await tool("nc", "-zv", "web", String(webPort))).toMatchObject({ code: 0, stderr: open });
    expect(await tool("nc", "-zv", "web", "1")).toMatchObject({
      code: 1,
      stderr: "nc: web (127.0.0.1:1): Connection refused\n",
    });
  });
});

describe("the preload", () => {
  const program = (source: string) =>
    runNode(["--input-type=module", "-e", source], {
      NODE_OPTIONS: `--require ${join(folder, "preload.cjs")}`,
    });
  it("gives every Node program the cluster's names: net, http, fetch and dns.lookup in each form", async () => {
    const { stdout, stderr } = await program(`
      import dns, { lookup } from "node:dns";
      import { promisify } from "node:util";
      import { lookup as lookupPromise } from "node:dns/promises";
      console.log(await (await fetch("http://web:${webPort}/fetch")).text());
      console.log(JSON.stringify(await promisify(lookup)("web-0.nginx")));
      console.log(JSON.stringify(await lookupPromise("web-0.nginx", { all: true })));
      dns.lookup("web-0.nginx", 4, (error, address, family) => console.log(error, address, family));`);
    expect(stderr).toBe("");
    expect(stdout.split("\n")).toEqual([
      `GET web:${webPort} /fetch`,
      "",
      '{"address":"127.30.1.3","family":4}',
      '[{"address":"127.30.1.3","family":4}]',
      "null 127.30.1.3 4",
      "",
    ]);
  });
  it("leaves what the cluster does not know to the machine", async () => {
    const { stdout } = await program(`
      import { lookup } from "node:dns/promises";
      console.log((await lookup("localhost", 4)).address, (await lookup("127.0.0.9")).address);
      console.log(await lookup("nobody.default.svc.cluster.local").catch((error) => error.code));`);
    expect(stdout).toMatch(/^127\.0\.0\.1 127\.0\.0\.9\nE\w+\n$/);
  });
});

describe("parseOptions", () => {
  const spec = { known: ["q", "O:", "header:"], alias: { quiet: "q" } };
  const parse = (...argv: string[]) => parseOptions(argv, spec);
  it("reads joined and separate, short and long options", () => {
    const options = parse("-qO-", "--header=a: b", "--header", "c", "x", "--", "-y");
    expect([options.has("q"), options.value("O"), options.values("header"), options.operands]).toEqual([
      true,
      "-",
      ["a: b", "c"],
      ["x", "-y"],
    ]);
    expect(options.unknown).toBeUndefined();
    expect(parse("--quiet").has("q")).toBe(true);
  });
  it.each([[["-x"]], [["--what"]], [["-O"]], [["-qz"]]])("names what it does not know in %j", (argv) => {
    expect(parse(...argv).unknown).toBeDefined();
  });
});
