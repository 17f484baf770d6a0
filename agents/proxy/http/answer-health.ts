// Answers a load balancer outside that asks whether a node has endpoints of its own, as kube-proxy does (pkg/proxy/healthcheck).
import type { Socket } from "node:net";
import type { Frontend } from "../service-table.ts";

export function answerHealth(client: Socket, { service, backends }: Frontend): void {
  const [namespace, name] = service.split("/");
  const localEndpoints = backends.length;
  const body = JSON.stringify({ service: { namespace, name }, localEndpoints, serviceProxyHealthy: true });
  const status = localEndpoints > 0 ? "200 OK" : "503 Service Unavailable";
  client.on("error", () => client.destroy());
  client.once("data", () => {
    client.end(
      `HTTP/1.1 ${status}\r\nContent-Type: application/json\r\nX-Load-Balancing-Endpoint-Weight: ${localEndpoints}\r\n` +
        `Content-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`,
    );
  });
}
