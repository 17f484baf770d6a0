// The contract of the store: revisioned keys, watch from any retained revision. It knows keys (`bucket/rest`) and
// frozen objects, no kinds. Invariants: nobody reads, lists or watches a write that could be lost with this process, and nobody is told of
// the outcome of a write that could be lost with the machine. Unlike Kubernetes: there nobody sees the latter either
// (docs/decisions/0009-seen-before-flushed.md).

/** One stored object. `object` is deep-frozen, `json` its serialized form; both carry what the change function put in. */
export interface Entry<T extends object = object> {
  readonly key: string;
  readonly object: T;
  readonly json: string;
  /** The revision of the write that made it. */
  readonly revision: number;
}

/** One write, as watchers see it. For DELETED `entry` is the final state, with the deletion's revision. */
export interface StoreEvent<T extends object = object> {
  readonly type: "ADDED" | "MODIFIED" | "DELETED";
  readonly revision: number;
  readonly entry: Entry<T>;
  readonly previous: Entry<T> | undefined;
}

/** What a write does: put an object in place, remove it (leaving a final state for watchers), or nothing. */
export type Change<T extends object = object> = { readonly put: T } | { readonly remove: T } | undefined;

/**
 * Decides a write against the newest state. Runs synchronously, exactly once, alone: no compare-and-set loop is needed.
 * `revision` is the one this write gets if it changes anything. Whatever it throws refuses this write only.
 */
export type ChangeFunction<T extends object = object> = (
  current: Entry<T> | undefined,
  revision: number,
  read: (key: string) => Entry<T> | undefined,
) => Change<T>;

export interface Written<T extends object = object> {
  /** The state after the write; after a removal the final state; undefined when there is none. */
  readonly entry: Entry<T> | undefined;
  readonly previous: Entry<T> | undefined;
  readonly effect: "put" | "remove" | "none";
}

export interface Store<T extends object = object> {
  /** The newest committed revision. Grows by one with each write, never goes back, survives restarts. */
  readonly revision: number;
  /** Watches and lists can go back to the state after this revision. */
  readonly oldestRevision: number;
  get(key: string): Entry<T> | undefined;
  /**
   * All entries whose key starts with `prefix` (which names a whole bucket at least: `pods/`), in the order of their keys; as
   * they were at revision `at` where given. Throws ExpiredError when `at` is no longer retained.
   */
  list(prefix: string, at?: number): readonly Entry<T>[];
  /** Resolves once durable and visible; rejects with what `change` threw, or with StorageError when the disk refused. */
  write(key: string, change: ChangeFunction<T>): Promise<Written<T>>;
  /**
   * Calls `listener` for every write below `prefix` after revision `from`, in order, without gap or duplicate: retained ones at
   * once, later ones synchronously after their commit. Returns the way to stop. Throws ExpiredError when `from` is too old
   * or lies in the future.
   */
  watch(prefix: string, from: number, listener: (event: StoreEvent<T>) => void): () => void;
  /** Commits what is queued and closes the database. Later writes are refused. */
  close(): Promise<void>;
}

/** The revision asked for is not retained. */
export class ExpiredError extends Error {
  constructor(wanted: number, oldest: number) {
    super(`too old resource version: ${wanted} (${oldest})`);
    this.name = "ExpiredError";
  }
}

/** The database could not be opened or written; the message names it and says why. */
export class StorageError extends Error {
  /** True when there was no room: the write may be tried again once there is. */
  readonly full: boolean;

  constructor(message: string, options: ErrorOptions & { full?: boolean } = {}) {
    super(message, options);
    this.name = "StorageError";
    this.full = options.full ?? false;
  }
}
