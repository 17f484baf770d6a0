import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterEach, describe, expect, test } from "vitest";
import { createStore, openStore } from "../../../src/store/open-store.ts";
import type { Persistence, StoredRow } from "../../../src/store/persistence.ts";
import { ExpiredError, StorageError, type Store, type StoreEvent } from "../../../src/store/store.ts";

interface Thing {
  value: number;
}

/** Keeps rows in memory and refuses to commit while `broken`. */
function memoryPersistence() {
  const rows = new Map<string, StoredRow>();
  const state = { broken: false, commits: 0, revision: 0 };
  const persistence: Persistence = {
    counter: 0,
    rows: () => rows.values(),
    commit(changes, revision) {
      if (state.broken)
        throw new StorageError("writing database test: database or disk is full", { full: true });
      state.commits += 1;
      state.revision = revision;
      for (const [key, row] of changes) {
        if (row) rows.set(key, row);
        else rows.delete(key);
      }
    },
    close() {},
  };
  return { persistence, state, rows };
}

/** The same, on a disk: how far it has what is committed, and `flush` runs when it is asked to take it. */
function memoryDisk(flush: () => void = () => {}) {
  const { persistence, state } = memoryPersistence();
  const disk = { flushed: 0, flushes: 0, tidied: 0 };
  const onDisk: Persistence = {
    ...persistence,
    sync: () => {
      flush();
      disk.flushes += 1;
      disk.flushed = state.revision;
    },
    tidy: () => {
      disk.tidied += 1;
    },
  };
  return { persistence: onDisk, disk };
}

/** Everything that is ready by now has run. */
const turn = () => new Promise((resolve) => setImmediate(resolve));

const put = (store: Store<Thing>, key: string, value: number) => store.write(key, () => ({ put: { value } }));
const remove = (store: Store<Thing>, key: string) =>
  store.write(key, (current) => (current ? { remove: { value: current.object.value } } : undefined));
const keysOf = (entries: readonly { key: string }[]) => entries.map(({ key }) => key);
const told = (event: StoreEvent<Thing>) => `${event.revision} ${event.type} ${event.entry.key}`;

const folders: string[] = [];
const scratch = () => {
  const folder = mkdtempSync(join(tmpdir(), "kubemu-store-"));
  folders.push(folder);
  return folder;
};
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

