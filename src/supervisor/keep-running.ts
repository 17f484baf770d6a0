// A program that must always be there: started, and started again whenever it ends, at once at first and more slowly when it keeps failing.
import { type Clock, systemClock } from "../base/clock.ts";
import type { Log } from "../base/log.ts";
import type { Program } from "../process/spawn.ts";
import { stopProcessGroup } from "../process/stop.ts";

// A program that lived this long had started well: its next failure is a new story.
const HEALTHY_AFTER_MS = 5_000;
// The first death is answered at once: somebody is waiting for this program.
const FIRST_PAUSE_MS = 1;
const LONGEST_PAUSE_MS = 5_000;

export interface KeptProgram {
  /** The program as it runs now. */
  readonly current: Program;
  /** Rejects when the very first start ended before it was ready. */
  readonly firstReady: Promise<unknown>;
  stop(graceMs: number): Promise<void>;
}

/** `start` is called for each life. */
export function keepRunning(
  name: string,
  start: () => Program,
  { log, clock = systemClock }: { log: Log; clock?: Clock },
): KeptProgram {
  const stopping = new AbortController();
  let current = start();
  const firstReady = current.ready;

  const watchOver = async () => {
    let pauseMs = 0;
    while (!stopping.signal.aborted) {
      const startedAt = clock.now();
      const { code, signal } = await current.exited;
      if (stopping.signal.aborted) return;
      pauseMs =
        clock.now() - startedAt > HEALTHY_AFTER_MS
          ? 0
          : Math.min(pauseMs * 2 || FIRST_PAUSE_MS, LONGEST_PAUSE_MS);
      log.warn(
        { program: name, pid: current.identity.pid, code, signal, pauseMs },
        "a program ended; starting it again",
      );
      await clock.sleep(pauseMs, stopping.signal);
      if (stopping.signal.aborted) return;
      try {
        current = start();
      } catch (error) {
        // The machine is out of processes or memory: the next round comes after a longer pause.
        log.error({ program: name, error: String(error) }, "a program could not be started");
      }
    }
  };
  const watching = watchOver();

  return {
    get current() {
      return current;
    },
    firstReady,
    async stop(graceMs) {
      stopping.abort();
      await endProgram(current, graceMs);
      await watching;
    },
  };
}

/** SIGTERM, `graceMs`, SIGKILL. A program that hangs in the stopped state is continued first, so that it can hear. */
export async function endProgram(program: Program, graceMs: number): Promise<void> {
  const { child, identity, exited } = program;
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill("SIGTERM");
  child.kill("SIGCONT");
  let late = true;
  const timer = new AbortController();
  await Promise.race([
    exited.then(() => {
      late = false;
    }),
    systemClock.sleep(graceMs, timer.signal),
  ]);
  timer.abort();
  if (late) await stopProcessGroup(identity, { graceMs: 0, exited });
}
