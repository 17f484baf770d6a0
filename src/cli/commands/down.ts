// `kubemu down`: asks the supervisor to stop and waits until it has; where it is dead or deaf, kills and sweeps what is left.
import { existsSync, realpathSync, rmSync } from "node:fs";
import { join } from "node:path";
import { systemClock } from "../../base/clock.ts";
import { isAlive } from "../../process/identity.ts";
import { killTree } from "../../process/stop.ts";
import { sweepMarked } from "../../process/sweep.ts";
import { sendCommand } from "../../supervisor/command-socket.ts";
import { readSupervisor, type SupervisorFile } from "../../supervisor/state.ts";
import type { Invocation } from "../command.ts";
import { unmergeKubeconfig } from "../kubeconfig-merge.ts";

// The supervisor gives its parts ten seconds; past this it is taken for hung.
const LONGEST_STOP_MS = 30_000;

export async function down({ name, dataDir, options }: Invocation): Promise<number> {
  if (!existsSync(join(dataDir, "cluster.json"))) {
    throw new Error(
      existsSync(dataDir)
        ? `${dataDir} is no data directory of kubemu`
        : `there is no cluster ${name} (no ${dataDir})`,
    );
  }
  const real = realpathSync(dataDir);
  const supervisor = readSupervisor(real);
  if (supervisor && isAlive(supervisor)) await stopSupervisor(supervisor);
  await sweepMarked({ KUBEMU_CLUSTER: real });
  rmSync(join(real, "supervisor.json"), { force: true });
  unmergeKubeconfig(name, (line) => process.stderr.write(`kubemu: ${line}\n`));
  if (options["delete"] === true) rmSync(real, { recursive: true, force: true });
  process.stdout.write(
    `cluster ${name} is stopped${options["delete"] === true ? " and its data removed" : ""}\n`,
  );
  return 0;
}

async function stopSupervisor(supervisor: SupervisorFile): Promise<void> {
  const deadline = systemClock.now() + LONGEST_STOP_MS;
  const answered = new AbortController();
  const asked = sendCommand(supervisor.socket, { command: "stop" }).catch(() => {});
  await Promise.race([asked, systemClock.sleep(LONGEST_STOP_MS, answered.signal)]);
  answered.abort();
  while (isAlive(supervisor) && systemClock.now() < deadline) await systemClock.sleep(10);
  await killTree(supervisor);
}
