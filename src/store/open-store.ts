// The store's engine: queues writes, decides and commits them in groups, applies and announces them, and answers their writers once the
// disk has them. All objects stand in memory; the database is read once, at open.
import { Buckets, bucketOf } from "./buckets.ts";
import { deepFreeze } from "./freeze.ts";
import { History, type HistoryLimits } from "./history.ts";
import type { Persistence } from "./persistence.ts";
import type { ChangeFunction, Entry, Store, StoreEvent, Written } from "./store.ts";
import { StorageError } from "./store.ts";
import { Watchers } from "./watchers.ts";

export interface StoreOptions extends EngineOptions {
  /** The database file; its folder must exist. */
  readonly path: string;
  /** Default true: every write is on the disk before it is acknowledged. False: it survives a killed process, not a killed machine. */
  readonly durable?: boolean;
}

interface EngineOptions {
  readonly history?: HistoryLimits;
  /** Told of a watch listener that threw; the others are served on. */
  readonly onListenerError?: (error: unknown) => void;
  /**
   * The disk did not confirm writes that others have seen (StorageError). Their writers are told, and no write is taken any more: opening
   * again tells what is stored.
   */
  readonly onDiskLost?: (error: unknown) => void;
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

/** What a write is told once its batch is settled. */
interface Answer {
  readonly give: () => void;
  readonly reject: (error: unknown) => void;
}

/** A store over any persistence. */
export function createStore<T extends object = object>(
  persistence: Persistence,
  options: EngineOptions = {},
): Store<T> {
  return new MemoryStore<T>(persistence, options);
}

class MemoryStore<T extends object> implements Store<T> {
  readonly #persistence: Persistence;
  readonly #onListenerError: (error: unknown) => void;
  readonly #onDiskLost: (error: unknown) => void;
  readonly #buckets = new Buckets<T>();
  readonly #history: History<T>;
  readonly #watchers = new Watchers<T>();
  #revision: number;
  #queue: Queued<T>[] = [];
  /** Whose writes are committed and not yet known to be on the disk. */
  #unanswered: Answer[] = [];
  /** Why no write is taken any more. */
  #ended: unknown;

  constructor(persistence: Persistence, options: EngineOptions) {
    this.#persistence = persistence;
    this.#onListenerError = options.onListenerError ?? (() => {});
    this.#onDiskLost = options.onDiskLost ?? (() => {});
    this.#revision = persistence.counter;
    for (const { key, revision, json } of persistence.rows()) {
      this.#buckets.put({ key, revision, json, object: deepFreeze(JSON.parse(json) as T) });
      this.#revision = Math.max(this.#revision, revision);
    }
    this.#history = new History(this.#revision, options.history);
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
      if (this.#ended) return reject(this.#ended);
      // After all that is ready to run now: everything that arrives in one turn of the event loop shares one commit.
      if (this.#queue.length === 0) setImmediate(() => this.#commit());
      this.#queue.push({ key, change, resolve, reject });
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
    if (this.#ended) return;
    this.#commit();
    this.#flush();
    this.#end(new StorageError("the store is closed"));
    this.#persistence.close();
  }

  #commit(): void {
    const batch = this.#queue;
    // The store has ended, or close() was faster.
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
    this.#answer(plan.answers, plan.events.length > 0);
  }

  /**
   * At once, or after the next flush where something is to be flushed. That goes for every answer: one that changed nothing, or was refused, may
   * rest on a write that is not on the disk.
   */
  #answer(answers: readonly Answer[], wrote: boolean): void {
    const isPending = this.#unanswered.length > 0;
    if (!this.#persistence.sync || (!wrote && !isPending)) {
      for (const { give } of answers) give();
      return;
    }
    // In the next turn: by then whoever watches has been sent what is new, and the disk holds up only those who asked for it.
    if (!isPending) setImmediate(() => this.#flush());
    this.#unanswered.push(...answers);
  }

  #flush(): void {
    const answers = this.#unanswered;
    if (answers.length === 0) return;
    this.#unanswered = [];
    try {
      this.#persistence.sync?.();
    } catch (error) {
      this.#fail(error, answers);
      return;
    }
    for (const { give } of answers) give();
    setImmediate(() => {
      if (this.#queue.length === 0 && this.#unanswered.length === 0 && !this.#ended)
        this.#persistence.tidy?.();
    });
  }

  /** The disk did not take what is committed here: what is true now, only a new start can read. */
  #fail(error: unknown, answers: readonly Answer[]): void {
    for (const { reject } of answers) reject(error);
    this.#end(error);
    this.#onDiskLost(error);
  }

  /** From here on no write is taken, nor one that waits to be decided. */
  #end(why: unknown): void {
    this.#ended ??= why;
    for (const { reject } of this.#queue.splice(0)) reject(this.#ended);
  }

  /** Runs the change functions one by one, each seeing what those before it decided. */
  #plan(batch: readonly Queued<T>[]) {
    const staged = new Map<string, Entry<T> | undefined>();
    const events: StoreEvent<T>[] = [];
    const answers: Answer[] = [];
    const read = (key: string) => (staged.has(key) ? staged.get(key) : this.#buckets.get(key));
    for (const { key, change, resolve, reject } of batch) {
      try {
        const previous = read(key);
        const revision = this.#revision + events.length + 1;
        const decided = change(previous, revision, read);
        if (!decided) {
          answers.push({ give: () => resolve({ entry: previous, previous, effect: "none" }), reject });
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
        answers.push({
          give: () => resolve({ entry, previous, effect: removed ? "remove" : "put" }),
          reject,
        });
      } catch (error) {
        answers.push({ give: () => reject(error), reject });
      }
    }
    return { staged, events, answers };
  }

  #apply(event: StoreEvent<T>): void {
    if (event.type === "DELETED") this.#buckets.remove(event.entry.key);
    else this.#buckets.put(event.entry);
    this.#revision = event.revision;
    this.#history.add(event);
    this.#watchers.notify(event);
  }
}
