// Runs dist/container.js itself, built for the test: real processes, real requests.
import { type ChildProcess, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { type Assignment, isListening } from "../../../../agents/containers/protocol.ts";

const directory = mkdtempSync(path.join(tmpdir(), "kubemu-containers-"));
const program = path.join(directory, "container.mjs");
const running = new Set<ChildProcess>();

beforeAll(async () => {
  const entry = fileURLToPath(new URL("../../../../agents/containers/main.ts", import.meta.url));
  await build({ entryPoints: [entry], outfile: program, bundle: true, format: "esm", platform: "node" });
});
afterEach(() => {
  for (const child of running) child.kill("SIGKILL");
  running.clear();
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

interface Started {
  readonly child: ChildProcess;
  readonly url: string;
  readonly port: number;
  output(): string;
  readonly exited: Promise<{ code: number | null; signal: NodeJS.Signals | null }>;
}

/** Starts a program with its container port `port` mapped to a free one; resolves when it listens or has ended. */
async function start(name: string, port: number, more: Partial<Assignment> = {}): Promise<Started> {
  const mapped = await freePort();
  const child = spawn(process.execPath, [program], { stdio: ["ignore", "pipe", "pipe", "ipc"] });
  running.add(child);
  let output = "";
  child.stdout?.on("data", (chunk: Buffer) => (output += chunk.toString()));
  child.stderr?.on("data", (chunk: Buffer) => (output += chunk.toString()));
  const exited = new Promise<{ code: number | null; signal: NodeJS.Signals | null }>((resolve) =>
    child.once("exit", (code, signal) => resolve({ code, signal })),
  );
  const listening = new Promise<void>((resolve) =>
    child.on("message", (message) => isListening(message) && resolve()),
  );
  const assignment: Assignment = {
    program: name,
    args: [],
    env: { HOSTNAME: "pod-1" },
    cwd: directory,
    host: "127.0.0.1",
    ports: [port],
    portMap: { [port]: mapped },
    pod: "pod-1",
    image: `${name}:1`,
    tag: "1",
    root: directory,
    ...more,
  };
  child.send(assignment);
  await Promise.race([listening, exited]);
  return { child, url: `http://127.0.0.1:${mapped}`, port: mapped, output: () => output, exited };
}

describe("the built-in programs", () => {
  it("nginx shows its page, its version, its pod, and logs the request", async () => {
    const { url, output } = await start("nginx", 80, {
      tag: "1.27.3-alpine",
      root: path.join(directory, "none"),
    });
    const reply = await fetch(`${url}/`);
    expect(reply.headers.get("server")).toBe("nginx/1.27.3");
    expect(reply.headers.get("x-pod-name")).toBe("pod-1");
    expect(await reply.text()).toContain("<title>Welcome to nginx!</title>");
    expect((await fetch(`${url}/missing`)).status).toBe(404);
    await expect.poll(output).toMatch(/"GET \/ HTTP\/1\.1" 200 \d+ /);
  });

  it("nginx serves a mounted document root and nothing beside it", async () => {
    const root = path.join(directory, "mounted");
    mkdirSync(path.join(root, "usr/share/nginx/html"), { recursive: true });
    writeFileSync(path.join(root, "usr/share/nginx/html/index.html"), "mine");
    writeFileSync(path.join(root, "usr/share/nginx/secret"), "no");
    const { url } = await start("nginx", 80, { root });
    expect(await (await fetch(`${url}/`)).text()).toBe("mine");
    expect((await fetch(`${url}/%2e%2e/secret`)).status).toBe(404);
    expect((await fetch(`${url}/..%2fsecret`)).status).toBe(404);
    expect((await fetch(`${url}/`, { method: "POST" })).status).toBe(405);
  });

  it.each([
    ["httpd", 80, {}, "/", "<html><body><h1>It works!</h1></body></html>\n"],
    [
      "kubernetes-bootcamp",
      8080,
      { tag: "v2" },
      "/",
      "Hello Kubernetes bootcamp! | Running on: pod-1 | v=2\n",
    ],
    ["hello-app", 8080, { tag: "2.0" }, "/", "Hello, world!\nVersion: 2.0.0\nHostname: pod-1\n"],
    ["http-echo", 5678, { args: ["-text=hi there"] }, "/", "hi there\n"],
    ["http-echo", 8088, { args: ["-text", "a", "-listen=:8088"] }, "/", "a\n"],
    ["hpa-example", 80, {}, "/", "OK!"],
    ["agnhost", 8083, { args: ["netexec", "--http-port=8083"] }, "/hostname", "pod-1"],
    ["agnhost", 8080, { args: ["netexec"] }, "/echo?msg=x%20y", "x y"],
    ["agnhost", 9376, { args: ["serve-hostname"] }, "/", "pod-1"],
    ["agnhost", 8080, { args: ["liveness"] }, "/healthz", "ok"],
    ["agnhost", 90, { args: ["porter"], env: { SERVE_PORT_90: "nine" } }, "/", "nine"],
  ] as const)("%s on port %i (%j) answers %s", async (name, port, more, path, body) => {
    const { url } = await start(name, port, more);
    const reply = await fetch(url + path);
    expect(await reply.text()).toBe(body);
    expect(reply.headers.get("x-pod-name")).toBe("pod-1");
  });

  it("a stand-in says what it stands for", async () => {
    const { url } = await start("fallback", 3000, { image: "shop:v1" });
    expect(await (await fetch(url)).text()).toContain("stands in for shop:v1");
  });

  it("agnhost exits when asked to", async () => {
    const { url, exited } = await start("agnhost", 8080, { args: ["netexec"] });
    await fetch(`${url}/exit?code=7`);
    expect(await exited).toEqual({ code: 7, signal: null });
  });

  it.each([
    ["httpd", /^127\.0\.0\.1 - - \[.{26}\] "GET \/ HTTP\/1\.1" 200 45\n$/],
    ["nginx", /^127\.0\.0\.1 - - \[.{26}\] "GET \/ HTTP\/1\.1" 200 \d+ "-" "me" "-"\n$/m],
  ])("%s logs a request in the original's format", async (name, line) => {
    const { url, output } = await start(name, 80);
    await (await fetch(url, { headers: { "user-agent": "me" } })).text();
    await expect.poll(output).toMatch(line);
  });

  it("a program that lacks what it needs ends as the original does", async () => {
    const { exited, output } = await start("http-echo", 5678);
    expect((await exited).code).toBe(127);
    await expect.poll(output).toBe("Missing -text option!\n");
  });

  it("finishes what is in flight after SIGTERM, then exits 0", async () => {
    const { child, url, exited } = await start("hpa-example", 80);
    const replies = Array.from({ length: 5 }, () => fetch(url));
    await Promise.race(replies);
    child.kill("SIGTERM");
    const settled = await Promise.allSettled(replies);
    expect(settled.map(({ status }) => status)).toContain("fulfilled");
    expect(await exited).toEqual({ code: 0, signal: null });
  });

  it("says which port it could not get, and ends", async () => {
    const taken = createServer();
    await new Promise<void>((resolve) => taken.listen(0, "127.0.0.1", resolve));
    const { port } = taken.address() as AddressInfo;
    const { exited, output } = await start("nginx", 80, { portMap: { 80: port } });
    expect((await exited).code).toBe(1);
    expect(output()).toContain("EADDRINUSE");
    await new Promise((resolve) => taken.close(resolve));
  });

  it("ends with its agent", async () => {
    const { child, exited } = await start("nginx", 80);
    child.disconnect();
    expect(await exited).toEqual({ code: 0, signal: null });
  });
});
