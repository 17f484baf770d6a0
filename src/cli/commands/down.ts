// `kubemu down`: ends a cluster, running or still starting, and takes its context out of the user's kubeconfig.
import { existsSync, realpathSync } from "node:fs";
import { join } from "node:path";
import { deleteData, isDataDir } from "../../supervisor/data-dir.ts";
import { isCopyOfRunning, onlyACopy } from "../../supervisor/lock.ts";
import { readCluster } from "../../supervisor/state.ts";
import type { Invocation } from "../command.ts";
import { unmergeKubeconfig } from "../kubeconfig-merge.ts";
import { stopCluster, sweepCluster } from "../stop-cluster.ts";

// The supervisor gives its parts ten seconds; past this it is taken for hung.
const LONGEST_STOP_MS = 30_000;

export async function down({ name, dataDir, options }: Invocation): Promise<number> {
  const warn = (line: string) => process.stderr.write(`kubemu: ${line}\n`);
  if (!isDataDir(dataDir)) {
    if (await sweepCluster(dataDir)) {
      unmergeKubeconfig(name, warn);
      process.stdout.write(`cluster ${name} is stopped; its data directory ${dataDir} was gone already\n`);
      return 0;
    }
    throw new Error(
      existsSync(dataDir)
        ? `${dataDir} is no data directory of kubemu`
        : `there is no cluster ${name} (no ${dataDir})`,
    );
  }
  const real = realpathSync(dataDir);
  const called = readCluster(real)?.name ?? name;
  const remove = options["delete"] === true;
  const isCopy = isCopyOfRunning(real);
  if (isCopy && !remove) throw onlyACopy(real);
  await stopCluster(real, LONGEST_STOP_MS);
  // In a copy it is the context of the cluster that goes on.
  if (!isCopy) unmergeKubeconfig(called, warn, join(real, "kubeconfig"));
  const left = remove ? deleteData(real) : [];
  if (left.length > 0) warn(`warning: ${real} is kept, because it holds other files: ${left.join(", ")}`);
  const stopped = `cluster ${called} is stopped${remove ? " and its data removed" : ""}`;
  process.stdout.write(`${isCopy ? `the copy ${real} is removed` : stopped}\n`);
  return 0;
}
