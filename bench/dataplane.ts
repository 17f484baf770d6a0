// The data plane against a direct connection and against HAProxy, in the same run: throughput over 64 kept-alive connections in each mode,
// new connections a second, the processor time of a request, and the memory that 10,000 idle connections take.
// wrk sends, pods of the cluster answer. KUBEMU_BENCH_SECONDS says how long each of three rounds takes (4 without it).
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { endpoints } from "../src/api/kinds/endpoints.ts";
import {
  allProxiesOf,
  type Cluster,
  eventually,
  fetchText,
  run,
  startCluster,
  WEB_HTTP_SERVICE,
} from "../test/cluster/harness.ts";
import { openIdle } from "../test/cluster/idle-connections.ts";
import { cpuSeconds, pssMb } from "./cluster.ts";
import { type Figure, figure, median, type Scenario } from "./figure.ts";
import { isInstalled, lastWords, succeeds, unmeasured } from "./other-programs.ts";

const SECONDS = Number(process.env["KUBEMU_BENCH_SECONDS"] ?? 4);
const ROUNDS = 3;
const IDLE = 10_000;

/** One way to the same pods, and who spends processor time on it. */
interface Way {
  readonly name: string;
  readonly url: string;
  readonly pids: readonly number[];
  readonly perSecond: number[];
  readonly microseconds: number[];
  /** What share of the work the busiest of `pids` did. */
  readonly shares: number[];
}

const way = (name: string, url: string, pids: readonly number[] = []): Way => ({
  name,
  url,
  pids,
  perSecond: [],
  microseconds: [],
  shares: [],
});

async function send({ url, pids, perSecond, microseconds, shares }: Way, header?: string): Promise<void> {
  const before = pids.map(cpuSeconds);
  const args = ["-t2", "-c64", `-d${SECONDS}s`, ...(header ? ["-H", header] : []), url];
  const { stdout } = await run("wrk", args);
  const spent = pids.map((pid, index) => cpuSeconds(pid) - before[index]!);
  const all = spent.reduce((sum, each) => sum + each, 0);
  const [, requests] = /(\d+) requests in/.exec(stdout) ?? [];
  perSecond.push(Number(/Requests\/sec:\s+([\d.]+)/.exec(stdout)?.[1] ?? Number.NaN));
  microseconds.push((all / Number(requests)) * 1e6);
  shares.push(Math.max(...spent) / all);
}

/** In rounds, after one that does not count (a pod takes twice as long while its code is cold), to and fro so that none is always first. */
async function measure(ways: readonly Way[], header?: string): Promise<void> {
  for (const { name, url } of ways) await send(way(name, url), header);
  for (let round = 0; round < ROUNDS; round++)
    for (const each of round % 2 === 0 ? ways : ways.toReversed()) await send(each, header);
}

/** A socket that listens on a free port: for a program that is given it, so that nobody can take the port in between. */
async function listening() {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  // Undocumented, as in docs/decisions/0003: the descriptor of the socket.
  const { fd } = (server as unknown as { _handle: { fd: number } })._handle;
  return { port, fd, close: () => server.close() };
}

/** HAProxy before those servers, in TCP and in HTTP mode, on ports of its own; resolves with its URLs and the way to end it. */
async function startHaproxy(servers: readonly string[]) {
  const folder = mkdtempSync(join(tmpdir(), "kubemu-haproxy-"));
  const file = join(folder, "haproxy.cfg");
  const lines = servers.map((server, index) => `  server s${index} ${server}`).join("\n");
  writeFileSync(
    file,
    `global\n  nbthread ${cpus().length}\n  maxconn 4096\ndefaults\n  mode tcp\n  timeout connect 5s\n  timeout client 60s\n  timeout server 60s\nlisten web\n  bind fd@3\n  balance roundrobin\n${lines}\nlisten http\n  mode http\n  bind fd@4\n  balance roundrobin\n${lines}\n`,
  );
  const sockets = [await listening(), await listening()] as const;
  const child = spawn("haproxy", ["-db", "-f", file], {
    stdio: ["ignore", "ignore", "pipe", sockets[0].fd, sockets[1].fd],
  });
  for (const socket of sockets) socket.close();
  const said = lastWords(child);
  const [url, httpUrl] = sockets.map(({ port }) => `http://127.0.0.1:${port}/`) as [string, string];
  const stop = () => {
    child.kill("SIGKILL");
    rmSync(folder, { recursive: true });
  };
  try {
    await eventually("HAProxy answers", async () => {
      if (child.exitCode !== null) return "ended";
      return (await fetchText(url)).status === 200;
    });
    if (child.exitCode !== null) throw new Error(`HAProxy ended: ${said()}`);
  } catch (error) {
    stop();
    throw error;
  }
  return { url, httpUrl, pids: [child.pid!], stop };
}

// One pod with a Service of its own: what a Service costs is told apart from what two more pods bring only when it has no more pods than
// the direct connection.
const ONE = `
apiVersion: apps/v1
kind: Deployment
metadata: {name: one}
spec:
  selector: {matchLabels: {app: one}}
  template:
    metadata: {labels: {app: one}}
    spec: {containers: [{name: nginx, image: "nginx:1.27", ports: [{name: http, containerPort: 80}]}]}
---
apiVersion: v1
kind: Service
metadata: {name: one}
spec:
  type: LoadBalancer
  selector: {app: one}
  ports: [{port: 8090, targetPort: http}]
`;

