// The floor of an idle cluster's CPU: bare Node processes that exchange what its heartbeats are, three clients that PATCH something small over
// a kept connection over a Unix socket as often as a node renews its Lease, and a server that answers with as much as a Lease is.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { timingOf } from "../src/base/timing.ts";

const NODES = 3;
const ANSWER_BYTES = 800;

const SERVER = `
const { SOCKET, BYTES } = process.env;
const answer = "x".repeat(BYTES);
const server = require("node:http").createServer((request, response) => {
  request.resume().on("end", () => response.writeHead(200, { "content-length": BYTES }).end(answer));
});
server.listen(SOCKET, () => process.send("listens"));
process.on("disconnect", () => process.exit());`;

const CLIENT = `
const { request, Agent } = require("node:http");
const { SOCKET, EVERY_MS } = process.env;
const options = { socketPath: SOCKET, method: "PATCH", agent: new Agent({ keepAlive: true }) };
setInterval(() => {
  const body = JSON.stringify({ spec: { renewTime: new Date().toISOString() } });
  request({ ...options, headers: { "content-length": body.length } }, (response) => response.resume()).end(body);
}, EVERY_MS);
process.on("disconnect", () => process.exit());`;

export interface BareHeartbeats {
  readonly pids: readonly number[];
  stop(): void;
}

export async function startBareHeartbeats(): Promise<BareHeartbeats> {
  const folder = mkdtempSync(join(tmpdir(), "kubemu-bare-"));
  const SOCKET = join(folder, "bare.sock");
  const server = start(SERVER, { SOCKET, BYTES: String(ANSWER_BYTES) });
  await once(server, "message");
  const EVERY_MS = String(timingOf("fast").leaseRenewMs);
  const clients = Array.from({ length: NODES }, () => start(CLIENT, { SOCKET, EVERY_MS }));
  const all = [server, ...clients];
  return {
    pids: all.map(({ pid }) => pid ?? 0),
    stop() {
      for (const child of all) child.kill();
      rmSync(folder, { recursive: true });
    },
  };
}

function start(program: string, env: Readonly<Record<string, string>>): ChildProcess {
  return spawn(process.execPath, ["-e", program], { env, stdio: ["ignore", "inherit", "inherit", "ipc"] });
}
