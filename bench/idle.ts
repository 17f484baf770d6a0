// What an idle cluster of three nodes costs: memory of kubemu's own processes, and their CPU.
import { startCluster } from "../test/cluster/harness.ts";
import { cpuSeconds, processesByRole, pssMb } from "./cluster.ts";
import { type Figure, figure, type Scenario } from "./figure.ts";

const SETTLE_MS = 15_000;
const WINDOW_MS = 30_000;

export const idle: Scenario = {
  name: "idle",
  async run(): Promise<Figure[]> {
    const cluster = await startCluster();
    try {
      await new Promise((next) => setTimeout(next, SETTLE_MS));
      const { own, containers } = processesByRole(cluster.dataDir);
      const all = [...own, ...containers];
      const before = all.map(cpuSeconds).reduce((sum, each) => sum + each, 0);
      await new Promise((next) => setTimeout(next, WINDOW_MS));
      const used = all.map(cpuSeconds).reduce((sum, each) => sum + each, 0) - before;
      const ownMb = own.map(pssMb).reduce((sum, each) => sum + each, 0);
      const spareMb = containers.map(pssMb).reduce((sum, each) => sum + each, 0);
      return [
        figure("memory of kubemu's own processes, 3 idle nodes", ownMb, "MB PSS", {
          most: 300,
          note: `${own.length} processes`,
        }),
        figure("the same with the pre-started containers", ownMb + spareMb, "MB PSS", {
          most: 300,
          note: `${containers.length} more`,
        }),
        figure("idle CPU of all of them", (used / (WINDOW_MS / 1000)) * 100, "% of a core", { most: 1 }),
      ];
    } finally {
      await cluster.stop();
    }
  },
};
