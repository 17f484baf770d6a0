// Durable storage in one SQLite file with a write-ahead log (WAL). A commit writes to the log; a flush of the log makes all commits before it
// durable. Holds the file's exclusive lock from open to close (the kernel lets go of it when the process dies), so that no two processes ever
// write one database.
import { closeSync, fdatasyncSync, openSync } from "node:fs";
import type { DatabaseSyncInstance as DatabaseSync } from "@photostructure/sqlite";
import type { Persistence, StoredRow } from "./persistence.ts";
import { StorageError } from "./store.ts";

// Written to the file; one that says more was written by a newer kubemu and is left alone. In version 1 the counter was written by every commit.
const SCHEMA_VERSION = 2;
// "kubm": tells this file from another program's.
const APPLICATION_ID = 0x6b75626d;

const SQLITE_BUSY = 5;
const SQLITE_FULL = 13;
const SQLITE_NOTADB = 26;
// SQLITE_IOERR_WRITE and SQLITE_IOERR_FSYNC are what some file systems say in place of FULL when quota is used up.
const NO_ROOM: ReadonlySet<unknown> = new Set([SQLITE_FULL]);

// VACUUM rewrites the whole file: worth it only when at least this much, and a quarter of it, is free pages.
const COMPACT_PAGES = 2_000;

// SQLite's own measure for a checkpoint, 4 MB of log. It takes some milliseconds, so it is done when nobody waits for a commit, and by a
// commit only once the log is four times as long.
const CHECKPOINT_PAGES = 1_000;
const CHECKPOINT_PAGES_AT_LAST = 4_000;
const PAGE_BYTES = 4_096;
// The row's page, its key's in the index, and where one of them is full a new one and the file's first.
const PAGES_OF_A_ROW = 4;

/** Opens or makes the database at `path`. `durable: false` leaves flushing to the operating system (it still outlives a SIGKILL). */
export async function openSqlite(path: string, { durable }: { durable: boolean }): Promise<Persistence> {
  const { DatabaseSync } = await loadSqlite();
  let database: DatabaseSync | undefined;
  try {
    database = new DatabaseSync(path);
    prepare(database, path, durable);
    return sqlitePersistence(database, path, durable);
  } catch (error) {
    try {
      database?.close();
    } catch {
      // The first error is the one that says something.
    }
    throw error instanceof StorageError ? error : openError(path, error);
  }
}

async function loadSqlite(): Promise<typeof import("@photostructure/sqlite")> {
  // node:sqlite needs no flag from 22.13 on; getBuiltinModule came in 22.3 and 20.16.
  const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
  if (major > 22 || (major === 22 && minor >= 13)) {
    const builtin: unknown = process.getBuiltinModule("node:sqlite" as "node:module");
    if (builtin) return builtin as typeof import("@photostructure/sqlite");
  }
  return import("@photostructure/sqlite");
}

function prepare(database: DatabaseSync, path: string, durable: boolean): void {
  database.exec("PRAGMA locking_mode = EXCLUSIVE");
  database.exec("PRAGMA journal_mode = WAL");
  // NORMAL: SQLite flushes around checkpoints, so that the file is whole whatever happens; commits are flushed by sync().
  database.exec(`PRAGMA synchronous = ${durable ? "NORMAL" : "OFF"}`);
  if (durable) database.exec(`PRAGMA wal_autocheckpoint = ${CHECKPOINT_PAGES_AT_LAST}`);
  // The exclusive lock is taken by the first write transaction and kept.
  database.exec("BEGIN EXCLUSIVE");
  const version = Number(pragma(database, "user_version"));
  const application = Number(pragma(database, "application_id"));
  if (version > SCHEMA_VERSION)
    throw new StorageError(
      `database ${path} was written by a newer kubemu (schema version ${version}, this one knows ${SCHEMA_VERSION})`,
    );
  const tables = Number(database.prepare("SELECT count(*) AS n FROM sqlite_schema").get()?.["n"]);
  if (tables > 0 && application !== APPLICATION_ID)
    throw new StorageError(`database ${path} was not written by kubemu`);
  if (tables === 0) createTables(database);
  if (version < SCHEMA_VERSION) database.exec(`PRAGMA user_version = ${SCHEMA_VERSION}`);
  database.exec("COMMIT");
  const free = Number(pragma(database, "freelist_count"));
  if (free > COMPACT_PAGES && free > Number(pragma(database, "page_count")) / 4) database.exec("VACUUM");
}

