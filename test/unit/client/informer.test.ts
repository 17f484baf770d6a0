import fc from "fast-check";
import { expect, test } from "vitest";
import { configMaps } from "../../../src/api/kinds/config-map.ts";
import { type KubeObject, keyOf } from "../../../src/api/object.ts";
import { statusError } from "../../../src/api/status-error.ts";
import { type Clock, systemClock } from "../../../src/base/clock.ts";
import { silentLog } from "../../../src/base/log.ts";
import { createClient } from "../../../src/client/create-client.ts";
import { createInformers } from "../../../src/client/informers.ts";
import { startInformer } from "../../../src/client/start-informer.ts";
import type { Transport, WatchEvent } from "../../../src/client/transport.ts";

interface Entry {
  readonly revision: number;
  readonly type: "ADDED" | "MODIFIED" | "DELETED";
  readonly object: KubeObject;
}

/** A server with a history, whose watches the test may cut and whose past it may forget; near, or with lists as the beginning of watches. */
function createHistoryServer({ isRemote = false } = {}) {
  const live = new Map<string, KubeObject>();
  const history: Entry[] = [];
  let revision = 0;
  let forgotten = 0;
  let uids = 0;
  const watches = new Set<{ tell(event: WatchEvent): void; cut(error?: Error): void }>();
  const append = (type: Entry["type"], object: KubeObject) => {
    history.push({ revision, type, object });
    for (const watch of [...watches]) watch.tell({ type, object });
  };
  const transport: Transport = {
    isRemote,
    async request() {
      await Promise.resolve();
      const body = { metadata: { resourceVersion: String(revision) }, items: [...live.values()] };
      return { status: 200, body, warnings: [] };
    },
    watch: ({ query, signal }, onEvent) =>
      new Promise((resolve, reject) => {
        const isFromStart = query?.["sendInitialEvents"] === true;
        const from = isFromStart ? revision : Number(query?.["resourceVersion"]);
        if (from < forgotten) return reject(statusError("Expired", "too old resource version"));
        const watch = {
          tell: (event: WatchEvent) => queueMicrotask(() => watches.has(watch) && onEvent(event)),
          cut(error?: Error) {
            watches.delete(watch);
            if (error) reject(error);
            else resolve();
          },
        };
        watches.add(watch);
        signal?.addEventListener("abort", () => watch.cut(), { once: true });
        if (isFromStart) {
          for (const object of live.values()) watch.tell({ type: "ADDED", object });
          const annotations = { "k8s.io/initial-events-end": "true" };
          const metadata = { resourceVersion: String(revision), annotations };
          watch.tell({ type: "BOOKMARK", object: { metadata } });
        }
        for (const { revision: at, type, object } of history) if (at > from) watch.tell({ type, object });
      }),
    close() {},
  };
  return {
    transport,
    live,
    history,
    get revision() {
      return revision;
    },
    put(name: string) {
      const before = live.get(name);
      revision += 1;
      const uid = before?.metadata.uid ?? `uid-${++uids}`;
      const object: KubeObject = {
        metadata: {
          name,
          namespace: "default",
          uid,
          resourceVersion: String(revision),
          creationTimestamp: "",
        },
      };
      live.set(name, object);
      append(before ? "MODIFIED" : "ADDED", object);
    },
    remove(name: string) {
      const before = live.get(name);
      if (!before) return;
      live.delete(name);
      revision += 1;
      append("DELETED", { ...before, metadata: { ...before.metadata, resourceVersion: String(revision) } });
    },
    cut() {
      for (const watch of [...watches]) watch.cut(new Error("connection lost"));
    },
    end() {
      for (const watch of [...watches]) watch.cut();
    },
    /** As a server that compacts: a watch from before now is refused. */
    forget() {
      forgotten = revision;
    },
    refuseAll() {
      for (const watch of [...watches])
        watch.tell({ type: "ERROR", object: statusError("Expired", "too old resource version").status });
    },
  };
}

// Waits of the retry loop take one turn of the event loop: long enough to write in between, short enough for a thousand runs.
const hasty: Clock = { ...systemClock, sleep: () => new Promise((resolve) => setImmediate(resolve)) };
const turn = () => new Promise((resolve) => setImmediate(resolve));

type Step =
  | { readonly do: "put" | "remove"; readonly name: string }
  | { readonly do: "cut" | "end" | "expire" | "expire-live" | "wait" };

const steps = fc.array(
  fc.oneof(
    {
      weight: 6,
      arbitrary: fc.record({
        do: fc.constantFrom("put" as const, "remove" as const),
        name: fc.constantFrom("a", "b", "c"),
      }),
    },
    {
      weight: 3,
      arbitrary: fc.record({
        do: fc.constantFrom(
          "cut" as const,
          "end" as const,
          "expire" as const,
          "expire-live" as const,
          "wait" as const,
        ),
      }),
    },
  ),
  { maxLength: 40 },
);

