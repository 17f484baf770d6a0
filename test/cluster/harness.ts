// Boots real clusters for tests: the built programs, real processes, a scratch data directory. `stop` takes the cluster down and
// fails the test if a process of it is left. Nothing here sleeps for a fixed time: `eventually` waits for a condition.
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import type { Client } from "../../src/client/client.ts";
import { createClient } from "../../src/client/create-client.ts";
import { readCredentials } from "../../src/client/credentials.ts";
import { createHttpsTransport } from "../../src/client/https-transport.ts";

// Beside the sources for tests, in dist/ for the benchmarks.
const ROOT = [resolve(import.meta.dirname, "../.."), resolve(import.meta.dirname, "..")].find((folder) =>
  existsSync(join(folder, "package.json")),
) as string;
export const KUBEMU = join(ROOT, "dist/kubemu.js");

export interface Finished {
  code: number;
  stdout: string;
  stderr: string;
}

/** Runs a program to its end; never rejects. */
export function run(
  program: string,
  args: readonly string[],
  options: { env?: NodeJS.ProcessEnv; input?: string; cwd?: string } = {},
): Promise<Finished> {
  return new Promise((done) => {
    const child = execFile(
      program,
      [...args],
      { env: options.env ?? process.env, cwd: options.cwd, maxBuffer: 64 * 1024 * 1024, timeout: 110_000 },
      (error, stdout, stderr) => {
        const code = error ? (typeof error.code === "number" ? error.code : 1) : 0;
        done({
          code,
          stdout,
          stderr: error && typeof error.code !== "number" ? `${stderr}${error.message}` : stderr,
        });
      },
    );
    child.stdin?.on("error", () => {});
    child.stdin?.end(options.input ?? "");
  });
}

/** Polls `read` until it gives a value that is neither false nor undefined; fails with what it last threw or `what`. */
export async function eventually<T>(
  what: string,
  read: () => T | Promise<T>,
  timeoutMs = 60_000,
): Promise<NonNullable<Exclude<T, false>>> {
  const deadline = Date.now() + timeoutMs;
  let last: unknown;
  for (;;) {
    try {
      const value = await read();
      if (value !== undefined && value !== false && value !== null)
        return value as NonNullable<Exclude<T, false>>;
      last = undefined;
    } catch (error) {
      last = error;
    }
    if (Date.now() > deadline) {
      const why = last === undefined ? "" : ` (${last instanceof Error ? last.message : String(last)})`;
      throw new Error(`not within ${timeoutMs} ms: ${what}${why}`, { cause: last });
    }
    await new Promise((next) => setTimeout(next, 20));
  }
}

/** The pids of every process whose environment names that data directory. */
export function processesOf(dataDir: string): number[] {
  const marker = `KUBEMU_CLUSTER=${dataDir}`;
  return readdirSync("/proc")
    .filter((entry) => /^\d+$/.test(entry))
    .map(Number)
    .filter((pid) => {
      try {
        return readFileSync(`/proc/${pid}/environ`, "utf8").split("\0").includes(marker);
      } catch {
        return false;
      }
    });
}

/** A process that ends while it is looked at has no command line. */
export const commandOf = (pid: number): string => {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8");
  } catch {
    return "";
  }
};

/** The workers of a cluster's service proxy. */
export const proxiesOf = (dataDir: string): number[] =>
  processesOf(dataDir).filter((pid) => /proxy\.js/.test(commandOf(pid)));

/** The same once all are there: the second one comes a moment after the start. */
export const allProxiesOf = (dataDir: string): Promise<number[]> =>
  eventually("both workers are there", () => {
    const found = proxiesOf(dataDir);
    return found.length === 2 && found;
  });

/** Beside fixtures/quickstart's Service `web`: its pods in HTTP mode. */
export const WEB_HTTP_SERVICE = `
apiVersion: v1
kind: Service
metadata: {name: web-http}
spec:
  selector: {app: web}
  ports: [{port: 8088, targetPort: http, appProtocol: http}]
`;

export interface ClusterStatus {
  name: string;
  phase: string;
  apiServer: string;
  kubeconfig: string;
  dataDir: string;
  profile: string;
  supervisor: { pid: number };
  controlPlane: { pid: number };
  proxy: { pid: number };
  nodes: { name: string; pid: number; state: string; address: string; pods: number }[];
}

