// A real kube-apiserver with etcd beside kubemu: the same requests of the same clients on the same machine, in turns. Where `kube-apiserver`
// and `etcd` are on the PATH; docs/performance.md says how to come by them.
import { spawn } from "node:child_process";
import { generateKeyPairSync } from "node:crypto";
import { once } from "node:events";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { eventually, freePort, run, startCluster } from "../test/cluster/harness.ts";
import { apiServerOf, type Lags, listMs, type Measured, measure, servingCertificateOf } from "./api-load.ts";
import { processesByRole, pssMbOf } from "./cluster.ts";
import { type Figure, figure, median, percentile, type Scenario } from "./figure.ts";
import { isInstalled, lastWords, unmeasured } from "./other-programs.ts";
import { createRawClient } from "./raw-client.ts";

// A 99th percentile of one round is a matter of its minute.
const ROUNDS = 5;

/**
 * The bounds of the `api` and `idle` scenarios ÷ what kube-apiserver 1.20 with etcd had on the machine for which they were set: 1,284 and 435
 * creates a second, a list in 57 ms, watchers 7.3 ms behind, 635 MB. So they hold for a slower machine, and for a faster one.
 */
const BOUNDS = { parallel: 1.95, single: 2.07, list: 1.05, watchers: 0.68, memory: 0.47 };

interface Reference {
  readonly url: string;
  readonly version: string;
  readonly pids: readonly number[];
  stop(): Promise<void>;
}

/** Both programs, on ports of 127.0.0.1, with the cluster's certificates and its admin; their data lies in the cluster's data directory. */
async function startReference(dataDir: string): Promise<Reference> {
  const folder = join(dataDir, "reference");
  mkdirSync(folder);
  const pki = (file: string) => join(dataDir, "pki", file);
  const certificate = servingCertificateOf(dataDir);
  const key = join(folder, "service-account.key");
  const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  writeFileSync(key, privateKey.export({ type: "pkcs1", format: "pem" }), { mode: 0o600 });
  const [client, peer, port] = [await freePort(), await freePort(), await freePort()];
  const [clientUrl, peerUrl] = [`http://127.0.0.1:${client}`, `http://127.0.0.1:${peer}`];
  const etcd = start("etcd", {
    "data-dir": join(folder, "etcd"),
    "listen-client-urls": clientUrl,
    "advertise-client-urls": clientUrl,
    "listen-peer-urls": peerUrl,
    "initial-advertise-peer-urls": peerUrl,
    "initial-cluster": `default=${peerUrl}`,
  });
  const apiServer = start("kube-apiserver", {
    "etcd-servers": clientUrl,
    "bind-address": "127.0.0.1",
    "secure-port": `${port}`,
    "tls-cert-file": pki(`${certificate}.crt`),
    "tls-private-key-file": pki(`${certificate}.key`),
    "client-ca-file": pki("ca.crt"),
    "authorization-mode": "RBAC",
    "service-cluster-ip-range": "10.0.0.0/24",
    "service-account-issuer": "https://kubernetes.default.svc",
    "service-account-key-file": key,
    "service-account-signing-key-file": key,
  });
  const url = `https://127.0.0.1:${port}`;
  const programs = [apiServer, etcd];
  const stop = async () => {
    for (const { child } of programs) {
      if (child.exitCode !== null || child.signalCode !== null) continue;
      child.kill("SIGKILL");
      await once(child, "exit");
    }
  };
  const asker = createRawClient(url, dataDir, 1);
  try {
    await eventually("the reference is ready", async () => {
      const ended = programs.find(({ child }) => child.exitCode !== null);
      if (ended) throw new Error(`${ended.child.spawnfile} ended: ${ended.said()}`);
      // The namespaces that are written to: a controller of its own makes them after it has started.
      for (const path of ["/readyz", "/api/v1/namespaces/default", "/api/v1/namespaces/kube-public"])
        if ((await asker.send("GET", path)).status !== 200) return false;
      return true;
    });
  } catch (error) {
    await stop();
    throw error;
  } finally {
    asker.close();
  }
  const { stdout } = await run("kube-apiserver", ["--version"]);
  return { url, version: stdout.trim(), pids: programs.map(({ child }) => child.pid!), stop };
}

