// Keys waiting for work, as client-go's work queue keeps them: a key is queued at most once, is never handed out twice
// at once, and a key that is added while it is worked on comes again after `done`. Owns its timers; knows no objects.
import type { Clock } from "../base/clock.ts";

export interface WorkQueue {
  add(key: string): void;
  /** Adds after `delayMs`; of several, the earliest counts. */
  addAfter(key: string, delayMs: number): void;
  /** Adds after a delay that doubles with each call for the key until `forget`. */
  addRateLimited(key: string): void;
  /** The key's back-off starts anew. */
  forget(key: string): void;
  /** The next key, or undefined once `signal` aborts or the queue stops. The taker must call `done`. */
  get(signal?: AbortSignal): Promise<string | undefined>;
  done(key: string): void;
  readonly size: number;
  stop(): void;
}

export interface WorkQueueOptions {
  readonly clock: Clock;
  /** First delay of a key's back-off, and its ceiling. */
  readonly firstMs: number;
  readonly maxMs: number;
}

interface Delayed {
  readonly dueAt: number;
  readonly cancel: () => void;
}

export function createWorkQueue({ clock, firstMs, maxMs }: WorkQueueOptions): WorkQueue {
  const ready = new Set<string>();
  const working = new Set<string>();
  const again = new Set<string>();
  const failures = new Map<string, number>();
  const delayed = new Map<string, Delayed>();
  const takers = new Set<(key: string | undefined) => void>();
  let stopped = false;

  const handOut = (key: string, taker: (key: string | undefined) => void) => {
    working.add(key);
    takers.delete(taker);
    taker(key);
  };
  const add = (key: string) => {
    if (stopped) return;
    if (working.has(key)) {
      again.add(key);
      return;
    }
    if (ready.has(key)) return;
    const [taker] = takers;
    if (taker) handOut(key, taker);
    else ready.add(key);
  };
  const addAfter = (key: string, delayMs: number) => {
    if (stopped) return;
    if (delayMs <= 0) return add(key);
    const dueAt = clock.now() + delayMs;
    const earlier = delayed.get(key);
    if (earlier && earlier.dueAt <= dueAt) return;
    earlier?.cancel();
    const cancel = clock.after(delayMs, () => {
      delayed.delete(key);
      add(key);
    });
    delayed.set(key, { dueAt, cancel });
  };

  return {
    add,
    addAfter,
    addRateLimited(key) {
      const failed = failures.get(key) ?? 0;
      failures.set(key, failed + 1);
      addAfter(key, Math.min(firstMs * 2 ** failed, maxMs));
    },
    forget(key) {
      failures.delete(key);
    },
    get(signal) {
      return new Promise((resolve) => {
        if (stopped || signal?.aborted) return resolve(undefined);
        const [key] = ready;
        if (key !== undefined) {
          ready.delete(key);
          working.add(key);
          return resolve(key);
        }
        const taker = (taken: string | undefined) => {
          signal?.removeEventListener("abort", giveUp);
          resolve(taken);
        };
        const giveUp = () => {
          takers.delete(taker);
          resolve(undefined);
        };
        takers.add(taker);
        signal?.addEventListener("abort", giveUp, { once: true });
      });
    },
    done(key) {
      working.delete(key);
      if (again.delete(key)) add(key);
    },
    get size() {
      return ready.size;
    },
    stop() {
      stopped = true;
      for (const { cancel } of delayed.values()) cancel();
      delayed.clear();
      ready.clear();
      again.clear();
      for (const taker of [...takers]) {
        takers.delete(taker);
        taker(undefined);
      }
    },
  };
}
