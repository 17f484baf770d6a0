import { existsSync } from "node:fs";
import { join } from "node:path";
import { isAlive } from "../process/identity.ts";
import { DATA_VERSION, readCluster, readSupervisor } from "./state.ts";

/** Refuses, with the reason, a data directory that another supervisor uses or that a newer kubemu wrote. */
export function checkDataDir(dataDir: string): void {
  const running = readSupervisor(dataDir);
  if (running && isAlive(running))
    throw new Error(
      `${dataDir} is in use by a running cluster (pid ${running.pid}); stop it with \`kubemu down\` or choose another --data-dir`,
    );
  const cluster = readCluster(dataDir);
  if (cluster && cluster.version > DATA_VERSION)
    throw new Error(
      `${dataDir} was written by a newer kubemu (version ${cluster.version}, this one reads ${DATA_VERSION})`,
    );
  if (!cluster && existsSync(join(dataDir, "cluster.json")))
    throw new Error(`${join(dataDir, "cluster.json")} is damaged; remove ${dataDir} to start anew`);
}