async function run(server: ReturnType<typeof createHistoryServer>, all: readonly Step[]) {
  for (const step of all) {
    if (step.do === "put") server.put(step.name);
    else if (step.do === "remove") server.remove(step.name);
    else if (step.do === "cut") server.cut();
    else if (step.do === "end") server.end();
    else if (step.do === "expire") {
      server.forget();
      server.cut();
    } else if (step.do === "expire-live") {
      server.refuseAll();
      server.forget();
    } else await turn();
  }
}

async function until(condition: () => boolean) {
  for (let i = 0; i < 200 && !condition(); i++) await turn();
  expect(condition()).toBe(true);
}

test("whatever is cut or forgotten, each object's states come in order, with its end, and the copy ends up right", async () => {
  await fc.assert(
    fc.asyncProperty(steps, fc.boolean(), async (all, isRemote) => {
      const server = createHistoryServer({ isRemote });
      server.put("a");
      const client = createClient(server.transport);
      const informer = startInformer(client, configMaps, { log: silentLog, clock: hasty });
      const seen = new Map<string, KubeObject>();
      let broken = "";
      informer.onChange((after, before) => {
        const key = keyOf((after ?? before)!);
        const last = seen.get(key);
        if (after && last && before !== last) broken ||= `${key}: before is not the state told last`;
        if (
          after &&
          before &&
          Number(after.metadata.resourceVersion) <= Number(before.metadata.resourceVersion)
        )
          broken ||= `${key}: went back`;
        if (after && before && after.metadata.uid !== before.metadata.uid)
          broken ||= `${key}: another object`;
        if (!after && !last) broken ||= `${key}: ended twice`;
        if (!before && last) broken ||= `${key}: began twice`;
        if (after) seen.set(key, after);
        else seen.delete(key);
      });
      await informer.synced;
      await run(server, all);
      await until(() => informer.revision === server.revision);
      const states = (objects: Iterable<KubeObject>) =>
        [...objects].map(({ metadata }) => `${metadata.name}@${metadata.resourceVersion}`).sort();
      expect(broken).toBe("");
      expect(states(informer.list())).toEqual(states(server.live.values()));
      expect(states(seen.values())).toEqual(states(server.live.values()));
      await informer.stop();
    }),
    { numRuns: 300 },
  );
});

test("lost connections alone lose no state at all", async () => {
  await fc.assert(
    fc.asyncProperty(steps, fc.boolean(), async (all, isRemote) => {
      const server = createHistoryServer({ isRemote });
      const informer = startInformer(createClient(server.transport), configMaps, {
        log: silentLog,
        clock: hasty,
      });
      const told: number[] = [];
      informer.onChange((after, before) => told.push(Number((after ?? before)!.metadata.resourceVersion)));
      await informer.synced;
      await run(
        server,
        all.filter((step) => !step.do.startsWith("expire")),
      );
      await until(() => informer.revision === server.revision);
      expect(told).toEqual(server.history.map(({ revision }) => revision));
      await informer.stop();
    }),
    { numRuns: 200 },
  );
});

test("indexes follow every change and can be added to a running informer", async () => {
  const server = createHistoryServer();
  const informers = createInformers(createClient(server.transport), { log: silentLog, clock: hasty });
  const informer = informers.of(configMaps);
  server.put("a");
  await informers.synced();
  informers.addIndex(configMaps, "initial", ({ metadata }) => [metadata.name.slice(0, 1)]);
  server.put("ab");
  server.put("b");
  await informer.when(() => informer.revision === server.revision);
  const names = (value: string) => informer.byIndex("initial", value).map(({ metadata }) => metadata.name);
  expect(names("a")).toEqual(["a", "ab"]);
  expect(informer.inNamespace("default")).toHaveLength(3);
  server.remove("a");
  await informer.when(() => informer.revision === server.revision);
  expect(names("a")).toEqual(["ab"]);
  expect(informer.inNamespace("elsewhere")).toEqual([]);
  expect(informers.of(configMaps)).toBe(informer);
  await informers.stop();
});

test("a listener that comes late is told what is there; one that throws costs the others nothing", async () => {
  const server = createHistoryServer();
  server.put("a");
  const informer = startInformer(createClient(server.transport), configMaps, {
    log: silentLog,
    clock: hasty,
  });
  await informer.synced;
  informer.onChange((_after, before) => {
    if (before) throw new Error("a mistake");
  });
  const told: string[] = [];
  const end = informer.onChange((after) => told.push(`${after?.kind} ${after?.metadata.resourceVersion}`));
  server.put("a");
  await informer.when(() => informer.revision === 2);
  end();
  server.put("a");
  await informer.when(() => informer.revision === 3);
  expect(told).toEqual(["ConfigMap 1", "ConfigMap 2"]);
  await informer.stop();
});

test("stopping releases whoever waits", async () => {
  const server = createHistoryServer();
  const informer = startInformer(createClient(server.transport), configMaps, {
    log: silentLog,
    clock: hasty,
  });
  await informer.synced;
  const waiting = informer.when(() => false);
  await informer.stop();
  await expect(waiting).resolves.toBeUndefined();
});
