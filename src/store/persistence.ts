// What the store asks of durable storage, so that another one can take SQLite's place.

export interface StoredRow {
  readonly key: string;
  readonly revision: number;
  readonly json: string;
}

export interface Persistence {
  /** The revision of the last commit. */
  readonly revision: number;
  rows(): Iterable<StoredRow>;
  /** All or nothing: `undefined` removes the key. Throws StorageError and leaves everything as it was. */
  commit(changes: ReadonlyMap<string, StoredRow | undefined>, revision: number): void;
  close(): void;
}
