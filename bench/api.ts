// The API over HTTPS with durable writes, the clients on the same cores: creates a second, a long list, and how far behind watchers are.
import { setMaxListeners } from "node:events";
import { readFileSync } from "node:fs";
import { Agent, request as httpsRequest } from "node:https";
import { join } from "node:path";
import { configMaps } from "../src/api/kinds/config-map.ts";
import { type Cluster, startCluster } from "../test/cluster/harness.ts";
import { type Figure, figure, percentile, type Scenario } from "./figure.ts";

const WATCHERS = 50;
// As the creates before them have theirs: what is measured is a server that has done this before.
const WARM_UP_WRITES = 50;

const body = (name: string) =>
  JSON.stringify({
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: { name },
    data: { text: "x".repeat(1024) },
  });

interface Raw {
  send(method: string, path: string, payload?: string): Promise<{ status: number; bytes: number }>;
  close(): void;
}

/** The least a client can do, so that the server is what is measured: no JSON is parsed. */
function rawClient(cluster: Cluster, sockets: number): Raw {
  const { apiServer } = JSON.parse(readFileSync(join(cluster.dataDir, "supervisor.json"), "utf8")) as {
    apiServer: string;
  };
  const pki = (file: string) => readFileSync(join(cluster.dataDir, "pki", file));
  const agent = new Agent({
    keepAlive: true,
    maxSockets: sockets,
    ca: pki("ca.crt"),
    cert: pki("admin.crt"),
    key: pki("admin.key"),
  });
  const { hostname, port } = new URL(apiServer);
  return {
    send: (method, path, payload) =>
      new Promise((resolve, reject) => {
        const headers = payload
          ? { "content-type": "application/json", "content-length": Buffer.byteLength(payload) }
          : {};
        const request = httpsRequest({ agent, hostname, port, method, path, headers }, (response) => {
          let bytes = 0;
          response.on("data", (chunk: Buffer) => {
            bytes += chunk.length;
          });
          response.on("end", () => resolve({ status: response.statusCode ?? 0, bytes }));
        });
        request.on("error", reject);
        request.end(payload);
      }),
    close: () => agent.destroy(),
  };
}

let runs = 0;

async function createsPerSecond(client: Raw, lanes: number, each: number): Promise<number> {
  const began = performance.now();
  const run = runs++;
  await Promise.all(
    Array.from({ length: lanes }, async (_, lane) => {
      for (let n = 0; n < each; n++) {
        const { status } = await client.send(
          "POST",
          "/api/v1/namespaces/default/configmaps",
          body(`b-${run}-${lane}-${n}`),
        );
        if (status !== 201) throw new Error(`create answered ${status}`);
      }
    }),
  );
  return (lanes * each) / ((performance.now() - began) / 1000);
}

async function watchLagMs(cluster: Cluster): Promise<{ lags: number[]; gaps: number }> {
  const client = cluster.client();
  const ended = new AbortController();
  setMaxListeners(0, ended.signal);
  const sentAt = new Map<string, number>();
  const lags: number[] = [];
  const seen = Array.from({ length: WATCHERS }, () => 0);
  const writes = 500;
  let all: () => void = () => {};
  const complete = new Promise<void>((resolve) => {
    all = resolve;
  });
  const { metadata } = await client.list(configMaps, { namespace: "kube-public" });
  const watches = seen.map((_, watcher) =>
    client.watch(
      configMaps,
      { namespace: "kube-public", resourceVersion: metadata.resourceVersion, signal: ended.signal },
      (event) => {
        const { name } = (event.object as { metadata: { name: string } }).metadata;
        const at = sentAt.get(name);
        if (event.type !== "ADDED" || at === undefined) return;
        lags.push(performance.now() - at);
        seen[watcher]!++;
        if (lags.length === WATCHERS * writes) all();
      },
    ),
  );
  await new Promise((next) => setTimeout(next, 500));
  const write = async (name: string) => {
    await client.create(configMaps, {
      metadata: { name, namespace: "kube-public" },
      data: { text: "x".repeat(200) },
    });
    await new Promise((next) => setTimeout(next, 10));
  };
  for (let n = 0; n < WARM_UP_WRITES; n++) await write(`warm-up-${n}`);
  for (let n = 0; n < writes; n++) {
    sentAt.set(`w-${n}`, performance.now());
    await write(`w-${n}`);
  }
  await complete;
  ended.abort();
  await Promise.all(watches);
  client.transport.close();
  return { lags, gaps: seen.filter((count) => count !== writes).length };
}

export const api: Scenario = {
  name: "api",
  async run(): Promise<Figure[]> {
    const cluster = await startCluster({ nodes: 1, inMemory: false });
    try {
      const one = rawClient(cluster, 1);
      const many = rawClient(cluster, 32);
      await createsPerSecond(one, 1, 300);
      const single = await createsPerSecond(one, 1, 1500);
      await createsPerSecond(many, 32, 10);
      const parallel = await createsPerSecond(many, 32, 200);
      const spans: number[] = [];
      for (let run = 0; run < 15; run++) {
        const began = performance.now();
        await one.send("GET", "/api/v1/namespaces/default/configmaps?limit=2700");
        spans.push(performance.now() - began);
      }
      const { lags, gaps } = await watchLagMs(cluster);
      one.close();
      many.close();
      return [
        figure("creates of a 1 KB ConfigMap, 32 clients", parallel, "1/s", { least: 2500 }),
        figure("creates of a 1 KB ConfigMap, one client", single, "1/s", { least: 900 }),
        figure("list of 2,700", percentile(spans, 0.5), "ms", { most: 60 }),
        figure(`write to ${WATCHERS} watchers, p99`, percentile(lags, 0.99), "ms", {
          most: 5,
          note: `${gaps} watchers with a gap; from sending the create`,
        }),
      ];
    } finally {
      await cluster.stop();
    }
  },
};