function createTables(database: DatabaseSync): void {
  database.exec("CREATE TABLE objects (key TEXT PRIMARY KEY, revision INTEGER NOT NULL, json TEXT NOT NULL)");
  database.exec("CREATE TABLE counter (revision INTEGER NOT NULL)");
  database.exec("INSERT INTO counter VALUES (0)");
  database.exec(`PRAGMA application_id = ${APPLICATION_ID}`);
}

function pragma(database: DatabaseSync, name: string): unknown {
  return Object.values(database.prepare(`PRAGMA ${name}`).get() ?? {})[0];
}

function sqlitePersistence(database: DatabaseSync, path: string, durable: boolean): Persistence {
  // The log stays one file for as long as the database is open.
  const log = durable ? openSync(`${path}-wal`, "r+") : undefined;
  // What a killed process committed and could not flush counts from now on.
  if (log !== undefined) fdatasyncSync(log);
  // Rows keep their place: objects are longer than what an index page holds inline.
  const put = database.prepare(
    "INSERT INTO objects (key, revision, json) VALUES (?, ?, ?) ON CONFLICT (key) DO UPDATE SET revision = excluded.revision, json = excluded.json",
  );
  const remove = database.prepare("DELETE FROM objects WHERE key = ?");
  const count = database.prepare("UPDATE counter SET revision = ?");
  let pages = 0;
  return {
    counter: Number(database.prepare("SELECT revision FROM counter").get()?.["revision"]),
    rows: () =>
      database
        .prepare("SELECT key, revision, json FROM objects ORDER BY key")
        .iterate() as Iterable<StoredRow>,
    commit(changes, revision) {
      try {
        database.exec("BEGIN");
        let isCounted = false;
        for (const [key, row] of changes) {
          pages += PAGES_OF_A_ROW + Math.floor((row?.json.length ?? 0) / PAGE_BYTES);
          if (row) put.run(key, row.revision, row.json);
          else remove.run(key);
          isCounted ||= row?.revision === revision;
        }
        // One page less to write: the newest row tells the revision, unless the newest write was a removal.
        if (!isCounted) count.run(revision);
        database.exec("COMMIT");
      } catch (error) {
        rollback(database);
        throw commitError(path, error);
      }
    },
    ...(log !== undefined && {
      sync() {
        try {
          fdatasyncSync(log);
        } catch (error) {
          throw new StorageError(`flushing database ${path}: ${messageOf(error)}`, { cause: error });
        }
      },
      tidy() {
        if (pages < CHECKPOINT_PAGES) return;
        pages = 0;
        try {
          database.exec("PRAGMA wal_checkpoint(PASSIVE)");
        } catch {
          // No room in the file: all of it is in the log still.
        }
      },
    }),
    close() {
      if (log !== undefined) closeSync(log);
      try {
        letGo(database);
      } finally {
        database.close();
      }
    },
  };
}

/**
 * Writes the log back into the file and drops the lock. Closing alone would do, but @photostructure/sqlite keeps a connection
 * alive until its prepared statements are collected.
 */
function letGo(database: DatabaseSync): void {
  rollback(database);
  database.exec("PRAGMA journal_mode = DELETE");
  database.exec("PRAGMA locking_mode = NORMAL");
  // The lock goes with the next access.
  database.exec("SELECT count(*) FROM sqlite_schema");
}

function rollback(database: DatabaseSync): void {
  try {
    database.exec("ROLLBACK");
  } catch {
    // SQLite has already rolled back by itself: it does so on SQLITE_FULL and SQLITE_IOERR.
  }
}

const errcodeOf = (error: unknown): unknown =>
  error instanceof Error && "errcode" in error ? Number(error.errcode) & 0xff : undefined;
const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

function openError(path: string, cause: unknown): StorageError {
  const code = errcodeOf(cause);
  if (code === SQLITE_BUSY)
    return new StorageError(`database ${path} is in use by another process`, { cause });
  if (code === SQLITE_NOTADB) return new StorageError(`${path} is not a database`, { cause });
  return new StorageError(`opening database ${path}: ${messageOf(cause)}`, {
    cause,
    full: NO_ROOM.has(code),
  });
}

function commitError(path: string, cause: unknown): StorageError {
  return new StorageError(`writing database ${path}: ${messageOf(cause)}`, {
    cause,
    full: NO_ROOM.has(errcodeOf(cause)),
  });
}
