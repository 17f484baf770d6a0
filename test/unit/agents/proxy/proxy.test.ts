import net, { type AddressInfo, type Server } from "node:net";
import { afterEach, expect, test } from "vitest";
import { ownSockets } from "../../../../agents/proxy/open-socket.ts";
import { type ServiceProxy, startProxy } from "../../../../agents/proxy/proxy.ts";
import type { KubeObject } from "../../../../src/api/object.ts";
import { systemClock } from "../../../../src/base/clock.ts";
import { silentLog } from "../../../../src/base/log.ts";
import { createClient } from "../../../../src/client/create-client.ts";
import type { Transport, TransportRequest, WatchEvent } from "../../../../src/client/transport.ts";

/** Lists what it is given and passes on what it is told; remembers what is created. */
function createServerDouble(lists: Record<string, KubeObject[]>) {
  const watchers = new Map<string, (event: WatchEvent) => void>();
  const created: { reason?: string; message?: string }[] = [];
  const pluralOf = (path: string) => path.split("/").at(-1) ?? "";
  let revision = 1;
  const transport: Transport = {
    async request({ method, path, body }: TransportRequest) {
      if (method === "POST") created.push(body as object);
      const items = lists[pluralOf(path)] ?? [];
      const answer = method === "POST" ? body : { metadata: { resourceVersion: "1" }, items };
      return { status: method === "POST" ? 201 : 200, body: answer, warnings: [] };
    },
    watch({ path, signal }, onEvent) {
      watchers.set(pluralOf(path), onEvent);
      return new Promise((resolve) => signal?.addEventListener("abort", () => resolve()));
    },
    close() {},
  };
  const tell = (plural: string, type: "ADDED" | "MODIFIED" | "DELETED", object: KubeObject) => {
    const metadata = { ...object.metadata, resourceVersion: String(++revision) };
    watchers.get(plural)?.({ type, object: { ...object, metadata } });
  };
  return {
    client: createClient(transport),
    tell,
    created,
    isWatched: (plural: string) => watchers.has(plural),
  };
}

let proxy: ServiceProxy | undefined;
const servers: Server[] = [];
afterEach(async () => {
  await proxy?.stop();
  for (const server of servers.splice(0)) server.close();
});

async function listen(name: string): Promise<number> {
  const server = net.createServer((socket) => socket.end(name)).listen(0, "127.0.0.1");
  servers.push(server);
  await new Promise((resolve) => server.once("listening", resolve));
  return (server.address() as AddressInfo).port;
}

const ask = (port: number): Promise<string> =>
  new Promise((resolve) => {
    let text = "";
    const socket = net.connect(port, "127.0.0.1");
    socket.on("data", (data) => {
      text += data;
    });
    socket.on("end", () => resolve(text));
    socket.on("error", (error: NodeJS.ErrnoException) => resolve(String(error.code)));
  });

async function freePort(): Promise<number> {
  const port = await listen("");
  await new Promise((resolve) => servers.pop()?.close(resolve));
  return port;
}

const metadata = (name: string, more: object = {}) => ({
  name,
  namespace: "default",
  uid: name,
  resourceVersion: "1",
  ...more,
});
const service = (port: number) => ({
  metadata: metadata("web"),
  spec: { type: "ClusterIP", clusterIP: "127.0.0.1", ports: [{ port }] },
});
const slice = (...ports: number[]) => ({
  metadata: metadata("web-x", { labels: { "kubernetes.io/service-name": "web" } }),
  addressType: "IPv4",
  endpoints: ports.length > 0 ? [{ addresses: ["127.0.0.1"], conditions: { ready: true } }] : [],
  ports: ports.map((port) => ({ port })),
});
const object = (value: object) => value as unknown as KubeObject;
const start = (
  client: ReturnType<typeof createServerDouble>["client"],
  more: { endpointLagMs?: number; worker?: number } = {},
) =>
  startProxy({
    settings: {
      singleAddress: true,
      lowestPort: 0,
      worker: 0,
      workers: 1,
      acknowledge: true,
      endpointLagMs: 0,
      ...more,
    },
    client,
    sockets: ownSockets,
    clock: systemClock,
    log: silentLog,
  });

