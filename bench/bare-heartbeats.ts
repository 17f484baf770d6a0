// The floor of an idle cluster's CPU: bare Node processes that exchange what its heartbeats are, three clients that PATCH something small over
// a kept HTTPS connection as often as a node renews its Lease, and a server that answers with as much as a Lease is.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { timingOf } from "../src/base/timing.ts";
import { openAuthority } from "../src/pki/certificates.ts";

const NODES = 3;
const ANSWER_BYTES = 800;

const SERVER = `
const { PAIR, BYTES } = process.env;
const answer = "x".repeat(BYTES);
const server = require("node:https").createServer(JSON.parse(PAIR), (request, response) => {
  request.resume().on("end", () => response.writeHead(200, { "content-length": BYTES }).end(answer));
});
server.listen(0, "127.0.0.1", () => process.send(server.address().port));
process.on("disconnect", () => process.exit());`;

const CLIENT = `
const { request, Agent } = require("node:https");
const { PAIR, PORT, EVERY_MS } = process.env;
const options = { ...JSON.parse(PAIR), host: "127.0.0.1", port: PORT, method: "PATCH", agent: new Agent({ keepAlive: true }) };
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
  const authority = openAuthority(Date.now());
  const ca = authority.cert;
  const server = start(SERVER, {
    PAIR: { ca, ...authority.issue({ commonName: "server", use: "server", addresses: ["127.0.0.1"] }) },
    BYTES: ANSWER_BYTES,
  });
  const [port] = (await once(server, "message")) as [number];
  const clients = Array.from({ length: NODES }, (_, index) =>
    start(CLIENT, {
      PAIR: { ca, ...authority.issue({ commonName: `client-${index}`, use: "client" }) },
      PORT: port,
      EVERY_MS: timingOf("fast").leaseRenewMs,
    }),
  );
  const all = [server, ...clients];
  return {
    pids: all.map(({ pid }) => pid ?? 0),
    stop() {
      for (const child of all) child.kill();
    },
  };
}

function start(program: string, settings: Readonly<Record<string, unknown>>): ChildProcess {
  const env = Object.fromEntries(
    Object.entries(settings).map(([name, value]) => [
      name,
      typeof value === "object" ? JSON.stringify(value) : String(value),
    ]),
  );
  return spawn(process.execPath, ["-e", program], { env, stdio: ["ignore", "inherit", "inherit", "ipc"] });
}
