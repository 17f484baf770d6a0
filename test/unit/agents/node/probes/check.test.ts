import http from "node:http";
import http2 from "node:http2";
import net, { type AddressInfo, type Server } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { check, resolvePort, type Target } from "../../../../../agents/node/probes/check.ts";

const servers: { close(): void }[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) server.close();
});

async function listen(server: Server | http2.Http2Server): Promise<number> {
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", () => resolve()));
  return (server.address() as AddressInfo).port;
}
const target = (more: Partial<Target> = {}): Target => ({
  podIP: "127.0.0.1",
  ports: [],
  portMap: {},
  exec: async () => ({ code: 0, output: "" }),
  ...more,
});

describe("an HTTP check", () => {
  const serve = (answer: http.RequestListener) => listen(http.createServer(answer));

  it.each([
    [200, true, ""],
    [399, true, ""],
    [404, false, "HTTP probe failed with statuscode: 404"],
    [500, false, "HTTP probe failed with statuscode: 500"],
  ])("answered with %i is %s", async (code, ok, output) => {
    const port = await serve((_request, response) => response.writeHead(code).end());
    expect(await check({ httpGet: { port, path: "/x" } }, target())).toEqual({ ok, output });
  });

  it("sends the manifest's headers and follows redirects on the same host", async () => {
    const seen: (string | undefined)[] = [];
    const port = await serve((request, response) => {
      seen.push(request.url, request.headers["x-a"]?.toString());
      if (request.url === "/") response.writeHead(302, { Location: "/next" }).end();
      else response.end();
    });
    const httpGet = { port, path: "/", httpHeaders: [{ name: "X-A", value: "b" }] };
    expect((await check({ httpGet }, target())).ok).toBe(true);
    expect(seen).toEqual(["/", "b", "/next", "b"]);
  });

  it("takes a redirect to another host for a success", async () => {
    const port = await serve((_request, response) =>
      response.writeHead(302, { Location: "http://other.invalid/" }).end(),
    );
    expect((await check({ httpGet: { port } }, target())).ok).toBe(true);
  });

  it("says the port, a scheme's own too", async () => {
    // Nothing of this machine listens there.
    const probed = target({ podIP: "127.254.254.254" });
    expect(await check({ httpGet: { port: 80, path: "/x?y" } }, probed)).toEqual({
      ok: false,
      output: `Get "http://127.254.254.254:80/x?y": dial tcp 127.254.254.254:80: connect: connection refused`,
    });
  });

  it("ends at its timeout", async () => {
    const port = await serve(() => {});
    const result = await check({ httpGet: { port }, timeoutSeconds: 0.05 }, target());
    expect(result.output).toBe(
      `Get "http://127.0.0.1:${port}/": context deadline exceeded (Client.Timeout exceeded while awaiting headers)`,
    );
  });
});

describe("a TCP check", () => {
  it("needs a listener", async () => {
    const server = net.createServer((socket) => socket.destroy());
    const port = await listen(server);
    expect((await check({ tcpSocket: { port } }, target())).ok).toBe(true);
    await new Promise((resolve) => server.close(resolve));
    servers.splice(0);
    expect(await check({ tcpSocket: { port } }, target())).toEqual({
      ok: false,
      output: `dial tcp 127.0.0.1:${port}: connect: connection refused`,
    });
  });
});

describe("an exec check", () => {
  it("goes by the exit code and tells the output", async () => {
    const failing = target({ exec: async () => ({ code: 1, output: "cat: can't open" }) });
    expect(await check({ exec: { command: ["cat"] } }, failing)).toEqual({
      ok: false,
      output: "cat: can't open",
    });
  });
  it("comes to no result where the command is not there", async () => {
    const missing = target({ exec: () => Promise.reject(new Error('exec: "nope": not found')) });
    expect(await check({ exec: { command: ["nope"] } }, missing)).toEqual({
      ok: false,
      errored: true,
      output: expect.stringMatching(
        /^rpc error: .*unable to start container process: exec: "nope": not found: unknown$/,
      ),
    });
  });
  it("fails when it was killed at its timeout", async () => {
    const slow = target({ exec: async () => ({ code: undefined, output: "" }) });
    expect(await check({ exec: { command: ["sleep", "9"] } }, slow)).toEqual({
      ok: false,
      output: 'command timed out: "sleep 9" timed out after 1s',
    });
  });
});

describe("a gRPC check", () => {
  const health = (status: number) =>
    listen(
      http2.createServer().on("stream", (stream) => {
        stream.respond({ ":status": 200, "content-type": "application/grpc" }, { waitForTrailers: true });
        stream.on("wantTrailers", () => stream.sendTrailers({ "grpc-status": "0" }));
        stream.end(Buffer.from([0, 0, 0, 0, 2, 8, status]));
      }),
    );

  it("takes SERVING only", async () => {
    expect(await check({ grpc: { port: await health(1) } }, target())).toEqual({ ok: true, output: "" });
    expect(await check({ grpc: { port: await health(2) } }, target())).toEqual({
      ok: false,
      output: 'service unhealthy (responded with "NOT_SERVING")',
    });
  });
});

describe("resolvePort", () => {
  const ports = [{ name: "http", containerPort: 80 }];
  it("knows names and applies the port map", () => {
    expect(resolvePort("http", { ports, portMap: { 80: 10080 } })).toBe(10080);
    expect(resolvePort("8080", { ports, portMap: {} })).toBe(8080);
    expect(() => resolvePort("nope", { ports, portMap: {} })).toThrow(
      'strconv.Atoi: parsing "nope": invalid syntax',
    );
  });
});