describe("writes", () => {
  test("each write that changes something gets the next revision", async () => {
    const store = createStore<Thing>(memoryPersistence().persistence);
    const first = await put(store, "a/1", 1);
    const same = await store.write("a/1", () => undefined);
    const second = await put(store, "a/1", 2);
    expect([first.entry?.revision, same.entry?.revision, second.entry?.revision]).toEqual([1, 1, 2]);
    expect([first.effect, same.effect]).toEqual(["put", "none"]);
    expect(store.revision).toBe(2);
  });

  test("writes of one turn share a commit, and each sees those before it", async () => {
    const { persistence, state } = memoryPersistence();
    const store = createStore<Thing>(persistence);
    await Promise.all(
      Array.from({ length: 50 }, () =>
        store.write("a/counter", (current) => ({ put: { value: (current?.object.value ?? 0) + 1 } })),
      ),
    );
    expect(store.get("a/counter")?.object.value).toBe(50);
    expect(state.commits).toBe(1);
  });

  test("a change function that throws refuses its own write only", async () => {
    const store = createStore<Thing>(memoryPersistence().persistence);
    const refused = store.write("a/1", () => {
      throw new Error("no");
    });
    const accepted = put(store, "a/2", 2);
    await expect(refused).rejects.toThrow("no");
    expect((await accepted).entry?.revision).toBe(1);
    expect(store.get("a/1")).toBeUndefined();
  });

  test("stored objects are frozen all the way down", async () => {
    const store = createStore<{ a: { b: number[] } }>(memoryPersistence().persistence);
    const { entry } = await store.write("a/1", () => ({ put: { a: { b: [1] } } }));
    expect(() => entry?.object.a.b.push(2)).toThrow(TypeError);
    expect(entry?.json).toBe('{"a":{"b":[1]}}');
  });

  test("a failed commit rejects its whole batch, shows nothing of it, and later writes work again", async () => {
    const { persistence, state } = memoryPersistence();
    const store = createStore<Thing>(persistence);
    await put(store, "a/1", 1);
    const seen: string[] = [];
    store.watch("a/", store.revision, (event) => seen.push(told(event)));
    state.broken = true;
    const batch = await Promise.allSettled([
      put(store, "a/1", 2),
      put(store, "a/2", 2),
      remove(store, "a/1"),
    ]);
    for (const outcome of batch) {
      expect(outcome.status).toBe("rejected");
      expect(String((outcome as PromiseRejectedResult).reason)).toContain("database or disk is full");
    }
    expect(store.get("a/1")?.object.value).toBe(1);
    expect([store.revision, seen]).toEqual([1, []]);
    state.broken = false;
    await put(store, "a/2", 3);
    expect(seen).toEqual(["2 ADDED a/2"]);
  });

  test("nobody reads a write before it is committed", async () => {
    const { persistence } = memoryPersistence();
    let during: unknown = "never";
    const store: Store<Thing> = createStore<Thing>({
      ...persistence,
      rows: () => [],
      commit: () => {
        during = store.get("a/1");
      },
    });
    const written = put(store, "a/1", 1);
    expect(store.get("a/1")).toBeUndefined();
    await written;
    expect(during).toBeUndefined();
    expect(store.get("a/1")?.object.value).toBe(1);
  });
});

describe("on a disk", () => {
  test("a write is seen once it is committed, and answered once it is flushed", async () => {
    const order: string[] = [];
    const store = createStore<Thing>(memoryDisk(() => order.push("flush")).persistence);
    store.watch("a/", 0, (event) => {
      // What a watcher is sent in later turns is sent before the disk is asked as well.
      setImmediate(() => order.push(`${told(event)}, ${store.get("a/1")?.object.value}`));
    });
    await put(store, "a/1", 1);
    order.push("answer");
    expect(order).toEqual(["1 ADDED a/1, 1", "flush", "answer"]);
  });

  test("a batch is one flush, and the time after the last of several is for tidying up", async () => {
    const { persistence, disk } = memoryDisk();
    const store = createStore<Thing>(persistence);
    const writes = ["a/1", "a/2", "a/3"].map((key) => put(store, key, 1));
    await turn();
    await Promise.all([...writes, put(store, "a/4", 1)]);
    expect(disk).toEqual({ flushed: 4, flushes: 2, tidied: 0 });
    await turn();
    await turn();
    expect(disk.tidied).toBe(1);
  });

  test("no answer rests on what is not on the disk, and none is left out", async () => {
    const write = fc.record({ key: fc.integer({ min: 0, max: 2 }), value: fc.integer({ min: 0, max: 2 }) });
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.oneof(write, fc.constant("turn" as const)), { maxLength: 40 }),
        async (steps) => {
          const { persistence, disk } = memoryDisk();
          const store = createStore<Thing>(persistence);
          const early: string[] = [];
          const answers: Promise<void>[] = [];
          const ask = async (key: string, value: number) => {
            let rests = 0;
            const change = (current: { object: Thing } | undefined, revision: number) => {
              const same = current?.object.value === value;
              rests = same || value === 0 ? revision - 1 : revision;
              if (value === 0) throw new Error("no");
              return same ? undefined : { put: { value } };
            };
            await store.write(key, change).catch(() => {});
            if (disk.flushed < rests) early.push(`${key}=${value} of ${rests} at ${disk.flushed}`);
          };
          // Some write as soon as they see something: before the flush.
          store.watch("a/0", 0, ({ entry }) => answers.push(ask("a/1", entry.object.value)));
          for (const step of steps) {
            if (step === "turn") await turn();
            else answers.push(ask(`a/${step.key}`, step.value));
          }
          for (const answer of answers) await answer;
          expect([early, disk.flushed]).toEqual([[], store.revision]);
        },
      ),
    );
  });

  test("a flush that fails is told to those who wait, and ends the store", async () => {
    const lost: unknown[] = [];
    const { persistence } = memoryDisk(() => {
      throw new StorageError("flushing database test: EIO");
    });
    const store = createStore<Thing>(persistence, { onDiskLost: (error) => lost.push(String(error)) });
    const first = put(store, "a/1", 1);
    await turn();
    const second = put(store, "a/2", 2);
    for (const write of [first, second]) await expect(write).rejects.toThrow("flushing database test: EIO");
    await expect(put(store, "a/3", 3)).rejects.toThrow("flushing database test: EIO");
    expect([lost, store.get("a/2")]).toEqual([["StorageError: flushing database test: EIO"], undefined]);
  });

  test("closing flushes", async () => {
    const { persistence, disk } = memoryDisk();
    const store = createStore<Thing>(persistence);
    const last = put(store, "a/1", 1);
    await store.close();
    expect([disk.flushed, (await last).effect]).toEqual([1, "put"]);
  });
});

