// Built-in container processes started ahead of need: for a pod that is on its way while the rest of it is seen to, and for any other once
// the cluster has started and its node has been quiet for a moment. Neither a start nor a burst of pods should share the processor with
// processes nobody asked for yet.
import type { Clock } from "../../../src/base/clock.ts";
import type { Log } from "../../../src/base/log.ts";
import type { EmptyContainer } from "./process.ts";

export interface WarmPool {
  /** A process that runs already, else a new one. */
  take(): EmptyContainer;
  /** One will be taken in a moment: where there is room in the pool, it boots meanwhile. */
  expect(): void;
  stop(): void;
}

const QUIET_MS = 400;
// Between two refills, so that a refill never takes a whole core from the pods.
const BETWEEN_MS = 60;

/** `start` makes one of them; none is made ahead in the first `afterMs`. */
export function createWarmPool(options: {
  size: number;
  afterMs: number;
  start: () => EmptyContainer;
  clock: Clock;
  log: Log;
}): WarmPool {
  const { size, afterMs, start, clock, log } = options;
  const ready: EmptyContainer[] = [];
  let started = false;
  let stopped = false;

  const add = () => {
    try {
      const empty = start();
      ready.push(empty);
      void empty.process.exited.then(() => {
        const at = ready.indexOf(empty);
        if (at >= 0) ready.splice(at, 1);
      });
    } catch (error) {
      log.warn({ error: String(error) }, "warm container not started");
    }
  };
  const refill = () => {
    if (stopped || ready.length >= size) return;
    add();
    cancel = clock.after(BETWEEN_MS, refill);
  };
  const refillWhenQuiet = () => {
    cancel();
    cancel = clock.after(QUIET_MS, refill);
  };
  // Whatever is taken meanwhile does not put this off: a container that is restarted again and again would keep the pool empty.
  let cancel = clock.after(afterMs, () => {
    started = true;
    refillWhenQuiet();
  });

  return {
    take() {
      if (started && !stopped) refillWhenQuiet();
      return ready.shift() ?? start();
    },
    expect() {
      // Never more than the pool holds anyway: what is not taken after all is a spare one.
      if (!stopped && ready.length < size) add();
    },
    stop() {
      stopped = true;
      cancel();
      for (const { process } of ready.splice(0)) process.signal("SIGKILL");
    },
  };
}
