// The one source of time. Everything that waits or stamps takes a Clock, so that tests can hold time still.

/** Milliseconds since the epoch, and timers that an AbortSignal ends early. */
export interface Clock {
  now(): number;
  /** Runs `callback` once after `delayMs`; the returned function cancels it. The timer never keeps the process alive. */
  after(delayMs: number, callback: () => void): () => void;
  /** Resolves after `delayMs`, or at once (without error) when `signal` aborts. */
  sleep(delayMs: number, signal?: AbortSignal): Promise<void>;
}

// setTimeout fires at once for anything longer than a signed 32-bit count of milliseconds.
const LONGEST_TIMEOUT_MS = 2 ** 31 - 1;

export const systemClock: Clock = {
  now: () => Date.now(),
  after(delayMs, callback) {
    const timer = setTimeout(callback, Math.min(Math.max(delayMs, 0), LONGEST_TIMEOUT_MS));
    timer.unref();
    return () => clearTimeout(timer);
  },
  sleep(delayMs, signal) {
    return new Promise((resolve) => {
      if (signal?.aborted) return resolve();
      const done = () => {
        clearTimeout(timer);
        signal?.removeEventListener("abort", done);
        resolve();
      };
      const timer = setTimeout(done, Math.min(Math.max(delayMs, 0), LONGEST_TIMEOUT_MS));
      signal?.addEventListener("abort", done, { once: true });
    });
  },
};

/** RFC 3339 with whole seconds, as Kubernetes' Time is written: `2026-01-02T03:04:05Z`. */
export function timestamp(nowMs: number): string {
  return `${new Date(nowMs).toISOString().slice(0, 19)}Z`;
}

/** RFC 3339 with six decimals, as Kubernetes' MicroTime is written: `2026-01-02T03:04:05.678000Z`. */
export function microTimestamp(nowMs: number): string {
  return `${new Date(nowMs).toISOString().slice(0, 23)}000Z`;
}
