// What an idle cluster of three nodes costs: memory of kubemu's own processes, and their CPU; after it the CPU of its floor.
import { systemClock } from "../src/base/clock.ts";
import { startCluster } from "../test/cluster/harness.ts";
import { startBareHeartbeats } from "./bare-heartbeats.ts";
import { cpuSeconds, processesByRole, pssMbOf } from "./cluster.ts";
import { type Figure, figure, type Scenario } from "./figure.ts";

// V8 tidies up twice in a process that has become idle, the last time some 20 s after a start.
const SETTLE_MS = 25_000;
const BARE_SETTLE_MS = 5_000;
const WINDOW_MS = 60_000;

const cpuSecondsOf = (pids: readonly number[]) => pids.map(cpuSeconds).reduce((sum, each) => sum + each, 0);

/** What these processes use, in per cent of a core. */
async function shareOf(pids: readonly number[]): Promise<number> {
  const before = cpuSecondsOf(pids);
  await systemClock.sleep(WINDOW_MS);
  return ((cpuSecondsOf(pids) - before) / (WINDOW_MS / 1000)) * 100;
}

async function clusterFigures(): Promise<Figure[]> {
  const cluster = await startCluster();
  try {
    await systemClock.sleep(SETTLE_MS);
    const { own, containers } = processesByRole(cluster.dataDir);
    const ownMb = pssMbOf(own);
    const spareMb = pssMbOf(containers);
    const share = await shareOf([...own, ...containers]);
    return [
      figure("memory of kubemu's own processes, 3 idle nodes", ownMb, "MB PSS", {
        most: 300,
        note: `${own.length} processes`,
      }),
      figure("the same with the pre-started containers", ownMb + spareMb, "MB PSS", {
        most: 300,
        note: `${containers.length} more`,
      }),
      figure("idle CPU of all of them", share, "% of a core", { most: 1 }),
    ];
  } finally {
    await cluster.stop();
  }
}

/** Not beside the cluster: what wakes up for a moment pays for whatever else has used the processor's caches meanwhile. */
async function floorFigure(): Promise<Figure> {
  const bare = await startBareHeartbeats();
  try {
    await systemClock.sleep(BARE_SETTLE_MS);
    return figure(
      "CPU of bare Node processes that exchange as many requests",
      await shareOf(bare.pids),
      "% of a core",
      { note: "a server and 3 clients" },
    );
  } finally {
    bare.stop();
  }
}

export const idle: Scenario = {
  name: "idle",
  async run(): Promise<Figure[]> {
    return [...(await clusterFigures()), await floorFigure()];
  },
};
