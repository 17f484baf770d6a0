// A whole API server on a store of its own: requests without sockets through `transport()`, or over real HTTPS through `https`.
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { Agent, request as httpsRequest, type RequestOptions } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { KubeObject } from "../../src/api/object.ts";
import { builtinKinds, createRegistry, type Registry } from "../../src/api/registry.ts";
import { type Clock, systemClock } from "../../src/base/clock.ts";
import { type Log, type LogFields, silentLog } from "../../src/base/log.ts";
import { timingOf } from "../../src/base/timing.ts";
import type { Client } from "../../src/client/client.ts";
import { createClient } from "../../src/client/create-client.ts";
import { createHttpsTransport } from "../../src/client/https-transport.ts";
import type { Transport } from "../../src/client/transport.ts";
import { ensurePki, serverFile } from "../../src/pki/files.ts";
import { type ApiServer, startApiServer } from "../../src/server/api-server.ts";
import { openStore } from "../../src/store/open-store.ts";
import type { Store } from "../../src/store/store.ts";

export const SLOT = 16;

export interface HttpAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly text: string;
  json(): unknown;
}

export interface TestServer {
  readonly server: ApiServer;
  readonly store: Store<KubeObject>;
  readonly registry: Registry;
  readonly transport: Transport;
  readonly client: Client;
  readonly dataDir: string;
  /** A file of pki/, as text. */
  pki(name: string): string;
  /** What the server logged as an error: a test that expects none asserts that it is empty. */
  readonly errors: LogFields[];
  /** Over HTTPS; with the admin's certificate unless `anonymous`. */
  https(
    method: string,
    path: string,
    options?: { body?: string | Buffer; headers?: Record<string, string>; anonymous?: boolean },
  ): Promise<HttpAnswer>;
  /** A transport over HTTPS, as the admin; who opens it closes it. */
  remote(): Transport;
  stop(): Promise<void>;
}

let pkiFiles: Promise<ReadonlyMap<string, string>> | undefined;

/** Certificates are made once for all tests of a file. */
function testPki(): Promise<ReadonlyMap<string, string>> {
  pkiFiles ??= (async () => {
    const dataDir = mkdtempSync(join(tmpdir(), "kubemu-pki-"));
    try {
      await ensurePki({ dataDir, slot: SLOT, nodes: [], nowMs: Date.now() });
      const folder = join(dataDir, "pki");
      return new Map(readdirSync(folder).map((name) => [name, readFileSync(join(folder, name), "utf8")]));
    } finally {
      rmSync(dataDir, { recursive: true, force: true });
    }
  })();
  return pkiFiles;
}

function recordingLog(errors: LogFields[]): Log {
  const log: Log = {
    ...silentLog,
    error: (fields, message) => errors.push({ ...fields, message }),
    child: () => log,
  };
  return log;
}

export async function startTestServer(
  options: { clock?: Clock; dataDir?: string; serviceAccounts?: boolean } = {},
): Promise<TestServer> {
  const pki = await testPki();
  const dataDir = options.dataDir ?? mkdtempSync(join(tmpdir(), "kubemu-server-"));
  const file = (name: string) => pki.get(name) ?? "";
  const store = await openStore<KubeObject>({ path: join(dataDir, "test.db"), durable: false });
  const registry = createRegistry(builtinKinds);
  const errors: LogFields[] = [];
  const server = await startApiServer({
    store,
    registry,
    pki: {
      ca: file("ca.crt"),
      cert: file(`${serverFile(SLOT)}.crt`),
      key: file(`${serverFile(SLOT)}.key`),
      kubeletClientCert: file("kubelet-client.crt"),
      kubeletClientKey: file("kubelet-client.key"),
      serviceAccountKey: file("service-account.key"),
    },
    listen: { port: 0 },
    addresses: { slot: SLOT, singleAddress: false, lowestPort: 1024 },
    timing: timingOf("kubernetes"),
    log: recordingLog(errors),
    clock: options.clock ?? systemClock,
  });
  const transport = server.transport("kubernetes-admin", ["system:masters"]);
  const client = createClient(transport, { userAgent: "test" });
  if (options.serviceAccounts !== false)
    await transport.request({
      method: "POST",
      path: "/api/v1/namespaces/default/serviceaccounts",
      body: { metadata: { name: "default" } },
    });
  const agent = new Agent({
    ca: file("ca.crt"),
    cert: file("admin.crt"),
    key: file("admin.key"),
    keepAlive: true,
  });
  const anonymous = new Agent({ ca: file("ca.crt"), keepAlive: true });
  return {
    server,
    store,
    registry,
    transport,
    client,
    dataDir,
    pki: file,
    errors,
    https: (method, path, { body, headers = {}, anonymous: without = false } = {}) =>
      send({ agent: without ? anonymous : agent, port: server.port, method, path, headers }, body),
    remote: () =>
      createHttpsTransport({
        server: `https://127.0.0.1:${server.port}`,
        ca: file("ca.crt"),
        cert: file("admin.crt"),
        key: file("admin.key"),
      }),
    async stop() {
      transport.close();
      agent.destroy();
      anonymous.destroy();
      await server.stop();
      await store.close();
      if (!options.dataDir) rmSync(dataDir, { recursive: true, force: true });
    },
  };
}

function send(options: RequestOptions, body: string | Buffer | undefined): Promise<HttpAnswer> {
  return new Promise((resolve, reject) => {
    const given = options.headers as Record<string, string>;
    const chunked = given["transfer-encoding"] !== undefined;
    const length = body === undefined || chunked ? {} : { "content-length": Buffer.byteLength(body) };
    const headers = { ...length, ...given };
    const request = httpsRequest({ host: "127.0.0.1", ...options, headers }, (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("end", () => {
        const text = Buffer.concat(chunks).toString("utf8");
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers,
          text,
          json: () => JSON.parse(text) as unknown,
        });
      });
    });
    request.on("error", reject);
    request.end(body);
  });
}
