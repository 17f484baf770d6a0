// The objects in memory: per bucket (the key up to its first "/") a map for get and an array in key order for list.
import type { Entry } from "./store.ts";

interface Bucket<T extends object> {
  readonly byKey: Map<string, Entry<T>>;
  readonly sorted: Entry<T>[];
}

/** The bucket that `key`, or a prefix that holds a whole bucket name, belongs to. Throws when it names none. */
export function bucketOf(key: string): string {
  const slash = key.indexOf("/");
  if (slash <= 0) throw new Error(`store key without a bucket: ${JSON.stringify(key)}`);
  return key.slice(0, slash);
}

export class Buckets<T extends object> {
  readonly #buckets = new Map<string, Bucket<T>>();

  get(key: string): Entry<T> | undefined {
    return this.#buckets.get(bucketOf(key))?.byKey.get(key);
  }

  put(entry: Entry<T>): void {
    const name = bucketOf(entry.key);
    let bucket = this.#buckets.get(name);
    if (!bucket) {
      bucket = { byKey: new Map(), sorted: [] };
      this.#buckets.set(name, bucket);
    }
    const at = lowerBound(bucket.sorted, entry.key);
    bucket.sorted.splice(at, bucket.byKey.has(entry.key) ? 1 : 0, entry);
    bucket.byKey.set(entry.key, entry);
  }

  remove(key: string): void {
    const bucket = this.#buckets.get(bucketOf(key));
    if (bucket?.byKey.delete(key)) bucket.sorted.splice(lowerBound(bucket.sorted, key), 1);
  }

  /** A copy: later writes do not show in it. */
  list(prefix: string): Entry<T>[] {
    const sorted = this.#buckets.get(bucketOf(prefix))?.sorted;
    if (!sorted) return [];
    const start = lowerBound(sorted, prefix);
    let end = start;
    if (prefix.indexOf("/") === prefix.length - 1) end = sorted.length;
    else while (end < sorted.length && sorted[end]!.key.startsWith(prefix)) end += 1;
    return sorted.slice(start, end);
  }
}

/** Index of the first entry whose key is not before `key`. */
function lowerBound(sorted: readonly { readonly key: string }[], key: string): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (sorted[middle]!.key < key) low = middle + 1;
    else high = middle;
  }
  return low;
}
