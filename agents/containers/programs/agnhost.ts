// agnhost, the image of Kubernetes' own end-to-end tests: the subcommands that tests and tutorials use. Unlike the
// original, netexec's /shell and /upload do not exist: nothing that comes in over the network is ever executed.
import type { IncomingMessage, ServerResponse } from "node:http";
import { type Container, flagOf } from "../container.ts";
import { grpcHealthChecking } from "./grpc-health.ts";

type Answer = (container: Container, request: IncomingMessage, response: ServerResponse) => void;

export function agnhost(container: Container): void {
  const [command = "pause", ...args] = container.args;
  const start = COMMANDS[command];
  if (!start) {
    container.printError(`Error: unknown command "${command}" for "app"\n`);
    process.exit(1);
  }
  start({ ...container, args, flag: (name) => flagOf(args, name) });
}

const COMMANDS: Readonly<Record<string, (container: Container) => void>> = {
  netexec,
  "serve-hostname": serveHostname,
  liveness,
  pause,
  porter,
  "grpc-health-checking": grpcHealthChecking,
  "test-webserver": (container) => plain(container, Number(container.flag("port") ?? 80) || 80),
};

const hostname = (container: Container) => container.env["HOSTNAME"] ?? container.pod;

function pause(container: Container): void {
  container.print("Paused\n");
  const timer = setInterval(() => {}, 2 ** 31 - 1);
  container.onStop(() => clearInterval(timer));
}

function plain(container: Container, port: number): void {
  container.serve(port, (request, response) => {
    request.resume();
    response.end(`${hostname(container)}\n`);
  });
}

function serveHostname(container: Container): void {
  const port = Number(container.flag("port") ?? 9376) || 9376;
  container.serve(port, (request, response) => {
    request.resume();
    response.end(hostname(container));
  });
}

/** Healthy for ten seconds, then not: the example of the liveness probe's page. */
function liveness(container: Container): void {
  const startedAt = Date.now();
  container.serve(8080, (request, response) => {
    request.resume();
    const seconds = (Date.now() - startedAt) / 1000;
    if (request.url === "/healthz" && seconds > 10) {
      response.statusCode = 500;
      response.end(`error: ${seconds}`);
    } else response.end("ok");
  });
}

/** Serves the value of each `SERVE_PORT_N` variable on port N. */
function porter(container: Container): void {
  for (const [name, value] of Object.entries(container.env)) {
    const port = /^SERVE_PORT_(\d+)$/.exec(name)?.[1];
    if (port)
      container.serve(Number(port), (request, response) => {
        request.resume();
        response.end(value);
      });
  }
}

const ENDPOINTS: Readonly<Record<string, Answer>> = {
  "/": (_container, _request, response) => response.end(`NOW: ${new Date().toISOString()}`),
  "/hostname": (container, _request, response) => response.end(hostname(container)),
  "/hostName": (container, _request, response) => response.end(hostname(container)),
  "/clientip": (_container, request, response) =>
    response.end(`${request.socket.remoteAddress}:${request.socket.remotePort}`),
  "/echo": (_container, request, response) => {
    const query = queryOf(request);
    const code = Number(query.get("code") ?? 200);
    response.statusCode = code >= 100 && code < 600 ? code : 200;
    response.end(query.get("msg") ?? "");
  },
  "/header": (_container, request, response) =>
    response.end(String(request.headers[(queryOf(request).get("key") ?? "").toLowerCase()] ?? "")),
  "/healthz": (_container, _request, response) => response.end(),
  "/redirect": (_container, request, response) => {
    const query = queryOf(request);
    response.writeHead(Number(query.get("code") ?? 302) || 302, { Location: query.get("location") ?? "/" });
    response.end();
  },
  "/exit": (_container, request, response) => {
    const query = queryOf(request);
    const code = Number(query.get("code") ?? 0) || 0;
    const waitMs = durationMs(query.get("wait") ?? "0s");
    response.end();
    setTimeout(() => process.exit(code), Math.max(waitMs, 10));
  },
};

function netexec(container: Container): void {
  const port = Number(container.flag("http-port") ?? 8080) || 8080;
  const delayMs = (Number(container.flag("delay-shutdown")) || 0) * 1000;
  if (delayMs > 0) container.onStop(() => blockFor(delayMs));
  container.print(`Started HTTP server on port ${port}\n`);
  container.serve(port, (request, response) => {
    const pathname = (request.url ?? "/").split("?", 1)[0] ?? "/";
    container.print(`GET ${pathname}\n`);
    request.resume();
    const answer = ENDPOINTS[pathname];
    if (answer) return answer(container, request, response);
    response.statusCode = 404;
    response.end("404 page not found\n");
  });
}

// The original sleeps in its signal handler too: with --delay-shutdown it goes on answering, so only the end is put off.
function blockFor(delayMs: number): void {
  const timer = setInterval(() => {}, 1000);
  setTimeout(() => clearInterval(timer), delayMs);
}

const queryOf = (request: IncomingMessage) => new URL(request.url ?? "/", "http://pod").searchParams;

/** Go's `1m2s`, `500ms`; 0 where it is none. */
function durationMs(value: string): number {
  const units: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };
  let total = 0;
  for (const [, amount, unit] of value.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h)/g))
    total += Number(amount) * (units[unit ?? ""] ?? 0);
  return total;
}
