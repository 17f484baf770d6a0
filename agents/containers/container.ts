// What every built-in program is given: its arguments, where to listen, how to log and how to end. It owns the
// process's signals: SIGTERM and SIGQUIT drain the servers (in-flight requests finish) and exit 0, SIGINT likewise.
import { writeFileSync } from "node:fs";
import http from "node:http";
import type { Assignment } from "./protocol.ts";

export interface Container extends Assignment {
  /** Appends to standard output; lines of one turn of the event loop go out in one write. */
  print(text: string): void;
  printError(text: string): void;
  /** An HTTP server on the container port `port` (its mapped port), with the header that names the pod on every reply. */
  serve(port: number, answer: http.RequestListener): http.Server;
  /** Calls `end` before the process ends on a signal. */
  onStop(end: () => void): void;
  /** The value of `--name=value`, `-name value` and the like. */
  flag(name: string): string | undefined;
}

const STDERR = 2;
// A container that answers this many requests has been started long ago.
const BUSY_REQUESTS = 100;
// A client that never finishes its request must not hold up a stop for longer than the usual grace period.
const DRAIN_LIMIT_MS = 25_000;

export function createContainer(assignment: Assignment): Container {
  const servers = new Set<http.Server>();
  const endings: (() => void)[] = [];
  let draining = false;
  let pending = "";
  let requests = 0;

  const flush = () => {
    if (pending) process.stdout.write(pending);
    pending = "";
  };
  const stop = () => {
    if (draining) return;
    draining = true;
    for (const end of endings) end();
    let open = servers.size;
    const ended = () => {
      flush();
      process.exit(0);
    };
    if (open === 0) return ended();
    for (const server of servers)
      server.close(() => {
        open -= 1;
        if (open === 0) ended();
      });
    setTimeout(ended, DRAIN_LIMIT_MS).unref();
  };
  for (const signal of ["SIGTERM", "SIGQUIT", "SIGINT"] as const) process.on(signal, stop);

  const podName = assignment.env["POD_NAME"] ?? assignment.pod;
  return {
    ...assignment,
    print(text) {
      if (!pending) setImmediate(flush);
      pending += text;
    },
    // Without the stream that Node would make for it, which most containers need for their first words only.
    printError: (text) => writeFileSync(STDERR, text),
    serve(port, answer) {
      const server = http.createServer((request, response) => {
        response.setHeader("X-Pod-Name", podName);
        if (draining) response.setHeader("Connection", "close");
        response.on("finish", () => draining && setImmediate(() => server.closeIdleConnections()));
        requests += 1;
        if (requests === BUSY_REQUESTS) void keepSmall();
        answer(request, response);
      });
      // The usual default of web servers' keep-alive is longer than Node's 5 s, and the proxies in front count on it.
      server.keepAliveTimeout = 75_000;
      servers.add(server);
      server.on("error", (error: NodeJS.ErrnoException) => {
        process.stderr.write(`bind to ${assignment.host}:${port} failed: ${error.message}\n`);
        process.exit(1);
      });
      server.listen(assignment.portMap[port] ?? port, assignment.host, 511);
      return server;
    },
    onStop: (end) => void endings.push(end),
    flag: (name) => flagOf(assignment.args, name),
  };
}

/**
 * Under load V8 would let the young generation grow, and a pod take twice the memory. Not a flag of the process: with one V8 refuses the compiled code
 * of Node's modules, which is a sixth of what a container's start costs.
 */
async function keepSmall(): Promise<void> {
  const { setFlagsFromString } = await import("node:v8");
  setFlagsFromString("--semi-space-growth-factor=1");
}

/** The value of a flag in any of the ways Go programs take it: `-x v`, `-x=v`, `--x v`, `--x=v`; "" for a bare flag. */
export function flagOf(args: readonly string[], name: string): string | undefined {
  for (const [index, arg] of args.entries()) {
    const bare = arg.replace(/^--?/, "");
    if (bare === arg) continue;
    if (bare.startsWith(`${name}=`)) return bare.slice(name.length + 1);
    if (bare === name) {
      const next = args[index + 1];
      return next !== undefined && !next.startsWith("-") ? next : "";
    }
  }
  return undefined;
}
