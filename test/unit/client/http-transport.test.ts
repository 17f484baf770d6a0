import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer, type Server } from "node:https";
import type { AddressInfo } from "node:net";
import type { TLSSocket } from "node:tls";
import { afterEach, expect, test } from "vitest";
import { configMaps } from "../../../src/api/kinds/config-map.ts";
import { hasReason, notFound, statusError } from "../../../src/api/status-error.ts";
import { createClient } from "../../../src/client/create-client.ts";
import { lineSplitter } from "../../../src/client/http-transport.ts";
import { createHttpsTransport } from "../../../src/client/https-transport.ts";
import type { Transport, WatchEvent } from "../../../src/client/transport.ts";
import { openAuthority } from "../../../src/pki/certificates.ts";

const authority = openAuthority(Date.now());
const serverPair = authority.issue({ commonName: "kube-apiserver", use: "server", addresses: ["127.0.0.1"] });
const clientPair = authority.issue({ commonName: "system:node:n1", use: "client" });

let server: Server | undefined;
let transport: Transport | undefined;
afterEach(() => {
  transport?.close();
  server?.closeAllConnections();
  server?.close();
});

async function serve(
  answer: (request: IncomingMessage, response: ServerResponse) => void,
  requestTimeoutMs?: number,
): Promise<Transport> {
  server = createServer({ ...serverPair, ca: authority.cert, requestCert: true }, answer);
  await new Promise<void>((resolve) => server?.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  transport = createHttpsTransport({
    server: `https://127.0.0.1:${port}`,
    ca: authority.cert,
    ...clientPair,
    ...(requestTimeoutMs ? { requestTimeoutMs } : {}),
  });
  return transport;
}

const json = (response: ServerResponse, body: unknown, status = 200) =>
  response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));

test("a request carries its body, query and client certificate; the answer its warnings", async () => {
  const seen: unknown[] = [];
  const { request } = await serve(async (message, response) => {
    let body = "";
    for await (const chunk of message) body += chunk;
    const { CN } = (message.socket as TLSSocket).getPeerCertificate().subject;
    seen.push([message.method, message.url, message.headers["content-type"], JSON.parse(body), CN]);
    response.setHeader("Warning", ['299 - "unknown field \\"spec.x\\""', '299 - "second"']);
    json(response, { kind: "ConfigMap" }, 201);
  });
  const answer = await request({
    method: "POST",
    path: "/api/v1/namespaces/default/configmaps",
    query: { fieldManager: "a b", dryRun: undefined },
    body: { data: { a: "é" } },
  });
  expect(seen).toEqual([
    [
      "POST",
      "/api/v1/namespaces/default/configmaps?fieldManager=a+b",
      "application/json",
      { data: { a: "é" } },
      "system:node:n1",
    ],
  ]);
  expect(answer).toEqual({
    status: 201,
    body: { kind: "ConfigMap" },
    warnings: ['unknown field "spec.x"', "second"],
  });
});

test("requests share connections, and failures are Statuses", async () => {
  const sockets = new Set<unknown>();
  const made = await serve((message, response) => {
    sockets.add(message.socket);
    json(response, notFound(configMaps, "x").status, 404);
  });
  const client = createClient(made);
  for (let i = 0; i < 5; i++)
    expect(await client.find(configMaps, { namespace: "default", name: "x" })).toBeUndefined();
  await expect(client.get(configMaps, { namespace: "default", name: "x" })).rejects.toSatisfy((error) =>
    hasReason(error, "NotFound"),
  );
  expect(sockets.size).toBe(1);
});

test("a request that a closing idle connection lost is sent again, unless it is a POST", async () => {
  let requests = 0;
  const { request } = await serve((message, response) => {
    requests += 1;
    if (requests === 2 || requests === 5) message.socket.destroy();
    else json(response, { requests });
  });
  const path = "/api/v1/nodes/n1";
  await request({ method: "GET", path });
  expect((await request({ method: "GET", path })).body).toEqual({ requests: 3 });
  await request({ method: "GET", path });
  await expect(request({ method: "POST", path, body: {} })).rejects.toThrow();
  expect(requests).toBe(5);
});

