import http, { type IncomingMessage, type RequestListener, type RequestOptions } from "node:http";
import net, { type AddressInfo, type Server, type Socket } from "node:net";
import { afterEach, describe, expect, test } from "vitest";
import { type Balancer, createBalancer } from "../../../../../agents/proxy/balancer.ts";
import type { Backend } from "../../../../../agents/proxy/endpoints.ts";
import { createFaultTable } from "../../../../../agents/proxy/fault-table.ts";
import { serveHttp } from "../../../../../agents/proxy/http/connection.ts";
import { createServiceSite } from "../../../../../agents/proxy/http/service-site.ts";
import type { Frontend } from "../../../../../agents/proxy/service-table.ts";
import type { Fault } from "../../../../../src/api/kinds/fault.ts";
import { systemClock } from "../../../../../src/base/clock.ts";

const cleanups: (() => void)[] = [];
afterEach(() => {
  for (const cleanup of cleanups.splice(0)) cleanup();
});

async function open(server: Server, name = "pod"): Promise<Backend> {
  const sockets = new Set<Socket>();
  server.on("connection", (socket: Socket) => {
    sockets.add(socket);
    socket.on("error", () => {});
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  cleanups.push(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  const { port } = server.address() as AddressInfo;
  return { host: "127.0.0.1", port, key: `127.0.0.1:${port}`, pod: name, node: "node-1" };
}
const endpoint = (answer: RequestListener, name?: string) => open(http.createServer(answer), name);
const raw = (onConnection: (socket: Socket) => void) =>
  open(net.createServer({ allowHalfOpen: true }, onConnection), "raw");

const frontendOf = (backends: readonly Backend[]): Frontend => ({
  key: "f",
  host: "127.0.0.1",
  port: 0,
  service: "default/web",
  mode: "http",
  backends,
  affinityMs: 0,
  balancing: { mode: "round-robin", maxConnections: 0, idleMs: 0, problems: [] },
});
async function proxyTo(...backends: Backend[]): Promise<{ port: number; balancer: Balancer }> {
  const balancer = createBalancer(frontendOf(backends), { clock: systemClock });
  const site = createServiceSite(balancer, systemClock);
  const { port } = await open(net.createServer({ allowHalfOpen: true }, (client) => serveHttp(client, site)));
  return { port, balancer };
}

interface Answer {
  status: number | undefined;
  body: string;
  headers: IncomingMessage["headers"];
}
function ask(
  port: number,
  { body, ...options }: RequestOptions & { body?: string | Buffer } = {},
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const request = http.request({ host: "127.0.0.1", port, agent: false, ...options }, (response) => {
      const parts: Buffer[] = [];
      response.on("data", (part) => parts.push(part));
      response.on("error", reject);
      response.on("end", () =>
        resolve({
          status: response.statusCode,
          body: Buffer.concat(parts).toString(),
          headers: response.headers,
        }),
      );
    });
    request.on("error", reject);
    request.end(body);
  });
}
/** Sends `text` and resolves with all that comes until the proxy ends. */
const say = (port: number, text: string): Promise<string> =>
  new Promise((resolve, reject) => {
    const socket = net.connect(port, "127.0.0.1", () => socket.write(text, "latin1"));
    let heard = "";
    socket.on("data", (data) => {
      heard += data.toString("latin1");
    });
    socket.on("end", () => resolve(heard));
    socket.on("error", reject);
  });

describe("requests", () => {
  test("of one kept-alive client go to the endpoints in turn, over few connections", async () => {
    let connections = 0;
    const named = (name: string) => {
      const server = http.createServer((request, response) =>
        response.end(`${name} ${request.url} ${request.headers["x-forwarded-for"]}`),
      );
      server.on("connection", () => connections++);
      return open(server);
    };
    const { port } = await proxyTo(await named("a"), await named("b"));
    const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
    cleanups.push(() => agent.destroy());
    const answers = [];
    for (let index = 0; index < 6; index++)
      answers.push((await ask(port, { agent, path: `/${index}` })).body);
    expect(
      answers
        .map((text) => text[0])
        .sort()
        .join(""),
    ).toBe("aaabbb");
    expect(answers.every((text, index) => text.endsWith(`/${index} 127.0.0.1`))).toBe(true);
    expect(connections).toBe(2);
  });

  test("keep what proxies before this one have said of them", async () => {
    const { port } = await proxyTo(
      await endpoint(({ headers }, response) =>
        response.end(
          ["for", "proto", "host"].map((name) => headers[`x-forwarded-${name}`] ?? "none").join(" "),
        ),
      ),
    );
    const headers = { "x-forwarded-proto": "https", "x-forwarded-host": "shop.example" };
    expect((await ask(port, { headers })).body).toBe("127.0.0.1 https shop.example");
    const chained = { ...headers, "x-forwarded-for": "203.0.113.7" };
    expect((await ask(port, { headers: chained })).body).toBe("203.0.113.7, 127.0.0.1 https shop.example");
  });

  test("with bodies of every framing arrive whole, and so do their answers", async () => {
    const { port } = await proxyTo(
      await endpoint((request, response) => {
        if (request.url === "/length")
          response.setHeader("content-length", String(request.headers["x-size"]));
        request.pipe(response);
      }),
    );
    for (const size of [0, 1, 9_000, 300_000]) {
      const body = Buffer.alloc(size, "0123456789abcdef").toString();
      for (const path of ["/chunked", "/length"])
        for (const headers of [{ "content-length": String(size) }, { "transfer-encoding": "chunked" }]) {
          const answer = await ask(port, {
            method: "POST",
            path,
            headers: { ...headers, "x-size": String(size) },
            body,
          });
          expect(answer.body === body).toBe(true);
        }
    }
  });

  test("in a pipeline are answered in order", async () => {
    const { port } = await proxyTo(
      await endpoint((request, response) =>
        setTimeout(() => response.end(request.url), request.url === "/1" ? 40 : 0),
      ),
    );
    const heard = await say(
      port,
      "GET /1 HTTP/1.1\r\nHost: a\r\n\r\nGET /2 HTTP/1.1\r\nHost: a\r\n\r\n\r\nGET /3 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
    );
    expect(heard.match(/(?<=\r\n\r\n)\/[123]/g)).toEqual(["/1", "/2", "/3"]);
  });

  test("of HTTP/1.0, with an answer that ends with the connection, and with 100-continue", async () => {
    const { port } = await proxyTo(await endpoint((request, response) => request.pipe(response)));
    expect(await say(port, "POST / HTTP/1.0\r\nContent-Length: 2\r\n\r\nhi")).toMatch(
      /^HTTP\/1.1 200 OK\r\n[\s\S]*\r\n\r\nhi$/,
    );
    const plain = await proxyTo(
      await raw((socket) => socket.once("data", () => socket.end("HTTP/1.1 200 OK\r\n\r\nuntil the end"))),
    );
    const answer = await ask(plain.port);
    expect([answer.body, answer.headers.connection]).toEqual(["until the end", "close"]);
    const continued = await say(
      port,
      "POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\nhi",
    );
    expect(continued).toMatch(/^HTTP\/1.1 100 Continue\r\n\r\nHTTP\/1.1 200 OK/);
  });

  test("get interim answers, but not in HTTP/1.0, nor a protocol that they have not asked for", async () => {
    const answering = (...heads: string[]) =>
      raw((socket) =>
        socket.once("data", () => socket.end(heads.map((head) => `HTTP/1.1 ${head}\r\n\r\n`).join(""))),
      );
    const hints = "103 Early Hints\r\nLink: </a>";
    const { port } = await proxyTo(await answering(hints, "200 OK\r\nContent-Length: 0"));
    expect(await say(port, "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")).toMatch(
      /^HTTP\/1.1 103 Early Hints\r\nLink: <\/a>\r\n\r\nHTTP\/1.1 200 OK\r\n/,
    );
    expect(await say(port, "GET / HTTP/1.0\r\n\r\n")).toMatch(/^HTTP\/1.1 200 OK\r\n/);
    const other = await proxyTo(
      await answering("101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x"),
    );
    expect(await ask(other.port)).toMatchObject({ status: 502, body: expect.stringContaining("unasked") });
  });

  test("that cannot be read are answered with what is wrong", async () => {
    const { port } = await proxyTo(await endpoint((_, response) => response.end()));
    expect(await say(port, "nonsense\r\n\r\n")).toMatch(
      /^HTTP\/1.1 400 Bad Request[\s\S]*the request line cannot be read\n$/,
    );
    expect(await say(port, `GET / HTTP/1.1\r\na: ${"x".repeat(70_000)}`)).toMatch(/^HTTP\/1.1 431 /);
    expect(await say(port, "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n")).toMatch(
      /^HTTP\/1.1 400 /,
    );
  });

  test("of HTTP/2 without TLS pass through, byte for byte", async () => {
    const { port } = await proxyTo(
      await raw((socket) => socket.once("data", (data) => socket.end(`got ${data}`))),
    );
    expect(await say(port, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")).toBe("got PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
  });
});

describe("when an endpoint dies before its answer", () => {
  const dying = () =>
    raw((socket) => socket.on("data", () => socket.resetAndDestroy()).on("end", () => socket.end()));
  const fine = () => endpoint((request, response) => request.pipe(response), "fine");

  test.each(["GET", "HEAD", "PUT", "DELETE"])(
    "a %s is repeated on another, with its body",
    async (method) => {
      const { port } = await proxyTo(await dying(), await dying(), await fine());
      const body = method === "PUT" ? "x".repeat(30_000) : "";
      for (let index = 0; index < 4; index++) {
        const answer = await ask(port, { method, ...(body ? { body } : {}) });
        expect([answer.status, answer.body === body]).toEqual([200, true]);
      }
    },
  );

  test("a POST is not, and the answer names the endpoint", async () => {
    const dead = await dying();
    const { port } = await proxyTo(dead);
    const answer = await ask(port, { method: "POST", body: "x" });
    expect([answer.status, answer.body]).toEqual([
      502,
      `endpoint ${dead.key} (pod raw, node node-1) ended the connection before it had answered\n`,
    ]);
  });

  test("a POST that was never sent goes elsewhere, since its endpoint refused the connection", async () => {
    const server = http.createServer();
    const gone = await open(server);
    await new Promise((resolve) => server.close(resolve));
    const { port } = await proxyTo(gone, await fine());
    for (let index = 0; index < 3; index++)
      expect((await ask(port, { method: "POST", body: "x" })).body).toBe("x");
    const none = await proxyTo(gone);
    expect(await ask(none.port)).toMatchObject({
      status: 502,
      body: `no endpoint of Service default/web could be reached: ${gone.key}\n`,
    });
    expect(await ask((await proxyTo()).port)).toMatchObject({
      status: 503,
      body: "Service default/web has no endpoint that could answer\n",
    });
  });

  test("an idle connection that the endpoint has closed costs no request", async () => {
    const server = http.createServer((_, response) => response.end("ok"));
    server.keepAliveTimeout = 20;
    const { port } = await proxyTo(await open(server));
    for (let index = 0; index < 10; index++) {
      expect((await ask(port, { method: index % 2 ? "GET" : "POST" })).body).toBe("ok");
      await new Promise((resolve) => setTimeout(resolve, 15 + index));
    }
  });

  test("in the middle of its answer, the client is reset: what it has is not all", async () => {
    const { port } = await proxyTo(
      await raw((socket) =>
        socket.once("data", () => socket.end("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf")),
      ),
    );
    await expect(ask(port)).rejects.toMatchObject({ code: "ECONNRESET" });
  });
});

describe("connections to endpoints", () => {
  test("that are idle are closed when the endpoint leaves, and a request under way is finished", async () => {
    let release = () => {};
    const sockets = new Set<Socket>();
    const server = http.createServer((request, response) => {
      if (request.url === "/slow") release = () => response.end("slow");
      else response.end("quick");
    });
    server.on("connection", (socket: Socket) => {
      sockets.add(socket);
      socket.once("close", () => sockets.delete(socket));
    });
    const { port, balancer } = await proxyTo(await open(server));
    const slow = ask(port, { path: "/slow" });
    await expect.poll(() => sockets.size).toBe(1);
    await ask(port);
    expect(sockets.size).toBe(2);
    balancer.update(frontendOf([]));
    await expect.poll(() => sockets.size).toBe(1);
    release();
    expect((await slow).body).toBe("slow");
    await expect.poll(() => sockets.size).toBe(0);
  });

  /** Before an endpoint that never answers. */
  const proxyToSilent = async () => {
    const seen = { asked: 0, ended: 0 };
    const place = await endpoint((request) => {
      seen.asked++;
      request.on("close", () => seen.ended++);
    });
    return { ...(await proxyTo(place)), seen };
  };

  test("end with a client that leaves before the answer", async () => {
    const { port, balancer, seen } = await proxyToSilent();
    const request = http.get({ host: "127.0.0.1", port, agent: false }).on("error", () => {});
    await expect.poll(() => seen.asked).toBe(1);
    request.destroy();
    await expect.poll(() => seen.ended).toBe(1);
    expect(balancer.pick("c", new Set())?.active).toBe(0);
  });

  test("end with a client that ends its side before the answer: it counts as gone", async () => {
    const { port, balancer, seen } = await proxyToSilent();
    const client = net.connect({ port, host: "127.0.0.1", allowHalfOpen: true });
    let heard = "";
    client.on("data", (data) => {
      heard += data;
    });
    client.on("error", () => {});
    const closed = new Promise((resolve) => client.once("close", resolve));
    client.write("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    await expect.poll(() => seen.asked).toBe(1);
    client.end();
    await closed;
    await expect.poll(() => seen.ended).toBe(1);
    expect(heard).toBe("");
    expect(balancer.pick("c", new Set())?.active).toBe(0);
  });

  test("hold a fast endpoint back while the client is slow, and lose nothing", async () => {
    const size = 32 * 1024 * 1024;
    let sent = 0;
    const { port } = await proxyTo(
      await endpoint((_, response) => {
        const chunk = Buffer.alloc(64 * 1024, 7);
        const more = () => {
          while (sent < size) {
            sent += chunk.length;
            if (!response.write(chunk)) return;
          }
          response.end();
        };
        response.on("drain", more);
        more();
      }),
    );
    const response = await new Promise<IncomingMessage>((resolve) =>
      http.get({ host: "127.0.0.1", port, agent: false }, resolve),
    );
    for (let before = -1; before !== sent; ) {
      before = sent;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    expect(sent).toBeLessThan(size);
    let received = 0;
    for await (const part of response) received += (part as Buffer).length;
    expect(received).toBe(size);
  });
});

test("over a slow link each request and its answer are late, also on a connection that is kept", async () => {
  const table = createFaultTable(systemClock);
  const backend = await endpoint((request, response) => request.pipe(response));
  const balancer = createBalancer(frontendOf([backend]), {
    clock: systemClock,
    faultOf: (frontend, link) => table.faultOf(frontend.service, link),
  });
  const site = createServiceSite(balancer, systemClock);
  const { port } = await open(net.createServer({ allowHalfOpen: true }, (client) => serveHttp(client, site)));
  const timed = async (body: string) => {
    const startedAt = performance.now();
    expect((await ask(port, { method: "PUT", body })).body).toBe(body);
    return performance.now() - startedAt;
  };
  await timed("warm");
  const fault = { metadata: { name: "slow" }, spec: { pod: "pod", latency: "50ms" } } as Fault;
  table.set([fault]);
  balancer.refreshFaults();
  expect(await timed("slow")).toBeGreaterThan(98);
  expect(await timed("x".repeat(100_000))).toBeGreaterThan(98);
});

test("an upgrade becomes a tunnel both ways, with its ends", async () => {
  const server = http.createServer();
  server.on("upgrade", (_request, socket: Socket, head: Buffer) => {
    socket.write("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\nhello ");
    if (head.length > 0) socket.write(head);
    socket.pipe(socket);
  });
  const { port, balancer } = await proxyTo(await open(server));
  const socket = net.connect({ port, host: "127.0.0.1", allowHalfOpen: true });
  socket.write("GET /ws HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n");
  let heard = "";
  socket.on("data", (data) => {
    heard += data;
  });
  await expect.poll(() => heard).toMatch(/^HTTP\/1.1 101 [\s\S]*Upgrade: echo\r\n\r\nhello $/);
  socket.write("again");
  await expect.poll(() => heard).toMatch(/hello again$/);
  expect(balancer.pick("c", new Set())?.active).toBe(1);
  socket.end();
  await new Promise((resolve) => socket.once("close", resolve));
  await expect.poll(() => balancer.pick("c", new Set())?.active).toBe(0);
});
