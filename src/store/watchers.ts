// Who is told of writes. Listeners are called synchronously, in the order of the writes, never for the same one twice.
import { bucketOf } from "./buckets.ts";
import type { StoreEvent } from "./store.ts";

interface Watcher<T extends object> {
  readonly prefix: string;
  readonly listener: (event: StoreEvent<T>) => void;
  /** The last revision it has been told of. */
  seen: number;
}

export class Watchers<T extends object> {
  readonly #byBucket = new Map<string, Set<Watcher<T>>>();

  /** From now on: `seen` is the revision up to which the listener knows. */
  add(prefix: string, seen: number, listener: (event: StoreEvent<T>) => void): () => void {
    const bucket = bucketOf(prefix);
    const watcher: Watcher<T> = { prefix, listener, seen };
    const set = this.#byBucket.get(bucket) ?? new Set();
    this.#byBucket.set(bucket, set.add(watcher));
    return () => {
      set.delete(watcher);
    };
  }

  notify(event: StoreEvent<T>): void {
    const set = this.#byBucket.get(bucketOf(event.entry.key));
    if (!set) return;
    for (const watcher of set) {
      // One added by a listener of this very event has replayed it already.
      if (event.revision <= watcher.seen) continue;
      watcher.seen = event.revision;
      if (event.entry.key.startsWith(watcher.prefix)) watcher.listener(event);
    }
  }
}
