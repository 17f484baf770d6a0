// Ending a cluster from outside, whatever state it is in: starting, running, hung, or dead with things left behind.
import { realpathSync, rmSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { systemClock } from "../base/clock.ts";
import { isAlive, signalProcess } from "../process/identity.ts";
import { killTree } from "../process/stop.ts";
import { sweepMarked } from "../process/sweep.ts";
import { socketPath } from "../supervisor/command-socket.ts";
import { forgetMemory } from "../supervisor/data-dir.ts";
import { ownerOf } from "../supervisor/lock.ts";

const POLL_MS = 10;

/**
 * Asks the supervisor of `dataDir` (a real path) to stop, waits up to `graceMs`, then kills whatever is left of the cluster. With a grace
 * of 0 it is not asked.
 */
export async function stopCluster(dataDir: string, graceMs: number): Promise<void> {
  const supervisor = ownerOf(dataDir);
  if (supervisor) {
    const deadline = systemClock.now() + graceMs;
    // A signal rather than a command: it is heard from the supervisor's first moment on, and one that hangs is continued to hear it.
    if (graceMs > 0) {
      signalProcess(supervisor, "SIGTERM");
      signalProcess(supervisor, "SIGCONT");
    }
    while (isAlive(supervisor) && systemClock.now() < deadline) await systemClock.sleep(POLL_MS);
    await killTree(supervisor);
  }
  await sweepMarked({ KUBEMU_CLUSTER: dataDir });
  rmSync(join(dataDir, "supervisor.json"), { force: true });
  rmSync(socketPath(dataDir), { force: true });
  forgetMemory(dataDir);
}

/**
 * Kills what runs for a cluster whose data directory somebody has removed: nothing there says any more whom to ask. Resolves to
 * whether there was anything.
 */
export async function sweepCluster(dataDir: string): Promise<boolean> {
  return (await sweepMarked({ KUBEMU_CLUSTER: realPathOf(dataDir) })) > 0;
}

/** The path that a directory had as long as it was there. */
function realPathOf(directory: string): string {
  try {
    return join(realpathSync(dirname(directory)), basename(directory));
  } catch {
    return directory;
  }
}