describe("lists", () => {
  test("are in key order and hold exactly what has the prefix", async () => {
    const store = createStore<Thing>(memoryPersistence().persistence);
    for (const key of ["a/x/2", "a/x-y/1", "a/x/1", "b/x/1"]) await put(store, key, 0);
    await remove(store, "a/x/2");
    expect(keysOf(store.list("a/"))).toEqual(["a/x-y/1", "a/x/1"]);
    expect(keysOf(store.list("a/x/"))).toEqual(["a/x/1"]);
    expect(keysOf(store.list("c/"))).toEqual([]);
  });

  test("show the state at any retained revision", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.record({ key: fc.integer({ min: 0, max: 5 }), remove: fc.boolean() }), { maxLength: 40 }),
        async (steps) => {
          const store = createStore<Thing>(memoryPersistence().persistence);
          const states: string[] = [JSON.stringify([])];
          for (const [index, step] of steps.entries()) {
            const key = `a/${step.key}`;
            const { effect } = await (step.remove ? remove(store, key) : put(store, key, index));
            if (effect !== "none")
              states.push(JSON.stringify(store.list("a/").map(({ json, key: k }) => k + json)));
          }
          for (const [revision, state] of states.entries())
            expect(JSON.stringify(store.list("a/", revision).map(({ json, key: k }) => k + json))).toBe(
              state,
            );
        },
      ),
      { numRuns: 50 },
    );
  });
});