test("a watch resumes the session of the requests before it", async () => {
  const resumed: boolean[] = [];
  const { request, watch } = await serve((message, response) => {
    resumed.push((message.socket as TLSSocket).isSessionReused());
    json(response, {});
  });
  await request({ method: "GET", path: "/api/v1/nodes" });
  await watch({ method: "GET", path: "/api/v1/nodes" }, () => {});
  await watch({ method: "GET", path: "/api/v1/nodes" }, () => {});
  expect(resumed).toEqual([false, true, true]);
});

test("a server that does not answer is given up, and so is one that is not there", async () => {
  const { request } = await serve(() => {}, 50);
  await expect(request({ method: "GET", path: "/api" })).rejects.toThrow(/no answer from https/);
  server?.closeAllConnections();
  await new Promise((resolve) => server?.close(resolve));
  await expect(request({ method: "GET", path: "/api" })).rejects.toThrow(/ECONNREFUSED/);
});

test("an abort ends a request", async () => {
  const { request } = await serve(() => abort.abort());
  const abort = new AbortController();
  await expect(request({ method: "GET", path: "/api", signal: abort.signal })).rejects.toThrow(/abort/i);
});

const event = (name: string): WatchEvent => ({ type: "ADDED", object: { metadata: { name } } });

test("a watch gives whole events from whatever pieces arrive, and resolves when the server ends it", async () => {
  const { watch } = await serve(async (message, response) => {
    expect(message.url).toBe("/api/v1/pods?resourceVersion=5&watch=true");
    const bytes = Buffer.from(`${JSON.stringify(event("é"))}\n${JSON.stringify(event("b"))}\n`);
    response.writeHead(200);
    for (const byte of bytes) {
      response.write(Buffer.of(byte));
      if (byte > 127) await new Promise((resolve) => setImmediate(resolve));
    }
    response.end();
  });
  const events: WatchEvent[] = [];
  await watch({ method: "GET", path: "/api/v1/pods", query: { resourceVersion: "5" } }, (one) => {
    events.push(one);
  });
  expect(events).toEqual([event("é"), event("b")]);
});

test("a refused watch rejects with its Status, a broken one with an error", async () => {
  const { watch } = await serve((message, response) => {
    if (message.url?.includes("old")) return json(response, statusError("Expired", "too old").status, 410);
    response.writeHead(200);
    response.write(`${JSON.stringify(event("a"))}\n`, () => message.socket.destroy());
  });
  const request = (query: Record<string, string>) =>
    ({ method: "GET", path: "/api/v1/pods", query }) as const;
  await expect(watch(request({ resourceVersion: "old" }), () => {})).rejects.toMatchObject({ code: 410 });
  const events: WatchEvent[] = [];
  await expect(watch(request({}), (one) => void events.push(one))).rejects.toThrow();
  expect(events).toEqual([event("a")]);
});

test("after an abort a watch delivers nothing more and resolves", async () => {
  const { watch } = await serve((_message, response) => {
    response.writeHead(200);
    response.write(`${JSON.stringify(event("a"))}\n${JSON.stringify(event("b"))}\n`);
  });
  const abort = new AbortController();
  const events: WatchEvent[] = [];
  await watch({ method: "GET", path: "/api/v1/pods", signal: abort.signal }, (one) => {
    events.push(one);
    abort.abort();
  });
  expect(events).toEqual([event("a")]);
});

test("a certificate of another authority is refused", async () => {
  await serve((_message, response) => json(response, {}));
  const { port } = server!.address() as AddressInfo;
  const stranger = createHttpsTransport({
    server: `https://127.0.0.1:${port}`,
    ca: openAuthority(Date.now()).cert,
    ...clientPair,
  });
  await expect(stranger.request({ method: "GET", path: "/api" })).rejects.toThrow(/certificate|signature/i);
  stranger.close();
});

test("lines are split whatever the chunks", () => {
  const lines: string[] = [];
  const feed = lineSplitter((line) => lines.push(line));
  for (const chunk of ["a", "b\nc", "d\n\n", "e\nf\ng", "\n"]) feed(Buffer.from(chunk));
  expect(lines).toEqual(["ab", "cd", "e", "f", "g"]);
});
