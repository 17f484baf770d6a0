// The node's HTTPS server, with the kubelet's paths. Only the API server may come in: every connection shows the certificate of
// kube-apiserver-kubelet-client. Protocols are loaded when first used: most nodes never see an exec.
import { readFileSync } from "node:fs";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Server as SecureServer } from "node:https";
import { type AddressInfo, createServer, type Server } from "node:net";
import { join } from "node:path";
import type { Duplex } from "node:stream";
import type { TLSSocket } from "node:tls";
import { createLateServer } from "../../../src/base/late-server.ts";
import type { Log } from "../../../src/base/log.ts";
import type { NodeHost } from "./host.ts";
import type { CommandRequest } from "./remote-command.ts";

export interface NodeServerOptions {
  readonly settings: {
    readonly dataDir: string;
    readonly slot: number;
    readonly index: number;
    readonly singleAddress: boolean;
  };
  readonly host: NodeHost;
  readonly log: Log;
}

/** `port` goes to Node.status.daemonEndpoints.kubeletEndpoint.Port. Listens on the node's address (127.S.i.1, or 127.0.0.1). */
export interface NodeServer {
  readonly port: number;
  stop(): Promise<void>;
}

const API_SERVER = "kube-apiserver-kubelet-client";

/** Rejects where the address cannot be bound. TLS is loaded for the first who connects: most nodes are never asked for anything. */
export async function startNodeServer({ settings, host, log }: NodeServerOptions): Promise<NodeServer> {
  const sockets = new Set<Duplex>();
  const handOn = createLateServer(() => createSecure(settings.dataDir, { host, log }), log);
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => socket.destroy());
    socket.once("close", () => sockets.delete(socket));
    socket.setNoDelay(true);
    handOn(socket);
  });
  const address = settings.singleAddress ? "127.0.0.1" : `127.${settings.slot}.${settings.index}.1`;
  const port = await listen(server, address);
  return {
    port,
    stop() {
      for (const socket of sockets) socket.destroy();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}

async function createSecure(
  dataDir: string,
  { host, log }: Pick<NodeServerOptions, "host" | "log">,
): Promise<SecureServer> {
  const { createServer: createSecureServer } = await import("node:https");
  const pki = (name: string) => readFileSync(join(dataDir, "pki", name));
  const server = createSecureServer({
    cert: pki("kubelet.crt"),
    key: pki("kubelet.key"),
    ca: pki("ca.crt"),
    requestCert: true,
    rejectUnauthorized: true,
    ALPNProtocols: ["http/1.1"],
  });
  server.on("secureConnection", (socket) => {
    socket.on("error", () => {});
    if (socket.getPeerCertificate().subject?.CN !== API_SERVER) socket.destroy();
  });
  server.on("request", (request, response) => {
    answer(host, request, response).catch((error) => {
      log.warn({ url: request.url, error: String(error) }, "request failed");
      if (response.headersSent) response.destroy();
      else refuse(response, new Refusal(500, String(error)));
    });
  });
  server.on("upgrade", (request, socket, head) => {
    upgrade(host, request, { socket, head }).catch((error) => {
      if (!(error instanceof Refusal)) log.warn({ url: request.url, error: String(error) }, "stream failed");
      refuseSocket(socket, error instanceof Refusal ? error : new Refusal(500, String(error)));
    });
  });
  return server;
}

function listen(server: Server, host: string): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen({ host, port: 0 }, () => {
      server.off("error", reject);
      resolve((server.address() as AddressInfo).port);
    });
  });
}

/** What the kubelet answers in plain text. */
class Refusal extends Error {
  readonly code: number;
  constructor(code: number, message: string) {
    super(message);
    this.code = code;
  }
}

function refuse(response: ServerResponse, { code, message }: Refusal): void {
  response.writeHead(code, { "content-type": "text/plain; charset=utf-8" });
  response.end(message);
}

function refuseSocket(socket: Duplex, { code, message }: Refusal): void {
  if (!socket.writable) return;
  const body = Buffer.from(message);
  const head = `HTTP/1.1 ${code} Refused\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: ${body.length}\r\nConnection: close\r\n\r\n`;
  socket.end(Buffer.concat([Buffer.from(head), body]));
}