function start(program: string, flags: Readonly<Record<string, string>>) {
  const args = Object.entries(flags).map(([name, value]) => `--${name}=${value}`);
  const child = spawn(program, args, { stdio: ["ignore", "ignore", "pipe"] });
  return { child, said: lastWords(child) };
}

type Round = Measured & { readonly list: number };

/** What it wrote is gone after it, so that each round meets a server with as many objects. */
async function measureRound(url: string, dataDir: string): Promise<Round> {
  const measured = await measure(url, dataDir);
  const list = await listMs(url, dataDir);
  const cleaner = createRawClient(url, dataDir, 1);
  for (const namespace of ["default", "kube-public"])
    await cleaner.send("DELETE", `/api/v1/namespaces/${namespace}/configmaps`);
  cleaner.close();
  return { ...measured, list };
}

const p99 = (lags: readonly number[]) => percentile(lags, 0.99);

/** Medians of the rounds, side by side. */
function compare(own: readonly Round[], other: readonly Round[], version: string): Figure[] {
  const row = (name: string, unit: string, of: (round: Round) => number, bound: object = {}) => {
    const [values, floors] = [own, other].map((rounds) => rounds.map(of)) as [number[], number[]];
    const told = (each: readonly number[]) =>
      each.map((value) => value.toFixed(unit === "1/s" ? 0 : 1)).join(", ");
    return figure(`${name} ÷ the reference's`, median(values), unit, {
      floor: median(floors),
      note: `kubemu ${told(values)}; ${version} with etcd ${told(floors)}`,
      ...bound,
    });
  };
  const behind = (who: string, of: (round: Round) => Lags) => [
    row(`${who}, from sending the create, p99`, "ms", (round) => p99(of(round).fromSending), {
      most: BOUNDS.watchers,
    }),
    row(`${who}, from its answer, p99`, "ms", (round) => p99(of(round).fromAnswer)),
  ];
  return [
    row("creates of a 1 KB ConfigMap, 32 clients", "1/s", ({ parallel }) => parallel, {
      least: BOUNDS.parallel,
    }),
    row("creates of a 1 KB ConfigMap, one client", "1/s", ({ single }) => single, { least: BOUNDS.single }),
    row("list of 2,700", "ms", ({ list }) => list, { most: BOUNDS.list }),
    ...behind("write to 50 watchers with a connection each", ({ apart }) => apart),
    ...behind("write to 50 watchers of one HTTP/2 client", ({ together }) => together),
  ];
}

export const reference: Scenario = {
  name: "reference",
  async run(): Promise<Figure[]> {
    for (const program of ["kube-apiserver", "etcd"])
      if (!(await isInstalled(program)))
        return [unmeasured("a real kube-apiserver with etcd", `${program} is not installed`)];
    const cluster = await startCluster({ nodes: 3, inMemory: false });
    const { dataDir } = cluster;
    try {
      const other = await startReference(dataDir);
      try {
        const [own, others]: [Round[], Round[]] = [[], []];
        for (let round = 0; round < ROUNDS; round++) {
          others.push(await measureRound(other.url, dataDir));
          own.push(await measureRound(apiServerOf(dataDir), dataDir));
        }
        const memory = figure(
          "memory after these requests, of all of kubemu's own processes with 3 nodes ÷ the reference's",
          pssMbOf(processesByRole(dataDir).own),
          "MB PSS",
          { floor: pssMbOf(other.pids), most: BOUNDS.memory },
        );
        return [...compare(own, others, other.version), memory];
      } finally {
        await other.stop();
      }
    } finally {
      await cluster.stop();
    }
  },
};
