// How long a node's failed pod is let alone before it is replaced: an agent that refuses a pod would otherwise be asked without end.
import type { Clock } from "../../base/clock.ts";

export interface FailedBackoff {
  /** 0: it may be replaced now. */
  leftMs(key: string): number;
  /** It was replaced: the next one waits, twice as long as this one did. */
  count(key: string): void;
}

export function createFailedBackoff(
  clock: Clock,
  { firstMs, maxMs }: { firstMs: number; maxMs: number },
): FailedBackoff {
  const known = new Map<string, { waitMs: number; atMs: number }>();
  return {
    leftMs(key) {
      const entry = known.get(key);
      return entry ? Math.max(0, entry.atMs + entry.waitMs - clock.now()) : 0;
    },
    count(key) {
      const nowMs = clock.now();
      for (const [other, { atMs }] of known) if (nowMs - atMs > 2 * maxMs) known.delete(other);
      const before = known.get(key);
      known.set(key, { waitMs: before ? Math.min(before.waitMs * 2, maxMs) : firstMs, atMs: nowMs });
    },
  };
}
