// List, then watch from that revision, for ever; over sockets both in one request. A lost connection resumes from the newest revision
// seen; a refused one (410 Gone, or any Status) lists anew and works out what was missed, so that no listener ever misses an object's end.
import { INITIAL_EVENTS_END, type KubeObject, keyOf } from "../api/object.ts";
import { apiVersionOf, groupResourceOf, type Resource } from "../api/resource.ts";
import { StatusError } from "../api/status-error.ts";
import { type Clock, systemClock } from "../base/clock.ts";
import type { Log } from "../base/log.ts";
import { runForever } from "../base/run-forever.ts";
import type { Client, WatchOptions } from "./client.ts";
import { failureOf } from "./create-client.ts";
import type { ChangeListener, IndexFunction, LiveInformer } from "./informer.ts";
import { createInformerCache } from "./informer-cache.ts";
import type { WatchEvent } from "./transport.ts";

export interface InformerOptions<T extends KubeObject> {
  readonly namespace?: string;
  readonly labelSelector?: string;
  readonly fieldSelector?: string;
  readonly indexes?: Readonly<Record<string, IndexFunction<T>>>;
  readonly log: Log;
  readonly clock?: Clock;
}

// As client-go: watches end after five to ten minutes, spread so that they do not all end at once.
const WATCH_SECONDS = 300;
// A watch that ends sooner than this is no sign of health: the loop then pauses before the next.
const SHORT_WATCH_MS = 1_000;

/** Keeps a local copy of what `resource` (narrowed by selectors) holds. Starts at once; never gives up until `stop`. */
export function startInformer<T extends KubeObject>(
  client: Client,
  resource: Resource<T>,
  { indexes = {}, log, clock = systemClock, ...scope }: InformerOptions<T>,
): LiveInformer<T> {
  const cache = createInformerCache<T>(resource.namespaced);
  for (const [name, index] of Object.entries(indexes)) cache.addIndex(name, index);
  const changes = createChanges<T>(resource, cache, log);
  const abort = new AbortController();
  let revision = 0;
  let listed = false;
  let markSynced: () => void = () => {};
  const synced = new Promise<void>((resolve) => {
    markSynced = resolve;
  });

  const replace = (items: readonly T[], resourceVersion: string) => {
    const present = new Map(items.map((item) => [keyOf(item), item]));
    for (const key of cache.keys()) if (!present.has(key)) changes.remove(key, undefined);
    for (const [key, item] of present) changes.put(key, item);
    revision = Number(resourceVersion);
    listed = true;
    markSynced();
    changes.step();
  };
  const relist = async (signal: AbortSignal) => {
    const list = await client.list(resource, { ...scope, signal });
    if (!signal.aborted) replace(list.items, list.metadata.resourceVersion);
  };
  const take = ({ type, object }: WatchEvent) => {
    if (type === "ERROR") throw new StatusError(failureOf(500, object));
    const item = object as T;
    if (type === "DELETED") changes.remove(keyOf(item), item);
    else if (type !== "BOOKMARK") changes.put(keyOf(item), item);
    revision = Math.max(revision, Number(item.metadata.resourceVersion));
    changes.step();
  };
  const watch = (
    signal: AbortSignal,
    from: Pick<WatchOptions, "resourceVersion" | "sendInitialEvents" | "resourceVersionMatch">,
    onEvent: (event: WatchEvent) => void,
  ) => {
    const timeoutSeconds = Math.round(WATCH_SECONDS * (1 + Math.random()));
    const options = { ...scope, ...from, allowWatchBookmarks: true, timeoutSeconds, signal };
    return followWatch(client, resource, options, onEvent);
  };
  /** As client-go's WatchList: the watch begins with what there is, and a bookmark says where that ends. */
  const listAndFollow = (signal: AbortSignal) => {
    let items: T[] | undefined = [];
    const from = { sendInitialEvents: true, resourceVersionMatch: "NotOlderThan" } as const;
    return watch(signal, from, (event) => {
      if (!items || event.type === "ERROR") return take(event);
      const item = event.object as T;
      if (event.type !== "BOOKMARK") items.push(item);
      else if (item.metadata.annotations?.[INITIAL_EVENTS_END] === "true") {
        replace(items, item.metadata.resourceVersion);
        items = undefined;
      }
    });
  };
  const loop = async (signal: AbortSignal) => {
    const inOne = client.transport.isRemote === true;
    if (!listed && !inOne) await relist(signal);
    while (!signal.aborted) {
      const startedAt = clock.now();
      try {
        if (listed) await watch(signal, { resourceVersion: String(revision) }, take);
        else await listAndFollow(signal);
      } catch (error) {
        // What the server refused once it would refuse again: start from a fresh list.
        if (error instanceof StatusError) listed = false;
        if (!(error instanceof StatusError && error.code === 410)) throw error;
        log.debug({ resource: groupResourceOf(resource) }, "watch expired; listing anew");
        if (!inOne) return await relist(signal);
      }
      if (clock.now() - startedAt < SHORT_WATCH_MS) return;
    }
  };

  const name = `informer of ${groupResourceOf(resource)}`;
  const ended = runForever(name, loop, { log, clock, signal: abort.signal });
  return {
    get: cache.get,
    list: cache.list,
    inNamespace: cache.inNamespace,
    byIndex: cache.byIndex,
    addIndex: cache.addIndex,
    onChange: changes.listen,
    when: changes.when,
    synced,
    get revision() {
      return revision;
    },
    async stop() {
      abort.abort();
      changes.close();
      await ended;
    },
  };
}

