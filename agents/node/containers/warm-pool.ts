// Built-in container processes started ahead of need. The pool refills only after the node has been quiet for a moment:
// neither the cluster's start nor a burst of pods should share the processor with processes nobody asked for yet.
import type { Clock } from "../../../src/base/clock.ts";
import type { Log } from "../../../src/base/log.ts";
import { type EmptyContainer, type Spawner, startEmpty } from "./process.ts";

export interface WarmPool {
  /** A process that runs already, else a new one. */
  take(): EmptyContainer;
  stop(): void;
}

const QUIET_MS = 400;
// Between two refills, so that a refill never takes a whole core from the pods.
const BETWEEN_MS = 60;

export function createWarmPool(options: {
  size: number;
  spawner: Spawner;
  env: Readonly<Record<string, string>>;
  clock: Clock;
  log: Log;
}): WarmPool {
  const { size, spawner, env, clock, log } = options;
  const ready: EmptyContainer[] = [];
  let cancel = () => {};
  let stopped = false;

  const refill = () => {
    if (stopped || ready.length >= size) return;
    try {
      const empty = startEmpty(spawner, env);
      ready.push(empty);
      void empty.process.exited.then(() => {
        const at = ready.indexOf(empty);
        if (at >= 0) ready.splice(at, 1);
      });
    } catch (error) {
      log.warn({ error: String(error) }, "warm container not started");
    }
    cancel = clock.after(BETWEEN_MS, refill);
  };
  cancel = clock.after(QUIET_MS, refill);

  return {
    take() {
      cancel();
      if (!stopped) cancel = clock.after(QUIET_MS, refill);
      return ready.shift() ?? startEmpty(spawner, env);
    },
    stop() {
      stopped = true;
      cancel();
      for (const { process } of ready.splice(0)) process.signal("SIGKILL");
    },
  };
}
