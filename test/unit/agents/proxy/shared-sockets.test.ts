import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import net, { type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { build } from "esbuild";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { createSharedHandles, holdSocket } from "../../../../src/process/shared-handles.ts";

const folder = mkdtempSync(join(tmpdir(), "kubemu-worker-"));
const program = join(folder, "worker.mjs");
beforeAll(async () => {
  await build({
    entryPoints: [join(import.meta.dirname, "worker.fixture.ts")],
    outfile: program,
    bundle: true,
    platform: "node",
    format: "esm",
  });
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const children: ChildProcess[] = [];
let handles = createSharedHandles();
afterEach(async () => {
  await Promise.all(children.splice(0).map(kill));
  handles.close();
  handles = createSharedHandles();
});

async function kill(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill("SIGKILL");
  await once(child, "exit");
}

async function startWorker(port: number): Promise<{ child: ChildProcess; answer: unknown }> {
  const child = fork(program, { stdio: "inherit" });
  children.push(child);
  handles.serve(child);
  await once(child, "message");
  child.send({ listen: { key: `127.0.0.1:${port}`, host: "127.0.0.1", port } });
  const answer = await new Promise((resolve) => {
    child.on("message", (message: object) => "handle" in message || resolve(message));
  });
  return { child, answer };
}

async function freePort(): Promise<number> {
  const server = net.createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

function ask(port: number): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = "";
    net
      .connect(port, "127.0.0.1")
      .on("data", (data) => {
        text += data;
      })
      .on("end", () => resolve(text))
      .on("error", reject);
  });
}

test("connections wait while every worker is dead, and the next worker takes them", async () => {
  const port = await freePort();
  const workers = [await startWorker(port), await startWorker(port)];
  expect(workers.map(({ child }) => String(child.pid))).toContain(await ask(port));
  await Promise.all(workers.map(({ child }) => kill(child)));
  const waiting = Array.from({ length: 20 }, () => ask(port));
  const { child } = await startWorker(port);
  expect(new Set(await Promise.all(waiting))).toEqual(new Set([String(child.pid)]));
});

test("a socket stays for the other worker, and is closed when the last gives it up", async () => {
  const port = await freePort();
  const [first, second] = [await startWorker(port), await startWorker(port)];
  first.child.send("giveUp");
  await expect.poll(() => ask(port)).toBe(String(second.child.pid));
  second.child.send("giveUp");
  await expect.poll(() => ask(port).catch((error) => error.code)).toBe("ECONNREFUSED");
});

test("what only dead workers had is closed once the living know what they want", async () => {
  const [old, wanted] = [await freePort(), await freePort()];
  await kill((await startWorker(old)).child);
  const waiting = ask(old);
  waiting.catch(() => {});
  await startWorker(wanted);
  await expect.poll(() => ask(old).catch((error) => error.code)).toBe("ECONNREFUSED");
  await expect(waiting).rejects.toMatchObject({ code: "ECONNRESET" });
});

test("a port that is taken is told as such, to whoever listens", async () => {
  const server = net.createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  expect((await startWorker(port)).answer).toEqual({ failed: "EADDRINUSE" });
  expect(() => holdSocket("127.0.0.1", port)).toThrow(expect.objectContaining({ code: "EADDRINUSE" }));
  server.close();
});
