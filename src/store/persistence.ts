// What the store asks of durable storage, so that another one can take SQLite's place.

export interface StoredRow {
  readonly key: string;
  readonly revision: number;
  readonly json: string;
}

export interface Persistence {
  /** The last commit's revision is the largest of this and the rows' own: a commit counts here only what none of its rows tells. */
  readonly counter: number;
  rows(): Iterable<StoredRow>;
  /**
   * All or nothing: `undefined` removes the key. Throws StorageError and leaves everything as it was. What it took outlives this process,
   * however that ends.
   */
  commit(changes: ReadonlyMap<string, StoredRow | undefined>, revision: number): void;
  /**
   * Returns once what is committed outlives the machine as well. Throws StorageError: what of it is on the disk, only opening again tells.
   * Absent where nobody asked for that.
   */
  readonly sync?: () => void;
  /** Called when nobody waits: the time for work that would hold up a commit. */
  readonly tidy?: () => void;
  close(): void;
}
