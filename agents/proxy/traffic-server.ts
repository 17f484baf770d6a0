// Where a worker's traffic can be read, on loopback: /metrics for Prometheus, /sums as JSON, /follow as JSON lines while they come.
import http, { type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { prometheusText, type Traffic } from "./traffic.ts";

export interface TrafficServer {
  /** `127.0.0.1:PORT` */
  readonly address: string;
  stop(): void;
}

// Who reads more slowly than this misses records: the proxy's memory is for connections.
const MOST_WAITING_BYTES = 1024 * 1024;

export async function startTrafficServer(traffic: Traffic): Promise<TrafficServer> {
  const server = http.createServer((request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? "/", "http://proxy");
    if (pathname === "/metrics") {
      response.setHeader("Content-Type", "text/plain; version=0.0.4; charset=utf-8");
      response.end(prometheusText(traffic.sums()));
    } else if (pathname === "/sums") {
      response.setHeader("Content-Type", "application/json");
      response.end(JSON.stringify(traffic.sums()));
    } else if (pathname === "/follow") follow(traffic, response, searchParams.get("service"));
    else response.writeHead(404).end();
  });
  // It never keeps the process alive, nor its end waiting.
  server.unref();
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, "127.0.0.1", resolve);
  });
  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    stop() {
      server.close();
      server.closeAllConnections();
    },
  };
}

function follow(traffic: Traffic, response: ServerResponse, service: string | null): void {
  response.setHeader("Content-Type", "application/x-ndjson");
  response.flushHeaders();
  const end = traffic.follow((record) => {
    if (service !== null && record.service !== service) return;
    if (response.writableLength < MOST_WAITING_BYTES) response.write(`${JSON.stringify(record)}\n`);
  });
  response.on("close", end);
}
