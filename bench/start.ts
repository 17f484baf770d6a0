// From exec of `kubemu up` to all nodes Ready and the quickstart's Service answering.
import { spawn } from "node:child_process";
import { mkdtempSync, realpathSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { clusterAt, fetchText, KUBEMU } from "../test/cluster/harness.ts";
import { type Figure, figure, median, nodeStartMs, type Scenario, WITHOUT_ROOTS } from "./figure.ts";

const RUNS = 7;

interface Manner {
  readonly env?: NodeJS.ProcessEnv;
  /** Whether the data directory is left for the next start. */
  readonly keep?: boolean;
}

async function oneStart(dataDir: string, { env = process.env, keep }: Manner): Promise<number> {
  const cluster = clusterAt("bench", dataDir);
  const began = performance.now();
  const args = [
    "up",
    "fixtures/quickstart",
    "--name",
    "bench",
    "--data-dir",
    dataDir,
    "--in-memory",
    "--no-merge",
    "--detach",
  ];
  const code = await new Promise((done) =>
    spawn(process.execPath, [KUBEMU, ...args], { stdio: "ignore", env }).on("exit", done),
  );
  if (code !== 0) throw new Error(`kubemu up exited ${code}`);
  // `up --detach` has waited for the nodes and the folder; the rest is the Service's first answer.
  const url = await firstUrl(dataDir);
  for (;;) {
    try {
      if ((await fetchText(url)).status === 200) break;
    } catch {}
    await new Promise((next) => setTimeout(next, 5));
  }
  const took = performance.now() - began;
  await cluster.kubemu("down", ...(keep ? [] : ["--delete"]));
  return took;
}

/** The Service's URL without starting another Node process, which would be measured too. */
async function firstUrl(dataDir: string): Promise<string> {
  const client = clusterAt("bench", dataDir).client();
  const { services } = await import("../src/api/kinds/service.ts");
  for (;;) {
    const service = await client.find(services, { namespace: "default", name: "web" });
    const ingress = service?.status?.loadBalancer?.ingress?.[0];
    if (ingress?.ip) {
      client.transport.close();
      return `http://${ingress.ip}:${ingress.ports?.[0]?.port ?? 80}`;
    }
    await new Promise((next) => setTimeout(next, 5));
  }
}

/** The median of several; after the last the data directory is gone. */
async function startMs(dataDir: string, manner: Manner = {}): Promise<number> {
  const spans: number[] = [];
  for (let run = 0; run < RUNS; run++) {
    const keep = manner.keep === true && run < RUNS - 1;
    spans.push(await oneStart(dataDir, { ...manner, keep }));
  }
  return median(spans);
}

async function withoutRoots(dataDir: string): Promise<Figure[]> {
  if (!WITHOUT_ROOTS) return [];
  const { env, words } = WITHOUT_ROOTS;
  const floor = await nodeStartMs(env);
  return [
    figure(`fresh data directory, ${words}`, await startMs(dataDir, { env }), "ms", { floor, most: 12 }),
  ];
}

export const start: Scenario = {
  name: "start",
  async run(): Promise<Figure[]> {
    const dataDir = join(realpathSync(mkdtempSync(join(tmpdir(), "kubemu-bench-"))), "data");
    const floor = await nodeStartMs();
    const fresh = await startMs(dataDir);
    const again = await startMs(dataDir, { keep: true });
    return [
      figure("up --in-memory, fresh data directory, to nodes Ready and Service answering", fresh, "ms", {
        floor,
        most: 12,
      }),
      figure("the same with certificates from an earlier start", again, "ms", { floor, most: 12 }),
      ...(await withoutRoots(dataDir)),
    ];
  },
};