export interface PodView {
  namespace: string;
  name: string;
  node: string;
  ip: string;
  containers: { name: string; pid: number; ports: number[] }[];
}

export interface Cluster {
  readonly name: string;
  readonly dataDir: string;
  /** `kubemu ARGS --data-dir …`; rejects unless it exits 0. */
  kubemu(...args: string[]): Promise<string>;
  /** The same, whatever its exit code. */
  tryKubemu(...args: string[]): Promise<Finished>;
  /** The named kubectl (the newest found by default) against this cluster; rejects unless it exits 0. */
  kubectl(...args: string[]): Promise<string>;
  tryKubectl(args: readonly string[], options?: { input?: string; version?: string }): Promise<Finished>;
  apply(manifest: string): Promise<string>;
  status(): Promise<ClusterStatus>;
  pods(): Promise<PodView[]>;
  /** The first URL of a Service that can be used from the host as it stands. */
  url(service: string, namespace?: string): Promise<string>;
  /** A client with the admin's certificate. */
  client(): Client;
  stop(): Promise<void>;
}

export interface ClusterOptions {
  nodes?: number;
  folders?: readonly string[];
  args?: readonly string[];
  /** An earlier cluster's data directory, to bring it up again. */
  dataDir?: string;
  inMemory?: boolean;
}

let counter = 0;

/** `kubemu up --detach` with a scratch data directory; resolves once the nodes are Ready and the folders applied. */
export async function startCluster(options: ClusterOptions = {}): Promise<Cluster> {
  const dataDir = options.dataDir ?? join(realpathSync(mkdtempSync(join(tmpdir(), "kubemu-test-"))), "data");
  const name = `t${process.pid}-${++counter}`;
  const identity = ["--name", name, "--data-dir", dataDir];
  const up = await run(process.execPath, [
    KUBEMU,
    "up",
    ...(options.folders ?? []),
    ...identity,
    "--nodes",
    String(options.nodes ?? 3),
    "--detach",
    "--no-merge",
    ...(options.inMemory === false ? [] : ["--in-memory"]),
    ...(options.args ?? []),
  ]);
  if (up.code !== 0)
    throw new Error(`kubemu up failed (${up.code}): ${up.stdout}${up.stderr}${logsOf(dataDir)}`);
  return clusterAt(name, dataDir);
}

function logsOf(dataDir: string): string {
  const folder = join(dataDir, "logs");
  if (!existsSync(folder)) return "";
  return readdirSync(folder)
    .map((file) => `\n--- ${file}\n${readFileSync(join(folder, file), "utf8").slice(-2000)}`)
    .join("");
}

/** A handle on a running cluster. */
export function clusterAt(name: string, dataDir: string): Cluster {
  const identity = ["--name", name, "--data-dir", dataDir];
  const orFail = (what: string, finished: Finished): string => {
    if (finished.code !== 0)
      throw new Error(`${what}: exit ${finished.code}\n${finished.stdout}${finished.stderr}`);
    return finished.stdout;
  };
  const tryKubemu = (...args: string[]) => run(process.execPath, [KUBEMU, ...args, ...identity]);
  const kubemu = async (...args: string[]) => orFail(`kubemu ${args.join(" ")}`, await tryKubemu(...args));
  const tryKubectl: Cluster["tryKubectl"] = (args, { input, version } = {}) =>
    run(
      kubectlPath(version),
      ["--kubeconfig", join(dataDir, "kubeconfig"), ...args],
      input === undefined ? {} : { input },
    );
  const clients: Client[] = [];
  return {
    name,
    dataDir,
    kubemu,
    tryKubemu,
    tryKubectl,
    kubectl: async (...args) => orFail(`kubectl ${args.join(" ")}`, await tryKubectl(args)),
    apply: async (manifest) =>
      orFail("kubectl apply", await tryKubectl(["apply", "-f", "-"], { input: manifest })),
    status: async () => JSON.parse(await kubemu("status", "-o", "json")) as ClusterStatus,
    pods: async () => JSON.parse(await kubemu("pods", "-o", "json")) as PodView[],
    async url(service, namespace = "default") {
      return eventually(`Service ${service} has a URL`, async () => {
        const all = JSON.parse(await kubemu("services", "-o", "json")) as {
          namespace: string;
          name: string;
          urls: { host: string[] };
        }[];
        return all.find((each) => each.name === service && each.namespace === namespace)?.urls.host[0];
      });
    },
    client() {
      const { apiServer } = JSON.parse(readFileSync(join(dataDir, "supervisor.json"), "utf8")) as {
        apiServer: string;
      };
      const client = createClient(
        createHttpsTransport({ server: apiServer, ...readCredentials(dataDir, "admin") }),
      );
      clients.push(client);
      return client;
    },
    async stop() {
      for (const client of clients) client.transport.close();
      const down = await tryKubemu("down", "--delete");
      const left = processesOf(dataDir);
      for (const pid of left) process.kill(pid, "SIGKILL");
      rmSync(dirname(dataDir), { recursive: true, force: true });
      orFail("kubemu down --delete", down);
      if (left.length > 0) throw new Error(`processes left behind by kubemu down: ${left.join(", ")}`);
    },
  };
}