async function answer(host: NodeHost, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { path, query } = parseUrl(request);
  const [verb, namespace = "", pod = "", container = ""] = path;
  try {
    if (verb === "healthz") response.end("ok");
    else if (verb === "containerLogs") {
      const { serveLog } = await import("./serve-log.ts");
      await serveLog(host, { namespace, pod, container, query }, response);
    } else if (path.join("/") === "metrics/resource") {
      const { resourceMetrics } = await import("./resource-metrics.ts");
      response.setHeader("content-type", "text/plain; version=0.0.4; charset=utf-8");
      response.end(resourceMetrics(await host.usage(), Date.now()));
    } else if (STREAM_PATHS.has(verb ?? "")) throw new Refusal(400, "Upgrade request required");
    else throw new Refusal(404, "404 page not found");
  } catch (error) {
    const { code, message } = error as Error & { code?: unknown };
    if (response.headersSent || typeof code !== "number") throw error;
    refuse(response, new Refusal(code, message));
  }
}

const STREAM_PATHS: ReadonlySet<string> = new Set(["exec", "attach", "portForward"]);

function parseUrl(request: IncomingMessage): { path: string[]; query: URLSearchParams } {
  const url = new URL(request.url ?? "/", "http://node");
  return { path: url.pathname.split("/").slice(1).map(decodeURIComponent), query: url.searchParams };
}

async function upgrade(
  host: NodeHost,
  request: IncomingMessage,
  { socket, head }: { socket: Duplex; head: Buffer },
): Promise<void> {
  socket.on("error", () => {});
  (socket as TLSSocket).setTimeout(0);
  const { path, query } = parseUrl(request);
  const [verb = "", namespace = "", name = "", container = ""] = path;
  if (!STREAM_PATHS.has(verb)) throw new Refusal(404, "404 page not found");
  const pod = host.pod(namespace, name);
  if (!pod) throw new Refusal(404, "pod does not exist");
  const isSpdy = request.headers.upgrade?.toLowerCase() === "spdy/3.1";
  const incoming = { request, socket, head };
  if (verb === "portForward") {
    if (!isSpdy) return (await import("./websocket.ts")).acceptForward(incoming, { host, pod });
    const { acceptSpdy } = await import("./spdy/upgrade.ts");
    const { forwardStreams } = await import("./port-forward.ts");
    if (acceptSpdy(incoming, ["portforward.k8s.io"])) forwardStreams(socket, { host, pod });
    return;
  }
  const wanted: CommandRequest = {
    pod,
    container,
    command: query.getAll("command"),
    stdin: query.get("input") === "1",
    stdout: query.get("output") === "1",
    stderr: query.get("error") === "1",
    tty: query.get("tty") === "1",
  };
  checkCommand(verb, wanted, host);
  const client = isSpdy
    ? await (await import("./spdy-command.ts")).acceptSpdyCommand(incoming, wanted)
    : await (await import("./websocket.ts")).acceptCommand(incoming, wanted);
  if (!client) return;
  const { runAttach, runExec } = await import("./remote-command.ts");
  await (verb === "exec" ? runExec : runAttach)(host, wanted, client);
}

// The kubelet's own checks, in its words.
function checkCommand(
  verb: string,
  { pod, container, stdin, stdout, stderr, command }: CommandRequest,
  host: NodeHost,
): void {
  if (!stdin && !stdout && !stderr)
    throw new Refusal(400, "you must specify at least 1 of stdin, stdout, stderr");
  if (verb === "exec" && command.length === 0) throw new Refusal(400, "you must specify at least 1 command");
  const statuses = [
    ...(pod.status?.containerStatuses ?? []),
    ...(pod.status?.initContainerStatuses ?? []),
    ...(pod.status?.ephemeralContainerStatuses ?? []),
  ];
  const runs = statuses.some(({ name, state }) => name === container && state?.running);
  if (!runs && !(verb === "attach" && host.attach(pod, container)))
    throw new Refusal(500, `container not found (${JSON.stringify(container)})`);
}
