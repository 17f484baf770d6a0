// Open-loop traffic: requests are sent at a fixed rate, whether or not earlier ones have been answered, so that slowness is not hidden.
// A process of its own sends them, half over new connections and half over kept-alive ones, as asked.
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";

export interface OpenLoopOptions {
  /** Requests per second over new connections, each with `connection: close`. */
  readonly fresh?: number;
  /** Requests per second over kept-alive connections. */
  readonly kept?: number;
  readonly method?: string;
  readonly body?: string;
  /** The Host header. */
  readonly host?: string;
}

export interface Counts {
  sent: number;
  answered: number;
  /** What went wrong, and how often. */
  failures: Record<string, number>;
}

export interface OpenLoop {
  readonly counts: Counts;
  /** Sends no more, waits for the answers, and resolves with the sums. */
  stop(): Promise<Counts>;
}

export function sendOpenLoop(url: string, options: OpenLoopOptions): OpenLoop {
  const settings = JSON.stringify({ url, fresh: 0, kept: 0, method: "GET", ...options });
  const child = spawn(process.execPath, ["-e", PROGRAM, settings], { stdio: ["pipe", "pipe", "inherit"] });
  const counts: Counts = { sent: 0, answered: 0, failures: {} };
  createInterface({ input: child.stdout }).on("line", (line) => Object.assign(counts, JSON.parse(line)));
  const ended = new Promise<void>((done) => child.on("close", () => done()));
  return {
    counts,
    async stop() {
      child.stdin.end();
      await ended;
      return counts;
    },
  };
}

const PROGRAM = `
const http = require("node:http");
const { url, fresh, kept, method, body, host } = JSON.parse(process.argv[1]);
const counts = { sent: 0, answered: 0, failures: {} };
const agent = new http.Agent({ keepAlive: true, maxSockets: 64 });
let open = 0, stopping = false;
const fail = (why) => { counts.failures[why] = (counts.failures[why] ?? 0) + 1; };
function send(isKept) {
  counts.sent++; open++;
  let over = false;
  const done = (why) => { if (over) return; over = true; open--; why === undefined ? counts.answered++ : fail(why); };
  const headers = { ...(isKept ? {} : { connection: "close" }), ...(host ? { host } : {}), ...(body ? { "content-length": Buffer.byteLength(body) } : {}) };
  const request = http.request(url, { agent: isKept ? agent : false, method, headers, timeout: 15000 }, (response) => {
    response.resume();
    response.on("end", () => done(response.complete ? (response.statusCode === 200 ? undefined : "HTTP " + response.statusCode) : "cut short"));
    response.on("error", (error) => done("response " + error.code));
  });
  request.on("timeout", () => request.destroy(Object.assign(new Error(), { code: "TIMEOUT" })));
  request.on("error", (error) => done((isKept ? "kept " : "new ") + (error.code ?? error.message)));
  request.end(body);
}
const startedAt = performance.now();
const due = { fresh: 0, kept: 0 };
const timer = setInterval(() => {
  const seconds = (performance.now() - startedAt) / 1000;
  for (; due.fresh < seconds * fresh; due.fresh++) send(false);
  for (; due.kept < seconds * kept; due.kept++) send(true);
}, 4);
const report = setInterval(() => console.log(JSON.stringify(counts)), 100);
process.stdin.resume().on("end", () => {
  clearInterval(timer);
  const wait = setInterval(() => {
    if (open > 0) return;
    clearInterval(wait); clearInterval(report);
    console.log(JSON.stringify(counts));
    agent.destroy();
  }, 5);
});
`;