test("serves what exists when it says it is ready, and follows every change", async () => {
  const [port, first, second] = [await freePort(), await listen("first"), await listen("second")];
  const server = createServerDouble({
    services: [object(service(port))],
    endpointslices: [object(slice(first))],
  });
  proxy = start(server.client);
  await proxy.ready;
  expect(await ask(port)).toBe("first");

  await expect.poll(() => server.isWatched("endpointslices") && server.isWatched("services")).toBe(true);
  server.tell("endpointslices", "MODIFIED", object(slice(second)));
  await expect.poll(() => ask(port)).toBe("second");
  server.tell("endpointslices", "MODIFIED", object(slice()));
  await expect.poll(() => ask(port)).toBe("ECONNRESET");
  server.tell("services", "DELETED", object(service(port)));
  await expect.poll(() => ask(port)).toBe("ECONNREFUSED");
});

test("says on the Service which port is taken, serves the others, and takes it when it is free", async () => {
  const [taken, free, backend] = [await listen("someone else"), await freePort(), await listen("pod")];
  const web = object({
    ...service(free),
    spec: { ...service(free).spec, ports: [{ port: taken }, { port: free }] },
  });
  const server = createServerDouble({ services: [web], endpointslices: [object(slice(backend))] });
  proxy = start(server.client);
  await proxy.ready;
  expect(await ask(free)).toBe("pod");
  expect(await ask(taken)).toBe("someone else");
  await expect
    .poll(() => server.created)
    .toMatchObject([
      {
        reason: "FailedToListen",
        message: `Cannot listen on 127.0.0.1:${taken}: address already in use; trying again`,
        involvedObject: { kind: "Service", name: "web" },
      },
    ]);
  await new Promise((resolve) => servers[0]?.close(resolve));
  await expect.poll(() => ask(taken), { timeout: 4000 }).toBe("pod");
});

test("of several workers the first alone serves a Service whose clients belong somewhere", async () => {
  const [endpoint, port] = [await listen("first"), await freePort()];
  const sticky = { ...service(port), spec: { ...service(port).spec, sessionAffinity: "ClientIP" } };
  const server = createServerDouble({
    services: [object(sticky)],
    endpointslices: [object(slice(endpoint))],
  });
  proxy = start(server.client, { worker: 1 });
  await proxy.ready;
  expect(await ask(port)).toBe("ECONNREFUSED");
  server.tell("services", "MODIFIED", object(service(port)));
  await expect.poll(() => ask(port)).toBe("first");
  server.tell("services", "MODIFIED", object(sticky));
  await expect.poll(() => ask(port)).toBe("ECONNREFUSED");
});

test("acts on changes of endpoints that much later with a lag, and on the endpoints of the start at once", async () => {
  const [port, first, second] = [await freePort(), await listen("first"), await listen("second")];
  const server = createServerDouble({
    services: [object(service(port))],
    endpointslices: [object(slice(first))],
  });
  proxy = start(server.client, { endpointLagMs: 300 });
  await proxy.ready;
  expect(await ask(port)).toBe("first");
  await expect.poll(() => server.isWatched("endpointslices")).toBe(true);
  const changedAt = performance.now();
  server.tell("endpointslices", "MODIFIED", object(slice(second)));
  expect(await ask(port)).toBe("first");
  await expect.poll(() => ask(port), { interval: 10 }).toBe("second");
  expect(performance.now() - changedAt).toBeGreaterThanOrEqual(290);
});

test("acts on changes of endpoints later while a Fault says so, and at once when it is over", async () => {
  const [port, first, second] = [await freePort(), await listen("first"), await listen("second")];
  const late = object({ metadata: metadata("late"), spec: { endpointLag: "300ms", service: "web" } });
  const server = createServerDouble({
    services: [object(service(port))],
    endpointslices: [object(slice(first))],
    faults: [late],
  });
  proxy = start(server.client);
  await proxy.ready;
  await expect.poll(() => server.isWatched("endpointslices") && server.isWatched("faults")).toBe(true);
  const changedAt = performance.now();
  server.tell("endpointslices", "MODIFIED", object(slice(second)));
  expect(await ask(port)).toBe("first");
  await expect.poll(() => ask(port), { interval: 10 }).toBe("second");
  expect(performance.now() - changedAt).toBeGreaterThanOrEqual(290);

  // What the lag still holds back must not come after what is newer.
  server.tell("endpointslices", "MODIFIED", object(slice()));
  server.tell("faults", "DELETED", late);
  server.tell("endpointslices", "MODIFIED", object(slice(first)));
  await expect.poll(() => ask(port)).toBe("first");
  await new Promise((resolve) => setTimeout(resolve, 350));
  expect(await ask(port)).toBe("first");
});
