// L4 through a Service against HAProxy's TCP mode on the same cores and against a direct connection, in the same run. The backends are the
// cluster's own pods, wrk sends; both programs are Debian packages and the scenario says so where they are not installed.
import { spawn } from "node:child_process";
import { mkdtempSync, writeFileSync } from "node:fs";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { endpoints } from "../src/api/kinds/endpoints.ts";
import { eventually, fetchText, run, startCluster } from "../test/cluster/harness.ts";
import { type Figure, figure, median, type Scenario } from "./figure.ts";

const has = async (program: string) => (await run("sh", ["-c", `command -v ${program}`])).code === 0;

async function requestsPerSecond(url: string, header?: string): Promise<number> {
  const args = ["-t2", "-c64", "-d4s", ...(header ? ["-H", header] : []), url];
  const { stdout } = await run("wrk", args);
  return Number(/Requests\/sec:\s+([\d.]+)/.exec(stdout)?.[1] ?? Number.NaN);
}

/** HAProxy in TCP mode before those servers, on a port of its own; resolves with its URL and the way to end it. */
async function startHaproxy(servers: readonly string[]): Promise<{ url: string; stop(): void }> {
  const port = 20_000 + (process.pid % 20_000);
  const file = join(mkdtempSync(join(tmpdir(), "kubemu-haproxy-")), "haproxy.cfg");
  const lines = servers.map((server, index) => `  server s${index} ${server}`).join("\n");
  writeFileSync(
    file,
    `global\n  nbthread ${cpus().length}\n  maxconn 4096\ndefaults\n  mode tcp\n  timeout connect 5s\n  timeout client 60s\n  timeout server 60s\nlisten web\n  bind 127.0.0.1:${port}\n  balance roundrobin\n${lines}\n`,
  );
  const child = spawn("haproxy", ["-db", "-f", file], { stdio: "ignore" });
  const url = `http://127.0.0.1:${port}/`;
  await eventually("HAProxy answers", async () => (await fetchText(url)).status === 200);
  return { url, stop: () => child.kill("SIGKILL") };
}

export const throughput: Scenario = {
  name: "throughput",
  async run(): Promise<Figure[]> {
    if (!(await has("wrk")))
      return [figure("L4 through a Service", Number.NaN, "1/s", { note: "wrk: not installed" })];
    const cluster = await startCluster({ folders: ["fixtures/quickstart"] });
    try {
      const url = await cluster.url("web");
      const client = cluster.client();
      const servers = await eventually("three endpoints", async () => {
        const subset = (await client.find(endpoints, { namespace: "default", name: "web" }))?.subsets?.[0];
        const found = (subset?.addresses ?? []).map(({ ip }) => `${ip}:${subset?.ports?.[0]?.port}`);
        return found.length === 3 ? found : undefined;
      });
      client.transport.close();
      const haproxy = (await has("haproxy")) ? await startHaproxy(servers) : undefined;
      const kept: Record<string, number[]> = { direct: [], kubemu: [], haproxy: [] };
      const fresh: Record<string, number[]> = { kubemu: [], haproxy: [] };
      for (let round = 0; round < 3; round++) {
        kept["direct"]!.push(await requestsPerSecond(`http://${servers[0]}/`));
        kept["kubemu"]!.push(await requestsPerSecond(url));
        fresh["kubemu"]!.push(await requestsPerSecond(url, "Connection: close"));
        if (!haproxy) continue;
        kept["haproxy"]!.push(await requestsPerSecond(haproxy.url));
        fresh["haproxy"]!.push(await requestsPerSecond(haproxy.url, "Connection: close"));
      }
      haproxy?.stop();
      const through = median(kept["kubemu"]!);
      const figures = [
        figure("L4 through a Service ÷ one pod directly, 64 kept-alive connections", through, "1/s", {
          floor: median(kept["direct"]!),
        }),
      ];
      if (!haproxy)
        return [
          ...figures,
          figure("L4 through a Service ÷ HAProxy TCP", Number.NaN, "", { note: "haproxy: not installed" }),
        ];
      return [
        ...figures,
        figure("L4 through a Service ÷ HAProxy TCP, 64 kept-alive connections", through, "1/s", {
          floor: median(kept["haproxy"]!),
          least: 0.6,
        }),
        figure("new connections ÷ HAProxy TCP", median(fresh["kubemu"]!), "1/s", {
          floor: median(fresh["haproxy"]!),
          least: 0.5,
        }),
      ];
    } finally {
      await cluster.stop();
    }
  },
};
