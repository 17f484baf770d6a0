import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import http, { type IncomingMessage, type ServerResponse } from "node:http";
import http2 from "node:http2";
import https from "node:https";
import net, { type AddressInfo, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import util from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Pod } from "../../../../src/api/generated/types.ts";
import { StatusError } from "../../../../src/api/status-error.ts";
import { silentLog } from "../../../../src/base/log.ts";
import { readCredentials } from "../../../../src/client/credentials.ts";
import { ensurePki, serverFile } from "../../../../src/pki/files.ts";
import {
  createStreamRelay,
  type StreamRelay,
  type StreamTarget,
} from "../../../../src/server/streams/relay.ts";

const SLOT = 77;
const PODS = "/api/v1/namespaces/default/pods";
const dataDir = mkdtempSync(join(tmpdir(), "kubemu-relay-"));
const warnings: Error[] = [];
const onWarning = (warning: Error) => warnings.push(warning);
const builtIn = util as { _extend?: unknown };
const original = builtIn._extend;

type Answer = (request: IncomingMessage, response: ServerResponse) => void;
let answerWith: Answer = (_request, response) => response.end();
const connections = new Set<Socket>();
const backend = http.createServer((request, response) => answerWith(request, response));
backend.on("connection", (socket) => {
  connections.add(socket);
  socket.on("close", () => connections.delete(socket));
});

const forward = (relay: StreamRelay) => async (request: IncomingMessage, response: ServerResponse) => {
  try {
    await relay.forward(request, response, targetOf(request.url ?? ""));
  } catch (error) {
    if (!(error instanceof StatusError)) throw error;
    response.writeHead(error.status.code ?? 500, { "content-type": "application/json" });
    response.end(JSON.stringify(error.status));
  }
};

let relay: StreamRelay;
const http1 = http.createServer((request, response) => void forward(relay)(request, response));
const http2c = http2.createServer(
  (request, response) =>
    void forward(relay)(request as unknown as IncomingMessage, response as unknown as ServerResponse),
);
let session: http2.ClientHttp2Session;

beforeAll(async () => {
  process.on("warning", onWarning);
  // As from Node 22 on.
  builtIn._extend = util.deprecate(Object.assign, "The `util._extend` API is deprecated.", "DEP0060");
  ensurePki({ dataDir, slot: SLOT, nodes: [], nowMs: Date.now() } as Parameters<typeof ensurePki>[0]);
  const pod = { metadata: { name: "web" }, spec: { containers: [{}] }, status: { podIP: "127.0.0.1" } };
  relay = createStreamRelay({
    reader: { find: async () => pod as unknown as Pod as never, list: async () => [] },
    credentials: readCredentials(dataDir, "kubelet-client"),
    log: silentLog,
  });
  await Promise.all([backend, http1, http2c].map(listen));
  session = http2.connect(`http://127.0.0.1:${portOf(http2c)}`);
});

afterAll(async () => {
  relay.stop();
  session.destroy();
  http1.closeAllConnections();
  await Promise.all([backend, http1, http2c].map((server) => new Promise((done) => server.close(done))));
  rmSync(dataDir, { recursive: true, force: true });
  builtIn._extend = original;
  process.off("warning", onWarning);
});

interface Ask {
  readonly path?: string;
  readonly port?: number;
  readonly scheme?: "https";
  readonly method?: string;
  readonly headers?: Record<string, string>;
  /** Sent without saying how long it is. */
  readonly body?: string;
}

interface Got {
  readonly status: number;
  readonly headers: Record<string, unknown>;
  readonly text: string;
}

interface Sent {
  readonly got: Promise<Got>;
  abort(): void;
}

const agent = new http.Agent();
function overHttp1(ask: Ask): Sent {
  const { method = "GET", headers = {}, body } = ask;
  const framing = body === undefined ? {} : { "transfer-encoding": "chunked" };
  const options = {
    port: portOf(http1),
    path: pathOf(ask),
    method,
    headers: { ...headers, ...framing },
    agent,
  };
  const sent = http.request(options);
  const got = once(sent, "response").then(async ([answer]) => ({
    status: answer.statusCode,
    headers: answer.headers,
    text: await text(answer),
  }));
  sent.end(body);
  return { got, abort: () => sent.destroy() };
}