describe("watches", () => {
  test("concurrent writers and watchers resumed at any revision see exactly the history", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(
          fc.oneof(
            fc.record({ kind: fc.constant("put" as const), key: fc.integer({ min: 0, max: 4 }) }),
            fc.record({ kind: fc.constant("remove" as const), key: fc.integer({ min: 0, max: 4 }) }),
            fc.record({ kind: fc.constant("watch" as const), back: fc.integer({ min: 0, max: 30 }) }),
            fc.record({ kind: fc.constant("pause" as const) }),
          ),
          { maxLength: 80 },
        ),
        async (steps) => {
          const store = createStore<Thing>(memoryPersistence().persistence);
          const history: string[] = [];
          store.watch("a/", 0, (event) => history.push(told(event)));
          const watchers: { from: number; seen: string[] }[] = [];
          const pending: Promise<unknown>[] = [];
          for (const step of steps) {
            if (step.kind === "put") pending.push(put(store, `a/${step.key}`, pending.length));
            else if (step.kind === "remove") pending.push(remove(store, `a/${step.key}`));
            else if (step.kind === "pause") await Promise.all(pending);
            else {
              const watcher = { from: Math.max(0, store.revision - step.back), seen: [] as string[] };
              watchers.push(watcher);
              store.watch("a/", watcher.from, (event) => watcher.seen.push(told(event)));
            }
          }
          await Promise.all(pending);
          expect(history.map((line) => Number(line.split(" ")[0]))).toEqual(
            history.map((_, index) => index + 1),
          );
          for (const { from, seen } of watchers) expect(seen).toEqual(history.slice(from));
        },
      ),
      { numRuns: 100 },
    );
  });

  test("a watch opened by a listener begins after the event that is being told", async () => {
    const store = createStore<Thing>(memoryPersistence().persistence);
    const late: string[] = [];
    const stop = store.watch("a/", 0, () => {
      stop();
      store.watch("a/", 0, (event) => late.push(told(event)));
    });
    await Promise.all([put(store, "a/1", 1), put(store, "a/2", 2)]);
    expect(late).toEqual(["1 ADDED a/1", "2 ADDED a/2"]);
  });

  test("a listener that throws is reported, and the others are told", async () => {
    const errors: unknown[] = [];
    const store = createStore<Thing>(memoryPersistence().persistence, {
      onListenerError: (error) => errors.push(error),
    });
    const seen: string[] = [];
    store.watch("a/", 0, () => {
      throw new Error("bad listener");
    });
    store.watch("a/", 0, (event) => seen.push(told(event)));
    await put(store, "a/1", 1);
    expect(seen).toEqual(["1 ADDED a/1"]);
    expect(String(errors[0])).toContain("bad listener");
  });

  test("a revision that is no longer retained, or of the future, is refused as expired", async () => {
    const history = { events: 3, characters: 1_000_000 };
    const store = createStore<Thing>(memoryPersistence().persistence, { history });
    for (let i = 0; i < 10; i += 1) await put(store, "a/1", i);
    expect(store.oldestRevision).toBe(7);
    expect(() => store.watch("a/", 6, () => {})).toThrow(new ExpiredError(6, 7));
    expect(() => store.watch("a/", 6, () => {})).toThrow("too old resource version: 6 (7)");
    expect(() => store.watch("a/", 11, () => {})).toThrow(ExpiredError);
    expect(() => store.list("a/", 6)).toThrow(ExpiredError);
    const seen: string[] = [];
    store.watch("a/", 7, (event) => seen.push(told(event)));
    expect(seen).toHaveLength(3);
  });

  test("history is bounded by size as well", async () => {
    const history = { events: 1000, characters: 100 };
    const store = createStore<{ text: string }>(memoryPersistence().persistence, { history });
    for (let i = 0; i < 10; i += 1) await store.write("a/1", () => ({ put: { text: "x".repeat(40) } }));
    expect(store.oldestRevision).toBe(9);
  });
});

