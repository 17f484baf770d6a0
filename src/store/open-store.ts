// The store's engine: queues writes, decides and commits them in groups, then applies and announces them. All objects
// stand in memory; the database is read once, at open.
import { Buckets, bucketOf } from "./buckets.ts";
import { deepFreeze } from "./freeze.ts";
import { History, type HistoryLimits } from "./history.ts";
import type { Persistence } from "./persistence.ts";
import type { ChangeFunction, Entry, Store, StoreEvent, Written } from "./store.ts";
import { StorageError } from "./store.ts";
import { Watchers } from "./watchers.ts";

export interface StoreOptions {
  /** The database file; its folder must exist. */
  readonly path: string;
  /** Default true: every write is on the disk before it is acknowledged. False: it survives a killed process, not a killed machine. */
  readonly durable?: boolean;
  readonly history?: HistoryLimits;
  /** Told of a watch listener that threw; the others are served on. */
  readonly onListenerError?: (error: unknown) => void;
}

/** Opens the store. Throws StorageError: in use by another process, written by a newer version, not a database, no room. */
export async function openStore<T extends object = object>(options: StoreOptions): Promise<Store<T>> {
  const { openSqlite } = await import("./sqlite.ts");
  return createStore<T>(await openSqlite(options.path, { durable: options.durable ?? true }), options);
}

interface Queued<T extends object> {
  readonly key: string;
  readonly change: ChangeFunction<T>;
  readonly resolve: (written: Written<T>) => void;
  readonly reject: (error: unknown) => void;
}

/** A store over any persistence. */
export function createStore<T extends object = object>(
  persistence: Persistence,
  options: Pick<StoreOptions, "history" | "onListenerError"> = {},
): Store<T> {
  return new MemoryStore<T>(persistence, options);
}

class MemoryStore<T extends object> implements Store<T> {
  readonly #persistence: Persistence;
  readonly #onListenerError: (error: unknown) => void;
  readonly #buckets = new Buckets<T>();
  readonly #history: History<T>;
  readonly #watchers = new Watchers<T>();
  #revision: number;
  #queue: Queued<T>[] = [];
  #scheduled: NodeJS.Immediate | undefined;
  #closed = false;

  constructor(persistence: Persistence, options: Pick<StoreOptions, "history" | "onListenerError">) {
    this.#persistence = persistence;
    this.#onListenerError = options.onListenerError ?? (() => {});
    this.#revision = persistence.revision;
    this.#history = new History(this.#revision, options.history);
    for (const { key, revision, json } of persistence.rows())
      this.#buckets.put({ key, revision, json, object: deepFreeze(JSON.parse(json) as T) });
  }

  get revision(): number {
    return this.#revision;
  }

  get oldestRevision(): number {
    return this.#history.oldest;
  }

  get(key: string): Entry<T> | undefined {
    return this.#buckets.get(key);
  }

  list(prefix: string, at?: number): readonly Entry<T>[] {
    const entries = this.#buckets.list(prefix);
    return at === undefined || at === this.#revision ? entries : this.#history.rewind(entries, prefix, at);
  }

  write(key: string, change: ChangeFunction<T>): Promise<Written<T>> {
    bucketOf(key);
    return new Promise((resolve, reject) => {
      if (this.#closed) return reject(new StorageError("the store is closed"));
      this.#queue.push({ key, change, resolve, reject });
      // After all that is ready to run now: everything that arrives in one turn of the event loop shares one commit.
      this.#scheduled ??= setImmediate(() => this.#flush());
    });
  }

  watch(prefix: string, from: number, listener: (event: StoreEvent<T>) => void): () => void {
    const guarded = (event: StoreEvent<T>) => {
      try {
        listener(event);
      } catch (error) {
        this.#onListenerError(error);
      }
    };
    for (const event of this.#history.after(from)) if (event.entry.key.startsWith(prefix)) guarded(event);
    return this.#watchers.add(prefix, this.#revision, guarded);
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#flush();
    this.#closed = true;
    this.#persistence.close();
  }

  #flush(): void {
    clearImmediate(this.#scheduled);
    this.#scheduled = undefined;
    const batch = this.#queue;
    if (batch.length === 0) return;
    this.#queue = [];
    const plan = this.#plan(batch);
    if (plan.events.length > 0) {
      try {
        this.#persistence.commit(plan.staged, this.#revision + plan.events.length);
      } catch (error) {
        // A refusal may rest on a write of the same batch that now never was: all of it is rejected alike.
        for (const { reject } of batch) reject(error);
        return;
      }
    }
    for (const event of plan.events) this.#apply(event);
    for (const settle of plan.settle) settle();
  }

  /** Runs the change functions one by one, each seeing what those before it decided. */
  #plan(batch: readonly Queued<T>[]) {
    const staged = new Map<string, Entry<T> | undefined>();
    const events: StoreEvent<T>[] = [];
    const settle: (() => void)[] = [];
    const read = (key: string) => (staged.has(key) ? staged.get(key) : this.#buckets.get(key));
    for (const { key, change, resolve, reject } of batch) {
      try {
        const previous = read(key);
        const revision = this.#revision + events.length + 1;
        const decided = change(previous, revision, read);
        if (!decided) {
          settle.push(() => resolve({ entry: previous, previous, effect: "none" }));
          continue;
        }
        const removed = "remove" in decided;
        const object = deepFreeze(removed ? decided.remove : decided.put);
        const entry = { key, object, json: JSON.stringify(object), revision };
        staged.set(key, removed ? undefined : entry);
        events.push({
          type: removed ? "DELETED" : previous ? "MODIFIED" : "ADDED",
          revision,
          entry,
          previous,
        });
        settle.push(() => resolve({ entry, previous, effect: removed ? "remove" : "put" }));
      } catch (error) {
        settle.push(() => reject(error));
      }
    }
    return { staged, events, settle };
  }

  #apply(event: StoreEvent<T>): void {
    if (event.type === "DELETED") this.#buckets.remove(event.entry.key);
    else this.#buckets.put(event.entry);
    this.#revision = event.revision;
    this.#history.add(event);
    this.#watchers.notify(event);
  }
}
