// What is asked of an API server over HTTPS, the clients on the same cores: creates a second, how far behind watchers are, and a long list.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { percentile } from "./figure.ts";
import {
  createHttp2Follower,
  createLineFollower,
  createRawClient,
  type Follower,
  type RawClient,
} from "./raw-client.ts";

export const WATCHERS = 50;
const WRITES = 500;
// As the creates before them have theirs: what is measured is a server that has done this before.
const WARM_UP_WRITES = 50;

const body = (name: string) =>
  JSON.stringify({
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: { name },
    data: { text: "x".repeat(1024) },
  });

let runs = 0;

async function createsPerSecond(client: RawClient, lanes: number, each: number): Promise<number> {
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

/** Milliseconds until each of the watchers had the line of each of many creates, which were sent one after another. */
export interface Lags {
  readonly fromSending: readonly number[];
  /** 0 for a watcher that had it before the writer had its answer. */
  readonly fromAnswer: readonly number[];
  readonly gaps: number;
}

async function watchLags(url: string, dataDir: string, followers: Follower): Promise<Lags> {
  const run = runs++;
  const writer = createRawClient(url, dataDir, 1);
  // By the number of the write, and flat: what is kept as objects would have the measuring process collect garbage while it measures.
  const [sentAt, answeredAt] = [new Float64Array(WRITES), new Float64Array(WRITES)];
  const seenAt = new Float64Array(WRITES * WATCHERS);
  const seen = new Uint32Array(WATCHERS);
  let sightings = 0;
  const collection = "/api/v1/namespaces/kube-public/configmaps";
  const mark = `"name":"w-${run}-`;
  let all: () => void = () => {};
  const complete = new Promise<void>((resolve) => {
    all = resolve;
  });
  await Promise.all(
    Array.from(seen, (_, watcher) =>
      followers.follow(`${collection}?watch=true`, (line) => {
        const at = line.indexOf(mark);
        if (at < 0) return;
        seenAt[Number.parseInt(line.slice(at + mark.length), 10) * WATCHERS + watcher] = performance.now();
        seen[watcher]! += 1;
        sightings += 1;
        if (sightings === WATCHERS * WRITES) all();
      }),
    ),
  );
  const write = async (name: string) => {
    const { status } = await writer.send("POST", collection, body(name));
    const now = performance.now();
    if (status !== 201) throw new Error(`create answered ${status}`);
    await new Promise((next) => setTimeout(next, 10));
    return now;
  };
  for (let n = 0; n < WARM_UP_WRITES; n++) await write(`warm-up-${run}-${n}`);
  for (let n = 0; n < WRITES; n++) {
    sentAt[n] = performance.now();
    answeredAt[n] = await write(`w-${run}-${n}`);
  }
  await complete;
  followers.close();
  writer.close();
  const since = (times: Float64Array) =>
    Array.from(seenAt, (at, sighting) => Math.max(at - times[Math.floor(sighting / WATCHERS)]!, 0));
  return {
    fromSending: since(sentAt),
    fromAnswer: since(answeredAt),
    gaps: seen.filter((count) => count !== WRITES).length,
  };
}

export interface Measured {
  readonly single: number;
  readonly parallel: number;
  /** Of watchers with a connection each. */
  readonly apart: Lags;
  /** Of watchers that share one. */
  readonly together: Lags;
}

/** Warms the server up, then measures it at `url`, an https URL, as the admin of the cluster whose data directory that is. */
export async function measure(url: string, dataDir: string): Promise<Measured> {
  const one = createRawClient(url, dataDir, 1);
  const many = createRawClient(url, dataDir, 32);
  await createsPerSecond(many, 32, 60);
  const parallel = await createsPerSecond(many, 32, 200);
  many.close();
  // Last: one client alone would take long to make a server warm.
  await createsPerSecond(one, 1, 300);
  const single = await createsPerSecond(one, 1, 1500);
  one.close();
  const apart = await watchLags(url, dataDir, createLineFollower(url, dataDir));
  const together = await watchLags(url, dataDir, createHttp2Follower(url, dataDir));
  return { single, parallel, apart, together };
}

/** Milliseconds that a list of 2,700 ConfigMaps takes, of which `measure` leaves as many. */
export async function listMs(url: string, dataDir: string): Promise<number> {
  const client = createRawClient(url, dataDir, 1);
  const spans: number[] = [];
  for (let run = 0; run < 15; run++) {
    const began = performance.now();
    await client.send("GET", "/api/v1/namespaces/default/configmaps?limit=2700");
    spans.push(performance.now() - began);
  }
  client.close();
  return percentile(spans, 0.5);
}

/** The https URL of the cluster's API server. */
export function apiServerOf(dataDir: string): string {
  const state = JSON.parse(readFileSync(join(dataDir, "supervisor.json"), "utf8")) as { apiServer: string };
  return state.apiServer;
}

/** Name, without its ending, of the certificate in the cluster's pki that a server on 127.0.0.1 can show. */
export function servingCertificateOf(dataDir: string): string {
  const certificate = readdirSync(join(dataDir, "pki")).find((file) => /^server-\d+\.crt$/.test(file));
  return certificate?.replace(".crt", "") ?? "";
}