const VERSIONS = ["1.27", "1.28", "1.29", "1.30", "1.31", "1.32", "1.33"];

function kubectlFolders(): string[] {
  const onPath = (process.env["PATH"] ?? "")
    .split(":")
    .filter((folder) => folder && existsSync(join(folder, "kubectl")));
  return [...onPath, ...onPath.map((folder) => dirname(realpathSync(join(folder, "kubectl"))))];
}

/** The kubectl versions beside the kubectl on the PATH (`kubectl.1.27` …), oldest first. */
export function kubectlVersions(): string[] {
  return VERSIONS.filter((version) =>
    kubectlFolders().some((folder) => existsSync(join(folder, `kubectl.${version}`))),
  );
}

/** The named kubectl, else the newest there is, else plain `kubectl`. */
export function kubectlPath(version = kubectlVersions().at(-1)): string {
  for (const folder of kubectlFolders()) {
    const named = join(folder, `kubectl.${version}`);
    if (version && existsSync(named)) return named;
  }
  return "kubectl";
}

/** True where a kubectl can be run; tests that need one skip otherwise, and say so. */
export const hasKubectl = kubectlFolders().length > 0;
if (!hasKubectl) console.log("skipped: tests with kubectl, as there is none on the PATH");

export interface Traffic {
  readonly sent: number;
  readonly failures: { at: number; why: string }[];
  stop(): Promise<{ sent: number; failures: { at: number; why: string }[] }>;
}

/** Sends GET after GET to `url`, each over a new connection, until stopped; counts what was not answered with 200. */
export function keepSending(url: string): Traffic {
  const program = `
    const http = require("node:http");
    let sent = 0, stopping = false;
    const failures = [];
    process.on("message", () => { stopping = true; });
    const once = () => new Promise((done) => {
      sent++;
      const at = Date.now();
      const request = http.get(${JSON.stringify(url)}, { agent: false, timeout: 10000 }, (response) => {
        response.resume();
        response.on("end", () => { if (response.statusCode !== 200) failures.push({ at, why: "HTTP " + response.statusCode }); done(); });
        response.on("error", (error) => { failures.push({ at, why: "response " + error.message }); done(); });
      });
      request.on("timeout", () => request.destroy(new Error("timed out")));
      request.on("error", (error) => { failures.push({ at, why: error.message }); done(); });
    });
    (async () => {
      const lane = async () => { while (!stopping) { await once(); process.connected && sent % 50 === 0 && process.send({ sent }); await new Promise((r) => setTimeout(r, 2)); } };
      await Promise.all([lane(), lane()]);
      process.send({ sent, failures }, () => process.disconnect());
    })();`;
  const child = spawn(process.execPath, ["-e", program], { stdio: ["ignore", "inherit", "inherit", "ipc"] });
  const state = { sent: 0, failures: [] as { at: number; why: string }[] };
  child.on("message", (message) => Object.assign(state, message));
  const ended = new Promise<void>((done) => child.on("exit", () => done()));
  return {
    get sent() {
      return state.sent;
    },
    get failures() {
      return state.failures;
    },
    async stop() {
      child.send("stop");
      await ended;
      return state;
    },
  };
}

/** GET, a new connection; rejects when there is no answer. */
export async function fetchText(url: string): Promise<{ status: number; headers: Headers; text: string }> {
  const response = await fetch(url, {
    headers: { connection: "close" },
    signal: AbortSignal.timeout(10_000),
  });
  return { status: response.status, headers: response.headers, text: await response.text() };
}

/** A port of 127.0.0.1 that nobody listens on, for a program that takes a number and no socket. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}
