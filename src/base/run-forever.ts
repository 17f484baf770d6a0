import { type Clock, systemClock } from "./clock.ts";
import type { Log } from "./log.ts";

// A loop that failed at once should not spin, and one that failed after a day should not wait long.
const FIRST_PAUSE_MS = 20;
const LONGEST_PAUSE_MS = 5_000;
const HEALTHY_AFTER_MS = 10_000;

/**
 * Runs `loop` again and again until `signal` aborts: reports each failure and restarts it after a growing
 * pause. Every background loop is owned by one call of this; the returned promise resolves when it has ended.
 */
export async function runForever(
  name: string,
  loop: (signal: AbortSignal) => Promise<void>,
  { log, clock = systemClock, signal }: { log: Log; clock?: Clock; signal: AbortSignal },
): Promise<void> {
  let pauseMs = 0;
  while (!signal.aborted) {
    const startedAt = clock.now();
    try {
      await loop(signal);
    } catch (error) {
      if (signal.aborted) return;
      log.warn(
        { loop: name, error: error instanceof Error ? error.message : String(error) },
        "loop failed; restarting",
      );
    }
    if (signal.aborted) return;
    const isNewStory = pauseMs === 0 || clock.now() - startedAt > HEALTHY_AFTER_MS;
    pauseMs = isNewStory ? FIRST_PAUSE_MS : Math.min(pauseMs * 2, LONGEST_PAUSE_MS);
    await clock.sleep(pauseMs, signal);
  }
}
