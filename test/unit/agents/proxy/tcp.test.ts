import net, { type AddressInfo, type Server, type Socket } from "node:net";
import { afterEach, describe, expect, test } from "vitest";
import { createBalancer } from "../../../../agents/proxy/balancer.ts";
import type { Backend } from "../../../../agents/proxy/endpoints.ts";
import { createListeners } from "../../../../agents/proxy/listeners.ts";
import { ownSockets } from "../../../../agents/proxy/open-socket.ts";
import type { Frontend } from "../../../../agents/proxy/service-table.ts";
import { proxyConnection } from "../../../../agents/proxy/tcp.ts";
import type { Balancing } from "../../../../src/api/service-balancing.ts";
import { systemClock } from "../../../../src/base/clock.ts";

const cleanups: (() => void)[] = [];
afterEach(() => {
  for (const cleanup of cleanups.splice(0)) cleanup();
});

async function listen(onConnection: (socket: Socket) => void): Promise<Backend & { server: Server }> {
  const sockets = new Set<Socket>();
  const server = net.createServer({ allowHalfOpen: true }, (socket) => {
    sockets.add(socket);
    socket.on("error", () => {});
    onConnection(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  cleanups.push(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  const { port } = server.address() as AddressInfo;
  return { host: "127.0.0.1", port, key: `127.0.0.1:${port}`, server };
}

/** A port at which nothing listens. */
async function refusing(): Promise<Backend> {
  const { server, ...backend } = await listen(() => {});
  await new Promise((resolve) => server.close(resolve));
  return backend;
}

const frontendOf = (backends: readonly Backend[], balancing: Partial<Balancing> = {}): Frontend => ({
  key: "front",
  host: "127.0.0.1",
  port: 0,
  backends,
  affinityMs: 0,
  service: "default/web",
  mode: "tcp",
  balancing: { mode: "round-robin", maxConnections: 0, idleMs: 0, problems: [], ...balancing },
});

const proxyTo = (backends: readonly Backend[], balancing: Partial<Balancing> = {}) => {
  const balancer = createBalancer(frontendOf(backends, balancing), { clock: systemClock });
  return listen((socket) => proxyConnection(socket, balancer));
};

function ask(port: number, text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = net.connect({ port, host: "127.0.0.1", allowHalfOpen: true });
    const chunks: Buffer[] = [];
    socket.on("data", (chunk) => chunks.push(chunk));
    socket.on("end", () => resolve(Buffer.concat(chunks).toString()));
    socket.on("error", reject);
    socket.end(text);
  });
}

/** Answers with its name and what it heard, once the client has said all. */
const named = (name: string) => (socket: Socket) => {
  const chunks: Buffer[] = [];
  socket.on("data", (chunk) => chunks.push(chunk));
  socket.on("end", () => socket.end(`${name}:${Buffer.concat(chunks).toString()}`));
};

describe("a proxied connection", () => {
  test("keeps half-close: the answer comes after the client's end", async () => {
    const front = await proxyTo([await listen(named("a"))]);
    expect(await ask(front.port, "question")).toBe("a:question");
  });

  test("takes endpoints in turn", async () => {
    const front = await proxyTo([await listen(named("a")), await listen(named("b"))]);
    const answers = [];
    for (let index = 0; index < 4; index++) answers.push(await ask(front.port, ""));
    expect(answers.sort()).toEqual(["a:", "a:", "b:", "b:"]);
  });

  test("goes to another endpoint when one refuses, unseen by the client", async () => {
    const front = await proxyTo([await refusing(), await refusing(), await listen(named("c"))]);
    for (let index = 0; index < 6; index++) expect(await ask(front.port, "x")).toBe("c:x");
  });

  test("is reset when no endpoint can be had", async () => {
    const none = await proxyTo([]);
    await expect(ask(none.port, "")).rejects.toMatchObject({ code: "ECONNRESET" });
    const refused = await proxyTo([await refusing()]);
    await expect(ask(refused.port, "")).rejects.toMatchObject({ code: "ECONNRESET" });
  });

  test("passes a reset on, in both directions", async () => {
    const reset = await proxyTo([
      await listen((socket) => socket.once("data", () => socket.resetAndDestroy())),
    ]);
    await expect(ask(reset.port, "x")).rejects.toMatchObject({ code: "ECONNRESET" });

    let seen: (error: NodeJS.ErrnoException) => void = () => {};
    const failed = new Promise<NodeJS.ErrnoException>((resolve) => {
      seen = resolve;
    });
    const front = await proxyTo([
      await listen((socket) => socket.on("error", seen).on("data", () => socket.write("got it"))),
    ]);
    const client = net.connect(front.port, "127.0.0.1");
    client.write("x");
    await new Promise((resolve) => client.once("data", resolve));
    client.resetAndDestroy();
    expect((await failed).code).toBe("ECONNRESET");
  });

  test("holds a fast sender back when the receiver is slow, and loses nothing", async () => {
    const size = 32 * 1024 * 1024;
    const chunk = Buffer.alloc(64 * 1024, 7);
    let sent = 0;
    const front = await proxyTo([
      await listen((socket) => {
        const more = () => {
          while (sent < size) {
            sent += chunk.length;
            if (!socket.write(chunk)) return;
          }
          socket.end();
        };
        socket.on("drain", more);
        more();
      }),
    ]);
    const client = net.connect(front.port, "127.0.0.1");
    client.pause();
    await new Promise((resolve) => client.once("connect", resolve));
    // Until the buffers between are full and the sender stands still.
    let before = -1;
    while (before !== sent) {
      before = sent;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    expect(sent).toBeLessThan(size);
    let received = 0;
    client.on("data", (data) => {
      received += data.length;
    });
    client.resume();
    await new Promise((resolve) => client.once("end", resolve));
    expect(received).toBe(size);
  });

  test("is ended when nothing passes for the idle time, and not before", async () => {
    const front = await proxyTo([await listen((socket) => socket.pipe(socket))], { idleMs: 600 });
    const client = net.connect(front.port, "127.0.0.1");
    client.on("data", () => {}).on("error", () => {});
    const startedAt = performance.now();
    const timer = setInterval(() => client.write("x"), 50);
    setTimeout(() => clearInterval(timer), 1_200);
    await new Promise((resolve) => client.once("close", resolve));
    expect(performance.now() - startedAt).toBeGreaterThan(1_200);
  });

  test("waits in line while every endpoint has as many as it may, and is served when one ends", async () => {
    let most = 0;
    let now = 0;
    const backend = await listen((socket) => {
      most = Math.max(most, ++now);
      socket.once("data", (data) => {
        now--;
        socket.end(data);
      });
      socket.on("end", () => socket.end());
    });
    const front = await proxyTo([backend], { maxConnections: 3 });
    const answers = await Promise.all(Array.from({ length: 30 }, (_, index) => ask(front.port, `${index}`)));
    expect(answers).toEqual(Array.from({ length: 30 }, (_, index) => `${index}`));
    expect(most).toBeLessThanOrEqual(3);
  });

  test("is one of thousands that are open at once, each its own, and none is left", async () => {
    const count = 2_000;
    const backend = await listen((socket) => socket.pipe(socket));
    const balancer = createBalancer(frontendOf([backend]), { clock: systemClock });
    const front = await listen((socket) => proxyConnection(socket, balancer));
    const clients: Socket[] = [];
    const openOne = (index: number) =>
      new Promise<string>((resolve, reject) => {
        const client = net.connect(front.port, "127.0.0.1", () => client.write(`${index}`));
        client.once("data", (data) => resolve(String(data))).once("error", reject);
        clients.push(client);
      });
    for (let first = 0; first < count; first += 200) {
      const answers = await Promise.all(Array.from({ length: 200 }, (_, index) => openOne(first + index)));
      expect(answers).toEqual(answers.map((_, index) => `${first + index}`));
    }
    expect(balancer.pick("", new Set())?.active).toBe(count);
    for (const client of clients) client.end();
    await expect.poll(() => balancer.pick("", new Set())?.active, { timeout: 20_000 }).toBe(0);
  }, 60_000);

  test("leaves nothing behind after many connections", async () => {
    const backend = await listen(named("a"));
    const listeners = createListeners({ sockets: ownSockets, clock: systemClock, onProblem: () => {} });
    const port = (await refusing()).port;
    listeners.set("default/web", [{ ...frontendOf([backend]), key: `127.0.0.1:${port}`, port }]);
    await listeners.settled();
    for (let round = 0; round < 10; round++)
      await Promise.all(Array.from({ length: 50 }, () => ask(port, "x")));
    await expect.poll(() => listeners.connections()).toBe(0);
    await listeners.stop();
    await expect(ask(port, "x")).rejects.toMatchObject({ code: "ECONNREFUSED" });
  });
});

describe("an endpoint that dies with a connection in its hands", () => {
  const dying = (when: "connected" | "asked", how: "reset" | "end" = "reset") =>
    listen((socket) => {
      if (when === "connected") how === "reset" ? socket.resetAndDestroy() : socket.end();
      else socket.once("data", () => socket.resetAndDestroy());
    });
  const GET = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
  const say = (port: number, text: string): Promise<string> =>
    new Promise((resolve, reject) => {
      const socket = net.connect(port, "127.0.0.1");
      let heard = "";
      socket.on("data", (data) => {
        heard += data;
      });
      socket.on("end", () => resolve(heard));
      socket.on("error", reject);
      if (text) socket.write(text);
    });
  const greeting = (socket: Socket) => socket.end("hello");
  const echoing = (socket: Socket) => socket.once("data", (data) => socket.end(data));

  test("is replaced while nothing has been said", async () => {
    const front = await proxyTo([await dying("connected"), await dying("connected"), await listen(greeting)]);
    for (let index = 0; index < 4; index++) expect(await say(front.port, "")).toBe("hello");
  });

  test("is replaced when it ends before the client's first byte has reached it", async () => {
    const front = await proxyTo([await dying("connected", "end"), await listen(echoing)]);
    for (let index = 0; index < 4; index++) expect(await say(front.port, GET)).toBe(GET);
  });

  test("is passed on as an orderly end where every endpoint ends without a word", async () => {
    const front = await proxyTo([await dying("connected", "end"), await dying("connected", "end")]);
    expect(await say(front.port, "")).toBe("");
  });

  test("is replaced for a request that is safe to repeat, by reset or by an early end", async () => {
    const ending = await listen((socket) => socket.once("data", () => socket.end()));
    const front = await proxyTo([await dying("asked"), ending, await listen(echoing)]);
    for (let index = 0; index < 4; index++) expect(await say(front.port, GET)).toBe(GET);
  });

  test.each(["POST / HTTP/1.1\r\ncontent-length: 1\r\n\r\nx", "SET a 1\r\n", GET.slice(0, -2)])(
    "is not for %j, which it may have acted on",
    async (text) => {
      const front = await proxyTo([await dying("asked")]);
      await expect(say(front.port, text)).rejects.toMatchObject({ code: "ECONNRESET" });
    },
  );
});