async function serversOf(cluster: Cluster, name: string, count: number): Promise<string[]> {
  const client = cluster.client();
  return eventually(`${name} has ${count} endpoints`, async () => {
    const subset = (await client.find(endpoints, { namespace: "default", name }))?.subsets?.[0];
    const found = (subset?.addresses ?? []).map(({ ip }) => `${ip}:${subset?.ports?.[0]?.port}`);
    return found.length === count ? found : undefined;
  });
}

const answers = (url: string) => eventually(url, async () => (await fetchText(url)).status === 200);

/** `a` divided by `b`, both as measured side by side. */
function against(title: string, a: Way, b: Way, least?: number): Figure {
  const note = [a, b].map(({ name, pids, microseconds, shares }) => {
    if (!(median(microseconds) > 0)) return pids.length === 0 ? "" : `${name} spends nothing on it`;
    const parted =
      pids.length > 1 ? `, the busiest of ${pids.length} ${Math.round(median(shares) * 100)} %` : "";
    return `${name} ${median(microseconds).toFixed(1)} µs of processor time a request${parted}`;
  });
  return figure(title, median(a.perSecond), "1/s", {
    floor: median(b.perSecond),
    ...(least === undefined ? {} : { least }),
    note: note.filter(Boolean).join("; "),
  });
}

/** The proxy in user space: against HAProxy, and with many idle connections. */
async function userspace(): Promise<Figure[]> {
  const cluster = await startCluster({ folders: ["fixtures/quickstart"] });
  try {
    const servers = await serversOf(cluster, "web", 3);
    await cluster.apply(WEB_HTTP_SERVICE);
    await cluster.apply(ONE);
    const [single] = await serversOf(cluster, "one", 1);
    const [url, httpUrl] = [await cluster.url("web"), await cluster.url("web-http")];
    const oneUrl = await cluster.url("one");
    await Promise.all([url, httpUrl, oneUrl].map(answers));
    const pids = await allProxiesOf(cluster.dataDir);
    const idle = await idleConnections(cluster, url);
    if (!(await isInstalled("haproxy")))
      return [unmeasured("L4 through a Service ÷ HAProxy TCP", "HAProxy is not installed"), ...idle];
    const haproxy = await startHaproxy(servers);
    try {
      const [direct, one] = [way("direct", `http://${single}/`), way("kubemu", oneUrl, pids)];
      const [l4, http] = [way("kubemu", url, pids), way("kubemu", httpUrl, pids)];
      const [tcp, httpFloor] = [
        way("HAProxy", haproxy.url, haproxy.pids),
        way("HAProxy", haproxy.httpUrl, haproxy.pids),
      ];
      const [fresh, freshFloor] = [way("kubemu", url, pids), way("HAProxy", haproxy.url, haproxy.pids)];
      await measure([direct, one, l4, tcp, http, httpFloor]);
      await measure([fresh, freshFloor], "Connection: close");
      return [
        against("L4 through a Service ÷ HAProxy TCP, 64 kept-alive connections", l4, tcp, 0.7),
        against("HTTP mode ÷ HAProxy HTTP, 64 kept-alive connections", http, httpFloor, 0.4),
        against("new connections a second ÷ HAProxy TCP", fresh, freshFloor, 0.5),
        against("L4 through the Service of one pod ÷ that pod directly", one, direct),
        ...idle,
      ];
    } finally {
      haproxy.stop();
    }
  } finally {
    await cluster.stop();
  }
}

async function idleConnections(cluster: Cluster, url: string): Promise<Figure[]> {
  const pids = await allProxiesOf(cluster.dataDir);
  const memory = () => pids.map(pssMb);
  const sum = (each: readonly number[]) => each.reduce((all, one) => all + one, 0);
  const before = sum(memory());
  const idle = await openIdle(url, IDLE);
  const held = memory();
  await answers(url);
  await idle.close();
  return [
    figure(`memory of the proxy with ${IDLE.toLocaleString("en-US")} idle connections`, sum(held), "MB PSS", {
      most: 250,
      note: `${pids.length} processes, the largest ${Math.round(Math.max(...held))} MB; ${Math.round(before)} MB without; ${idle.opened} were open and a new one was answered`,
    }),
  ];
}

async function kernel(): Promise<Figure[]> {
  const title = "nftables mode, the Service of one pod ÷ that pod directly, 64 kept-alive connections";
  if (!(await succeeds("nft list tables"))) return [unmeasured(title, "nftables cannot be used here")];
  const cluster = await startCluster({ args: ["--proxy-mode", "nftables"] });
  try {
    await cluster.apply(ONE);
    const [server] = await serversOf(cluster, "one", 1);
    const ip = await cluster.kubectl("get", "service", "one", "-o", "jsonpath={.spec.clusterIP}");
    const url = `http://${ip}:8090/`;
    await answers(url);
    const pids = await allProxiesOf(cluster.dataDir);
    const [direct, through] = [way("direct", `http://${server}/`), way("the proxy", url, pids)];
    await measure([direct, through]);
    return [against(title, through, direct, 0.9)];
  } finally {
    await cluster.stop();
  }
}

export const dataplane: Scenario = {
  name: "dataplane",
  async run() {
    if (!(await isInstalled("wrk"))) return [unmeasured("throughput", "wrk is not installed")];
    return [...(await userspace()), ...(await kernel())];
  },
};
