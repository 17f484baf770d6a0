// Many TCP connections that say nothing, held by a process of its own.
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";

export interface IdleConnections {
  /** How many are open; fewer than asked for where some were refused or cut. */
  readonly opened: number;
  /** Ends them all, and the process; resolves with how many the other side had ended by then. */
  close(): Promise<number>;
}

// Any more at a time would overflow a listener's backlog.
const PROGRAM = `
const net = require("node:net");
const [, host, port, count] = process.argv;
let started = 0, decided = 0, open = 0, lost = 0;
function connect() {
  if (started === Number(count)) return;
  started++;
  let isDecided = false;
  const decide = () => {
    if (isDecided) return;
    isDecided = true;
    connect();
    if (++decided === Number(count)) console.log(open);
  };
  const socket = net.connect({ host, port: Number(port) });
  socket.on("connect", () => { open++; decide(); });
  socket.on("error", () => {});
  socket.on("close", () => { if (isDecided) lost++; decide(); });
}
for (let n = 0; n < 100; n++) connect();
process.stdin.resume().on("end", () => { console.log(lost); process.exit(0); });
`;

/** Opens `count` connections to where the URL points. */
export async function openIdle(url: string, count: number): Promise<IdleConnections> {
  const { hostname, port } = new URL(url);
  const args = ["-e", PROGRAM, hostname, port || "80", String(count)];
  const child = spawn(process.execPath, args, { stdio: ["pipe", "pipe", "inherit"] });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const next = async () => Number((await lines.next()).value);
  const opened = await next();
  return {
    opened,
    async close() {
      child.stdin.end();
      return next();
    },
  };
}
