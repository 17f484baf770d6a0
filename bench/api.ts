// The API over HTTPS with durable writes, the clients on the same cores: creates a second, a long list, and how far behind watchers are;
// beside it the same requests to a server that only commits them.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { type Cluster, startCluster } from "../test/cluster/harness.ts";
import {
  apiServerOf,
  type Lags,
  listMs,
  type Measured,
  measure,
  servingCertificateOf,
  WATCHERS,
} from "./api-load.ts";
import { type Figure, figure, percentile, type Scenario } from "./figure.ts";

/** The same of the server that only commits, with the cluster's certificates. */
async function measureFloor({ dataDir }: Cluster): Promise<Measured> {
  const args = [join(import.meta.dirname, "bench-floor.mjs"), dataDir, servingCertificateOf(dataDir)];
  const program = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
  try {
    const [port] = (await once(program.stdout, "data")) as [Buffer];
    return await measure(`https://127.0.0.1:${port.toString().trim()}`, dataDir);
  } finally {
    program.kill();
  }
}

const BARE = "a bare HTTPS server that commits each body";

function behind(who: string, { fromSending, fromAnswer, gaps }: Lags, floor: Lags): Figure[] {
  const told = (lags: readonly number[]) =>
    `${percentile(lags, 0.99).toFixed(1)}, median ${percentile(lags, 0.5).toFixed(1)} ms`;
  const figureOf = (from: string, lags: readonly number[], bare: readonly number[]) =>
    figure(`${who}, from ${from}, p99`, percentile(lags, 0.99), "ms", {
      most: 5,
      note: `${gaps} watchers with a gap; median ${percentile(lags, 0.5).toFixed(1)} ms; ${BARE} and sends it to as many: ${told(bare)}`,
    });
  return [
    figureOf("sending the create", fromSending, floor.fromSending),
    figureOf("its answer", fromAnswer, floor.fromAnswer),
  ];
}

export const api: Scenario = {
  name: "api",
  async run(): Promise<Figure[]> {
    const cluster = await startCluster({ nodes: 1, inMemory: false });
    const { dataDir } = cluster;
    try {
      const apiServer = apiServerOf(dataDir);
      const { single, parallel, apart, together } = await measure(apiServer, dataDir);
      const list = await listMs(apiServer, dataDir);
      const floor = await measureFloor(cluster);
      const perSecond = (rate: number) => `${BARE}: ${Math.round(rate).toLocaleString("en-US")}`;
      return [
        figure("creates of a 1 KB ConfigMap, 32 clients", parallel, "1/s", {
          least: 2500,
          note: perSecond(floor.parallel),
        }),
        figure("creates of a 1 KB ConfigMap, one client", single, "1/s", {
          least: 900,
          note: perSecond(floor.single),
        }),
        figure("list of 2,700", list, "ms", { most: 60 }),
        ...behind(`write to ${WATCHERS} watchers with a connection each`, apart, floor.apart),
        ...behind(`write to ${WATCHERS} watchers of one HTTP/2 client`, together, floor.together),
      ];
    } finally {
      await cluster.stop();
    }
  },
};
