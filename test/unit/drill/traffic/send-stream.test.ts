// Against a real server on loopback: what becomes of each request is known beforehand.
import { createServer, type RequestListener, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, test } from "vitest";
import { preciseNow, type StreamSettings } from "../../../../src/drill/traffic/protocol.ts";
import { sendStream } from "../../../../src/drill/traffic/send-stream.ts";

let server: Server | undefined;
afterEach(async () => {
  server?.closeAllConnections();
  await new Promise((done) => (server ? server.close(done) : done(undefined)));
  server = undefined;
});

async function serve(answer: RequestListener): Promise<string> {
  server = createServer(answer);
  await new Promise<void>((done) => server?.listen(0, "127.0.0.1", done));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
}

const settings = (url: string, more: Partial<StreamSettings> = {}): StreamSettings => ({
  name: "web",
  url,
  rate: 200,
  connections: "new",
  method: "GET",
  headers: {},
  body: "",
  timeout: 5_000,
  status: [],
  ...more,
});

async function until(holds: () => boolean): Promise<void> {
  const deadline = Date.now() + 20_000;
  while (!holds()) {
    if (Date.now() > deadline) throw new Error("not within 20 s");
    await new Promise((next) => setTimeout(next, 5));
  }
}

describe("sendStream", () => {
  test("sends when requests are due and says which pod answered", async () => {
    const url = await serve((_, response) => response.setHeader("x-pod-name", "web-1").end("ok"));
    const stream = sendStream(settings(url), preciseNow());
    await until(() => stream.records.sent >= 50);
    await stream.stop();
    const { sent, served, failed, pods } = stream.records;
    expect([served, failed, pods.get("web-1")?.served]).toEqual([sent, 0, sent]);
  });

  test("uses few connections where they are kept, one for each request where not", async () => {
    const url = await serve((_, response) => response.end());
    let connections = 0;
    server?.on("connection", () => connections++);
    const kept = sendStream(settings(url, { connections: "kept" }), preciseNow());
    await until(() => kept.records.sent >= 50);
    await kept.stop();
    expect(connections).toBeLessThan(kept.records.sent);
    connections = 0;
    const fresh = sendStream(settings(url), preciseNow());
    await until(() => fresh.records.sent >= 20);
    await fresh.stop();
    expect(connections).toBe(fresh.records.sent);
  });

  test("goes on sending while nothing is answered, and counts the wait from when a request was due", async () => {
    const held: (() => void)[] = [];
    const url = await serve((_, response) => {
      held.push(() => response.end());
    });
    const stream = sendStream(settings(url), preciseNow());
    await until(() => held.length >= 20);
    expect(stream.records.served).toBe(0);
    const stopped = stream.stop();
    const all = () => {
      for (const answer of held.splice(0)) answer();
    };
    const timer = setInterval(all, 5);
    await stopped;
    clearInterval(timer);
    expect(stream.records.served).toBe(stream.records.sent);
    expect(stream.records.latencyOf(0)).toBeGreaterThan(stream.records.dueAt(19) - stream.records.dueAt(0));
  });

  test.each<[string, RequestListener, Partial<StreamSettings>, string]>([
    ["a code that is no success", (_, response) => response.writeHead(503).end(), {}, "HTTP 503"],
    ["a connection that is reset", (request) => request.socket.destroy(), {}, "ECONNRESET before the answer"],
    [
      "an answer that ends early",
      (request, response) => {
        response.writeHead(200, { "content-length": "100" }).write("part");
        setImmediate(() => request.socket.destroy());
      },
      {},
      "cut off in the answer",
    ],
    ["silence", () => {}, { timeout: 100 }, "no answer in time"],
    ["a code that was not asked for", (_, response) => response.end(), { status: [418] }, "HTTP 200"],
  ])("tells %s", async (_, answer, more, cause) => {
    const stream = sendStream(settings(await serve(answer), { rate: 20, ...more }), preciseNow());
    await until(() => stream.records.failed >= 3);
    await stream.stop();
    expect([...stream.records.causes.keys()]).toEqual([cause]);
    expect(stream.records.refused).toBe(0);
  });

  test("tells a refused connection from one that was lost", async () => {
    const url = await serve((_, response) => response.end());
    await new Promise((done) => server?.close(done));
    server = undefined;
    const stream = sendStream(settings(url, { rate: 20 }), preciseNow());
    await until(() => stream.records.failed >= 3);
    await stream.stop();
    expect([...stream.records.causes.keys()]).toEqual(["connect: ECONNREFUSED"]);
    expect(stream.records.refused).toBe(stream.records.sent);
  });

  test("sends method, headers and body", async () => {
    const seen: string[] = [];
    const url = await serve((request, response) => {
      let text = "";
      request.on("data", (chunk) => {
        text += chunk;
      });
      request.on("end", () => {
        seen.push(`${request.method} ${request.headers["x-mine"]} ${text}`);
        response.end();
      });
    });
    const stream = sendStream(
      settings(url, { method: "POST", headers: { "x-mine": "a" }, body: "hello", rate: 50 }),
      preciseNow(),
    );
    await until(() => seen.length >= 2);
    await stream.stop();
    expect(new Set(seen)).toEqual(new Set(["POST a hello"]));
  });
});
