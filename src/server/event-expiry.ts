// Removes objects of kinds with a time to live (Events) once they have not been written for that long, or are too many.
import type { ServerContext } from "./context.ts";
import { storePrefix } from "./keys.ts";

// How late an Event may go: a hundredth of its life, but not more often than every second.
const CHECKS = 100;
const SHORTEST_MS = 1_000;
// Unlike Kubernetes: a cluster that rolls as fast as this one would fill its memory within the hour.
const MOST = 10_000;

/** Returns the way to stop. */
export function startEventExpiry(context: ServerContext): () => void {
  const { clock, timing, log } = context;
  const everyMs = Math.max(SHORTEST_MS, timing.eventTtlMs / CHECKS);
  let cancel = () => {};
  let stopped = false;
  const next = () => {
    cancel = clock.after(everyMs, () => {
      expireEvents(context)
        .catch((error: unknown) => log.warn({ error: String(error) }, "event expiry failed"))
        .finally(() => {
          if (!stopped) next();
        });
    });
  };
  next();
  return () => {
    stopped = true;
    cancel();
  };
}

/** Removes what is over, and the oldest beyond `most` of a kind. */
export async function expireEvents(context: ServerContext, most = MOST): Promise<void> {
  const { store, registry, timing } = context;
  const endsBy = context.clock.now() - timing.eventTtlMs;
  const kinds = registry.stored().filter(({ timeToLive }) => timeToLive === "event");
  const pending = kinds.flatMap((kind) =>
    store
      .list(storePrefix(kind.resource))
      .map(({ key, revision, object }) => ({ key, revision, writtenMs: lastWritten(object) }))
      .sort((a, b) => b.writtenMs - a.writtenMs || b.revision - a.revision)
      .filter(({ writtenMs }, age) => writtenMs <= endsBy || age >= most)
      .map(({ key, revision: seen }) =>
        store.write(key, (current, revision) => {
          // Written again since: it has earned another life.
          if (!current || current.revision !== seen) return undefined;
          const { object } = current;
          const metadata = { ...object.metadata, resourceVersion: String(revision) };
          return { remove: { ...object, metadata } };
        }),
      ),
  );
  await Promise.all(pending);
}

/** The newest time that the object knows of: repeated Events carry that of their last occurrence. */
function lastWritten(object: object): number {
  const event = object as {
    metadata: { creationTimestamp: string };
    lastTimestamp?: string;
    eventTime?: string;
    series?: { lastObservedTime?: string };
  };
  const times = [
    event.metadata.creationTimestamp,
    event.lastTimestamp,
    event.eventTime,
    event.series?.lastObservedTime,
  ];
  return Math.max(...times.map((time) => (time ? Date.parse(time) : 0)));
}
