import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer, type Server } from "node:https";
import type { AddressInfo } from "node:net";
import type { TLSSocket } from "node:tls";
import { afterEach, expect, test } from "vitest";
import { leases } from "../../../src/api/kinds/lease.ts";
import { hasReason, notFound } from "../../../src/api/status-error.ts";
import { createClient } from "../../../src/client/create-client.ts";
import { createHttpsTransport } from "../../../src/client/http-transport.ts";
import { createLink, type Link } from "../../../src/client/link.ts";
import { openAuthority } from "../../../src/pki/certificates.ts";

const authority = openAuthority(Date.now());
const serverPair = authority.issue({ commonName: "kube-apiserver", use: "server", addresses: ["127.0.0.1"] });
const clientPair = authority.issue({ commonName: "system:node:n1", use: "client" });
const ends: (() => void)[] = [];
afterEach(() => {
  for (const end of ends.splice(0)) end();
});

async function serve(
  answer: (request: IncomingMessage, response: ServerResponse, body: string) => void,
  options: { requestTimeoutMs?: number; link?: Link } = {},
) {
  const server: Server = createServer(
    { ...serverPair, ca: authority.cert, requestCert: true },
    async (request, response) => {
      let body = "";
      for await (const chunk of request) body += chunk;
      answer(request, response, body);
    },
  );
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const credentials = { ca: authority.cert, ...clientPair };
  const transport = createHttpsTransport({ server: `https://127.0.0.1:${port}`, ...credentials, ...options });
  const abort = new AbortController();
  ends.push(() => {
    abort.abort();
    transport.close();
    server.closeAllConnections();
    server.close();
  });
  const client = createClient(transport, { userAgent: "kubelet" });
  const at = { namespace: "kube-node-lease", name: "n1" };
  return { server, abort, send: client.repeatPatch(leases, at, "merge", abort.signal) };
}

const accept = (response: ServerResponse) => {
  const text = JSON.stringify({ kind: "Lease", note: "é" });
  response.writeHead(200, { "content-length": Buffer.byteLength(text) });
  response.end(text);
};

test("is the request that any patch is, over one connection", async () => {
  const seen: unknown[] = [];
  const sockets = new Set<unknown>();
  const { send } = await serve((request, response, body) => {
    const { CN } = (request.socket as TLSSocket).getPeerCertificate().subject;
    seen.push([request.method, request.url, request.headers["content-type"], JSON.parse(body), CN]);
    sockets.add(request.socket);
    accept(response);
  });
  await send({ spec: { holderIdentity: "é" } });
  await send({ spec: {} });
  const path = "/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases/n1?fieldManager=kubelet";
  const type = "application/merge-patch+json";
  expect(seen).toEqual([
    ["PATCH", path, type, { spec: { holderIdentity: "é" } }, "system:node:n1"],
    ["PATCH", path, type, { spec: {} }, "system:node:n1"],
  ]);
  expect(sockets.size).toBe(1);
});

test("a failure is a Status, whatever pieces the answer comes in", async () => {
  const { send } = await serve((_request, response) => {
    const text = JSON.stringify(notFound(leases, "n1").status);
    response.socket?.write(`HTTP/1.1 404 Not Found\r\ncontent-le`);
    setImmediate(() => response.socket?.write(`ngth: ${text.length}\r\n\r\n${text.slice(0, 20)}`));
    setTimeout(() => response.socket?.write(text.slice(20)), 5);
  });
  const failure = await send({}).catch((error: unknown) => error);
  expect(hasReason(failure, "NotFound")).toBe(true);
});

test("a connection that was lost is replaced by the next request", async () => {
  let requests = 0;
  const { send, server } = await serve((request, response) => {
    requests++;
    if (requests === 2) request.socket.destroy();
    else accept(response);
  });
  await send({});
  await expect(send({})).rejects.toThrow();
  await send({});
  const closed = new Promise((resolve) => server.once("secureConnection", resolve));
  server.closeAllConnections();
  await send({}).catch(() => send({}));
  await closed;
  expect(requests).toBeGreaterThanOrEqual(4);
});

test("a connection that the server wants to close is not used again", async () => {
  const sockets = new Set<unknown>();
  const { send } = await serve((request, response) => {
    sockets.add(request.socket);
    response.setHeader("connection", "close");
    accept(response);
  });
  await send({});
  await send({});
  expect(sockets.size).toBe(2);
});

test("fails when there is no answer, none that can be read, or no way to the server", async () => {
  const link = createLink();
  const silent = await serve(() => {}, { requestTimeoutMs: 30, link });
  await expect(silent.send({})).rejects.toThrow("no answer from https://127.0.0.1");
  link.cut();
  await expect(silent.send({})).rejects.toThrow("partitioned");
  const odd = await serve((_request, response) => void response.write("chunked"));
  await expect(odd.send({})).rejects.toThrow("no HTTP of a known length");
});

test("ends with its signal", async () => {
  const { send, abort } = await serve(() => abort.abort());
  await expect(send({})).rejects.toThrow("closed");
  await expect(send({})).rejects.toThrow("aborted");
});