function overHttp2(ask: Ask): Sent {
  const { method = "GET", headers = {}, body } = ask;
  const pseudo = { ":path": pathOf(ask), ":method": method };
  const sent = session.request({ ...headers, ...pseudo }, { endStream: body === undefined });
  // A stream that is cancelled only closes.
  const closed = once(sent, "close").then(() => []);
  const got = Promise.race([once(sent, "response"), closed]).then(async ([head]) => {
    const content = await text(sent);
    if (!head || sent.rstCode !== 0) throw new Error(`reset with ${sent.rstCode}`);
    return { status: head[":status"], headers: head, text: content };
  });
  if (body !== undefined) sent.end(body);
  return { got, abort: () => sent.close(http2.constants.NGHTTP2_CANCEL) };
}

describe.each([
  ["HTTP/1.1", overHttp1],
  ["HTTP/2", overHttp2],
] as const)("a request to the proxy subresource over %s", (_version, client) => {
  const get = (ask: Ask) => client(ask).got;

  test("comes as it was asked, without the connection's own headers and credentials", async () => {
    answerWith = (request, response) => {
      const { method, url, headers } = request;
      response.setHeader("set-cookie", ["a=1", "b=2"]);
      response.setHeader("x-own", "1");
      response.writeHead(203, "Odd");
      response.end(JSON.stringify({ method, url, headers }));
    };
    const headers = { authorization: "Bearer secret", "x-mine": "2" };
    const got = await get({ path: "/a//b/http:/c%2Fd?e=f?g//h", headers });
    expect(got).toMatchObject({ status: 203, headers: { "set-cookie": ["a=1", "b=2"], "x-own": "1" } });
    const seen = JSON.parse(got.text);
    expect(seen).toMatchObject({ method: "GET", url: "/a//b/http:/c%2Fd?e=f?g//h" });
    expect(seen.headers).toMatchObject({
      "x-mine": "2",
      host: `127.0.0.1:${portOf(backend)}`,
      "x-forwarded-proto": "https",
      "x-forwarded-uri": `${PODS}/web:${portOf(backend)}/proxy/a//b/http:/c%2Fd`,
    });
    expect(seen.headers).not.toHaveProperty("authorization");
    expect(Object.keys(seen.headers).filter((name) => name.startsWith(":"))).toEqual([]);
  });

  test("has a Location without a host lead back through the proxy", async () => {
    answerWith = (_request, response) => response.writeHead(302, { location: "/elsewhere" }).end();
    const { status, headers } = await get({});
    expect({ status, location: headers.location }).toEqual({
      status: 302,
      location: `${PODS}/web:${portOf(backend)}/proxy/elsewhere`,
    });
  });

  test.each(["POST", "PUT", "DELETE", "OPTIONS"])(
    "passes on a %s's body of unknown length",
    async (method) => {
      answerWith = (request, response) => {
        response.setHeader("x-framing", request.headers["transfer-encoding"] ?? "");
        request.pipe(response);
      };
      const got = await get({ method, body: "GET /other HTTP/1.1\r\n\r\n" });
      expect(got).toMatchObject({ text: "GET /other HTTP/1.1\r\n\r\n", headers: { "x-framing": "chunked" } });
    },
  );

  test("goes to a pod's own HTTPS, whose certificate nobody knows", async () => {
    const { cert, key } = readCredentials(dataDir, serverFile(SLOT));
    const secure = https.createServer({ cert, key }, (request, response) => response.end(request.url));
    await listen(secure);
    expect(await get({ path: "/x", scheme: "https", port: portOf(secure) })).toMatchObject({
      status: 200,
      text: "/x",
    });
    secure.closeAllConnections();
    await new Promise((done) => secure.close(done));
  });

  test("is answered with a Status where nothing listens", async () => {
    const closed = net.createServer();
    await listen(closed);
    const port = portOf(closed);
    await new Promise<void>((done) => closed.close(() => done()));
    const got = await get({ port });
    expect(JSON.parse(got.text)).toMatchObject({
      kind: "Status",
      code: 503,
      message: `error trying to reach service: dial tcp 127.0.0.1:${port}: connect: connection refused`,
    });
  });

  test("goes over a connection that an earlier one left", async () => {
    answerWith = (request, response) => response.end(String(request.socket.remotePort));
    const ports = new Set<string>();
    for (let count = 0; count < 10; count += 1) {
      ports.add((await get({})).text);
      // The connection is free a turn after the answer's end.
      await new Promise(setImmediate);
    }
    expect(ports.size).toBe(1);
  });

  test("goes over another connection where the backend closes the kept one under it", async () => {
    let closing: Socket | undefined;
    answerWith = (request, response) => {
      if (request.url === "/first") closing = request.socket;
      if (request.url === "/second" && request.socket === closing) request.socket.destroy();
      else response.end(request.url);
    };
    expect((await get({ path: "/first" })).text).toBe("/first");
    await new Promise(setImmediate);
    expect((await get({ path: "/second" })).text).toBe("/second");
    expect(closing?.destroyed).toBe(true);
    // What may change something is not sent twice.
    answerWith = (request, response) => {
      if (request.url === "/first") response.end();
      else request.socket.destroy();
    };
    await get({ path: "/first" });
    expect(await get({ path: "/third", method: "POST" })).toMatchObject({ status: 503 });
  });

  test("is cut off for the client where the backend breaks off", async () => {
    answerWith = (request, response) => {
      response.write("half");
      setImmediate(() => request.socket.destroy());
    };
    await expect(get({})).rejects.toThrow();
  });

  test.each([
    ["before the answer", (response: ServerResponse) => void response],
    ["in the middle of the answer", (response: ServerResponse) => void response.write("half")],
  ])("ends at the backend when its client leaves %s, 20 of 20 times", async (_when, begin) => {
    const arrived: Promise<void>[] = [];
    let ended = 0;
    const waiting = new Map<string, () => void>();
    answerWith = (request, response) => {
      response.on("close", () => {
        if (!response.writableFinished) ended += 1;
      });
      begin(response);
      waiting.get(request.url ?? "")?.();
    };
    const sent = Array.from({ length: 20 }, (_, number) => {
      arrived.push(new Promise((resolve) => waiting.set(`/${number}`, resolve)));
      return client({ path: `/${number}` });
    });
    const results = Promise.allSettled(sent.map(({ got }) => got));
    await Promise.all(arrived);
    for (const { abort } of sent) abort();
    await expect.poll(() => ended).toBe(20);
    expect((await results).filter(({ status }) => status === "fulfilled")).toEqual([]);
  });

  test("ends at the backend when its client leaves in the middle of its own body", async () => {
    let ended = false;
    const begun = new Promise<void>((resolve) => {
      answerWith = (request) => {
        request.on("error", () => {});
        request.once("data", () => resolve());
        request.once("close", () => {
          ended = !request.complete;
        });
      };
    });
    const url = new URL(`http://127.0.0.1:${portOf(http1)}${pathOf({})}`);
    const upload = http.request(url, { method: "PUT" });
    upload.on("error", () => {});
    upload.write("half");
    await begun;
    upload.destroy();
    await expect.poll(() => ended).toBe(true);
  });
});