describe("the database", () => {
  test("gives the same objects and revision back", async () => {
    const path = join(scratch(), "test.db");
    const store = await openStore<Thing>({ path });
    await put(store, "a/1", 1);
    await put(store, "a/2", 2);
    await remove(store, "a/1");
    await store.close();
    const again = await openStore<Thing>({ path });
    expect(again.list("a/").map(({ key, json, revision }) => [key, json, revision])).toEqual([
      ["a/2", '{"value":2}', 2],
    ]);
    expect([again.revision, again.oldestRevision]).toEqual([3, 3]);
    expect(() => again.watch("a/", 2, () => {})).toThrow("too old resource version: 2 (3)");
    expect((await put(again, "a/3", 3)).entry?.revision).toBe(4);
    await again.close();
  });

  test("gives the revision back whatever was written last, and never an earlier one", async () => {
    const write = fc.record({ key: fc.integer({ min: 0, max: 3 }), remove: fc.boolean() });
    const batches = fc.array(fc.array(write, { minLength: 1, maxLength: 4 }), { maxLength: 6 });
    await fc.assert(
      fc.asyncProperty(fc.array(batches, { minLength: 1, maxLength: 3 }), async (lives) => {
        const path = join(scratch(), "test.db");
        let before = { revision: 0, rows: [] as unknown[] };
        for (const life of lives) {
          const store = await openStore<Thing>({ path, durable: false });
          const rows = () => store.list("a/").map(({ key, json, revision }) => [key, json, revision]);
          expect({ revision: store.revision, rows: rows() }).toEqual(before);
          for (const batch of life)
            await Promise.all(
              batch.map(({ key, remove: gone }, value) =>
                store.write(`a/${key}`, (current) =>
                  gone ? current && { remove: current.object } : { put: { value } },
                ),
              ),
            );
          before = { revision: store.revision, rows: rows() };
          await store.close();
        }
      }),
      { numRuns: 40 },
    );
  });

  test("keeps its log short while nobody waits", async () => {
    const path = join(scratch(), "test.db");
    const store = await openStore<{ text: string }>({ path });
    const text = "x".repeat(10_000);
    for (let n = 0; n < 600; n++) {
      await store.write(`a/${n}`, () => ({ put: { text } }));
      await turn();
    }
    // Six megabytes were written, in twelve of pages.
    expect(statSync(`${path}-wal`).size).toBeLessThan(8 * 1024 * 1024);
    await store.close();
    const again = await openStore<{ text: string }>({ path });
    expect(again.list("a/")).toHaveLength(600);
    await again.close();
  });

  test("is refused while another has it open", async () => {
    const path = join(scratch(), "test.db");
    const store = await openStore({ path });
    await expect(openStore({ path })).rejects.toThrow(`database ${path} is in use by another process`);
    await store.close();
    await (await openStore({ path })).close();
  });

  test("of the version before is taken over", async () => {
    const { DatabaseSync } = await import("@photostructure/sqlite");
    const path = join(scratch(), "test.db");
    const store = await openStore<Thing>({ path });
    await put(store, "a/1", 1);
    await store.close();
    const database = new DatabaseSync(path);
    // What version 1 left: a counter that is right by itself.
    database.exec("UPDATE counter SET revision = 7");
    database.exec("PRAGMA user_version = 1");
    database.close();
    const again = await openStore<Thing>({ path });
    expect([again.revision, again.list("a/").length]).toEqual([7, 1]);
    await again.close();
    const after = new DatabaseSync(path);
    expect(after.prepare("PRAGMA user_version").get()).toEqual({ user_version: 2 });
    after.close();
  });

  test("of a newer version, or of another program, is refused and left alone", async () => {
    const { DatabaseSync } = await import("@photostructure/sqlite");
    const newer = join(scratch(), "newer.db");
    await (await openStore({ path: newer })).close();
    const database = new DatabaseSync(newer);
    database.exec("PRAGMA user_version = 99");
    database.close();
    await expect(openStore({ path: newer })).rejects.toThrow(
      `database ${newer} was written by a newer kubemu (schema version 99, this one knows 2)`,
    );
    const foreign = join(scratch(), "foreign.db");
    const other = new DatabaseSync(foreign);
    other.exec("CREATE TABLE songs (title TEXT)");
    other.close();
    await expect(openStore({ path: foreign })).rejects.toThrow("was not written by kubemu");
  });

  test("that cannot be made is a clear error", async () => {
    const path = join(scratch(), "missing-folder", "test.db");
    await expect(openStore({ path })).rejects.toThrow(`opening database ${path}: `);
  });

  test("writes after close are refused", async () => {
    const store = await openStore<Thing>({ path: join(scratch(), "test.db"), durable: false });
    const late: Promise<unknown>[] = [];
    store.watch("a/1", 0, () => late.push(put(store, "a/3", 1)));
    const last = put(store, "a/1", 1);
    await store.close();
    expect((await last).entry?.revision).toBe(1);
    await expect(late[0]).rejects.toThrow("the store is closed");
    await expect(put(store, "a/2", 1)).rejects.toThrow("the store is closed");
  });
});
