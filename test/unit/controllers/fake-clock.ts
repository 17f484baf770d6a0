import type { Clock } from "../../../src/base/clock.ts";

/** A clock that stands still until it is told to move. Timers fire in the order of their time. */
export interface FakeClock extends Clock {
  advance(ms: number): void;
  /** Moves on without firing timers on the way, as a machine that slept: they all fire late, at the end. */
  jump(ms: number): void;
}

export function createFakeClock(startMs = Date.UTC(2026, 0, 2, 3, 4, 5)): FakeClock {
  let nowMs = startMs;
  const timers = new Set<{ at: number; callback: () => void }>();
  const fireUntil = (endMs: number, move: boolean) => {
    for (;;) {
      const due = [...timers].filter(({ at }) => at <= endMs).sort((a, b) => a.at - b.at)[0];
      if (!due) return;
      timers.delete(due);
      if (move) nowMs = Math.max(nowMs, due.at);
      due.callback();
    }
  };
  const after: Clock["after"] = (delayMs, callback) => {
    const timer = { at: nowMs + Math.max(delayMs, 0), callback };
    timers.add(timer);
    return () => timers.delete(timer);
  };
  return {
    now: () => nowMs,
    after,
    sleep: (delayMs, signal) =>
      new Promise((resolve) => {
        const cancel = after(delayMs, resolve);
        signal?.addEventListener("abort", () => {
          cancel();
          resolve();
        });
      }),
    advance(ms) {
      const endMs = nowMs + ms;
      fireUntil(endMs, true);
      nowMs = endMs;
    },
    jump(ms) {
      nowMs += ms;
      fireUntil(nowMs, false);
    },
  };
}
