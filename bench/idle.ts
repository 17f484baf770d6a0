// What an idle cluster of three nodes costs: memory of kubemu's own processes, and their CPU beside that of its floor.
import { startCluster } from "../test/cluster/harness.ts";
import { startBareHeartbeats } from "./bare-heartbeats.ts";
import { cpuSeconds, processesByRole, pssMb } from "./cluster.ts";
import { type Figure, figure, type Scenario } from "./figure.ts";

const SETTLE_MS = 15_000;
const BARE_SETTLE_MS = 5_000;
const WINDOW_MS = 30_000;

const cpuSecondsOf = (pids: readonly number[]) => pids.map(cpuSeconds).reduce((sum, each) => sum + each, 0);
const shareOf = (seconds: number) => (seconds / (WINDOW_MS / 1000)) * 100;

export const idle: Scenario = {
  name: "idle",
  async run(): Promise<Figure[]> {
    const cluster = await startCluster();
    try {
      await new Promise((next) => setTimeout(next, SETTLE_MS));
      const { own, containers } = processesByRole(cluster.dataDir);
      const ownMb = own.map(pssMb).reduce((sum, each) => sum + each, 0);
      const spareMb = containers.map(pssMb).reduce((sum, each) => sum + each, 0);
      const [ownShare, bareShare] = await besideBareHeartbeats([...own, ...containers]);
      return [
        figure("memory of kubemu's own processes, 3 idle nodes", ownMb, "MB PSS", {
          most: 300,
          note: `${own.length} processes`,
        }),
        figure("the same with the pre-started containers", ownMb + spareMb, "MB PSS", {
          most: 300,
          note: `${containers.length} more`,
        }),
        figure("idle CPU of all of them", ownShare, "% of a core", { most: 1 }),
        figure("CPU of bare Node processes that exchange as many requests", bareShare, "% of a core", {
          note: "a server and 3 clients, at the same time",
        }),
      ];
    } finally {
      await cluster.stop();
    }
  },
};

/** What these processes use, and what the floor does meanwhile, in per cent of a core. */
async function besideBareHeartbeats(pids: readonly number[]): Promise<[number, number]> {
  // Not earlier: every process of Node's shares the memory of its program with the others, and the figures above with it.
  const bare = await startBareHeartbeats();
  try {
    await new Promise((next) => setTimeout(next, BARE_SETTLE_MS));
    const [ownBefore, bareBefore] = [cpuSecondsOf(pids), cpuSecondsOf(bare.pids)];
    await new Promise((next) => setTimeout(next, WINDOW_MS));
    return [shareOf(cpuSecondsOf(pids) - ownBefore), shareOf(cpuSecondsOf(bare.pids) - bareBefore)];
  } finally {
    bare.stop();
  }
}