test("the library's deprecated call reaches no one, and nothing else is complained about", async () => {
  answerWith = (_request, response) => response.end();
  await overHttp2({}).got;
  // Warnings come a turn later.
  await new Promise(setImmediate);
  expect(warnings.map(({ message }) => message)).toEqual([]);
  expect((builtIn._extend as { name?: string }).name).not.toBe("assign");
});

test("a relay that stops ends what is under way and leaves no connection", async () => {
  const arrivals: string[] = [];
  answerWith = (request, response) => {
    arrivals.push(request.url ?? "");
    if (request.url === "/begun") response.write("half");
  };
  const begun = http.get({ port: portOf(http1), path: pathOf({ path: "/begun" }), agent });
  const [head] = (await once(begun, "response")) as [IncomingMessage];
  const cut = expect(text(head)).rejects.toThrow();
  const waiting = overHttp1({ path: "/waiting" }).got;
  await expect.poll(() => arrivals).toEqual(["/begun", "/waiting"]);
  expect(connections.size).toBeGreaterThan(0);
  relay.stop();
  await cut;
  // On a connection that was kept, and still not sent once more.
  expect(await waiting).toMatchObject({ status: 503 });
  await expect.poll(() => connections.size).toBe(0);
  expect(await overHttp1({}).got).toMatchObject({ status: 503 });
});

function listen(server: Server): Promise<void> {
  return new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
}

function portOf(server: Server): number {
  return (server.address() as AddressInfo).port;
}

function pathOf({ path = "/", port = portOf(backend), scheme }: Ask): string {
  return `${PODS}/${scheme ? `${scheme}:` : ""}web:${port}/proxy${path}`;
}

function targetOf(url: string): StreamTarget {
  const [whole = "", ...query] = url.split("?");
  const [, name = "", path = ""] = /\/pods\/([^/]+)\/proxy(.*)$/.exec(whole) ?? [];
  return { plural: "pods", namespace: "default", name, subresource: "proxy", path, query: query.join("?") };
}