/** One watch, whose `onEvent` may throw to end it. */
async function followWatch<T extends KubeObject>(
  client: Client,
  resource: Resource<T>,
  options: Parameters<Client["watch"]>[1] & { signal: AbortSignal },
  onEvent: (event: WatchEvent) => void,
): Promise<void> {
  const end = new AbortController();
  const stop = () => end.abort();
  options.signal.addEventListener("abort", stop, { once: true });
  if (options.signal.aborted) stop();
  let failure: unknown;
  try {
    await client.watch(resource, { ...options, signal: end.signal }, (event) => {
      if (end.signal.aborted) return;
      try {
        onEvent(event);
      } catch (error) {
        failure = error;
        end.abort();
      }
    });
  } finally {
    options.signal.removeEventListener("abort", stop);
  }
  if (failure !== undefined) throw failure;
}

interface Changes<T extends KubeObject> {
  put(key: string, item: T): void;
  /** `last` is the server's final state, where it told. */
  remove(key: string, last: T | undefined): void;
  listen(listener: ChangeListener<T>): () => void;
  when(condition: () => boolean): Promise<void>;
  /** Asks every waiting condition again. */
  step(): void;
  close(): void;
}

/** Applies states to the cache and tells listeners, one state at a time. */
function createChanges<T extends KubeObject>(
  resource: Resource<T>,
  cache: ReturnType<typeof createInformerCache<T>>,
  log: Log,
): Changes<T> {
  const listeners = new Set<ChangeListener<T>>();
  const waiting = new Map<() => boolean, () => void>();
  const apiVersion = apiVersionOf(resource);
  let closed = false;

  const tell = (after: Readonly<T> | undefined, before: Readonly<T> | undefined) => {
    for (const listener of [...listeners]) {
      if (!listeners.has(listener)) continue;
      try {
        listener(after, before);
      } catch (error) {
        // One part's mistake must not cost the others their events.
        log.error({ error: String((error as Error)?.stack ?? error) }, "informer listener failed");
      }
    }
  };
  const remove = (key: string, last: T | undefined) => {
    const before = cache.get(key);
    if (!before) return;
    cache.remove(key);
    tell(undefined, last ? whole(last) : before);
  };
  // Servers leave apiVersion and kind out of a list's items; events and owner references need them.
  const whole = (item: T): T => (item.kind ? item : { apiVersion, kind: resource.kind, ...item });

  return {
    put(key, item) {
      const before = cache.get(key);
      if (before?.metadata.resourceVersion === item.metadata.resourceVersion) return;
      const reborn = before !== undefined && before.metadata.uid !== item.metadata.uid;
      if (reborn) remove(key, undefined);
      const after = whole(item);
      cache.set(key, after);
      tell(after, reborn ? undefined : before);
    },
    remove,
    listen(listener) {
      for (const object of cache.list()) listener(object, undefined);
      listeners.add(listener);
      return () => {
        listeners.delete(listener);
      };
    },
    when(condition) {
      if (closed || condition()) return Promise.resolve();
      // Wrapped, so that one condition given twice is waited for twice.
      return new Promise((resolve) => waiting.set(() => condition(), resolve));
    },
    step() {
      for (const [condition, resolve] of waiting) {
        if (!condition()) continue;
        waiting.delete(condition);
        resolve();
      }
    },
    close() {
      closed = true;
      listeners.clear();
      for (const resolve of waiting.values()) resolve();
      waiting.clear();
    },
  };
}
