// The floor of a container's restart: a bare Node process that serves is killed, its parent hears of it and tells a second one, which has
// been started before and waits, to listen on the same port. No cluster, no log, no status, no probe.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:net";
import { killAndAwait } from "./cluster.ts";

const WAITING = `
process.once("message", (port) => {
  require("node:http").createServer((_, response) => response.end("ok")).listen(port, "127.0.0.1", () => process.send("serving"));
});
process.send("waiting");
process.on("disconnect", () => process.exit());`;

// As long as a killed container is left alone before the next one is.
const REST_MS = 1_500;

/** Milliseconds from each kill to the next answer. */
export async function bareTakeoverMs(times: number): Promise<number[]> {
  const port = await freePort();
  const tookMs: number[] = [];
  let serving = await startWaiting();
  await tell(serving, port);
  for (let kill = 0; kill < times; kill++) {
    const spare = await startWaiting();
    await new Promise((next) => setTimeout(next, REST_MS));
    serving.once("exit", () => spare.send(port));
    tookMs.push(await killAndAwait(`http://127.0.0.1:${port}/`, serving.pid ?? 0));
    serving = spare;
  }
  serving.kill();
  return tookMs;
}

async function startWaiting(): Promise<ChildProcess> {
  const child = spawn(process.execPath, ["-e", WAITING], { stdio: ["ignore", "ignore", "inherit", "ipc"] });
  await once(child, "message");
  return child;
}

async function tell(child: ChildProcess, port: number): Promise<void> {
  child.send(port);
  await once(child, "message");
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, "close");
  return port;
}
