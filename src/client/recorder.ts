// Writes core/v1 Events as client-go's recorder does: equal events are one object whose count grows, many different messages of one
// reason are combined, and a noisy object is held back. Recording never throws and never delays the first event of a kind.
import type { Event } from "../api/generated/types.ts";
import { events } from "../api/kinds/event.ts";
import type { KubeObject } from "../api/object.ts";
import { hasReason, StatusError } from "../api/status-error.ts";
import { type Clock, timestamp } from "../base/clock.ts";
import type { Client } from "./client.ts";

export interface EventOptions {
  /** The part of the object: `spec.containers{nginx}`. */
  readonly fieldPath?: string;
  readonly annotations?: Readonly<Record<string, string>>;
  /** It can wait for so long, in milliseconds, while others have more to do; its time is that of the call. */
  readonly writtenAfterMs?: number;
}

export interface Recorder {
  event(
    regarding: KubeObject,
    type: "Normal" | "Warning",
    reason: string,
    message: string,
    options?: EventOptions,
  ): void;
  /** Resolves when what was recorded so far has been written or given up. */
  flush(): Promise<void>;
}

export interface RecorderOptions {
  /** `kubelet`, `default-scheduler`, `replicaset-controller` … */
  readonly component: string;
  readonly host?: string;
  readonly clock: Clock;
}

// client-go's EventCorrelator: from the tenth different message of one reason within 10 minutes on they are combined.
const COMBINED_FROM = 10;
const COMBINE_WINDOW_MS = 600_000;
// Unlike Kubernetes (25, then one in five minutes): generous, since a drill here crashes in minutes what takes hours elsewhere.
const BURST = 50;
const REFILL_MS = 5_000;
// client-go's maxLruCacheEntries.
const REMEMBERED = 4096;
const ATTEMPTS = 8;
const RETRY_MS = 1_000;

interface Known {
  /** The Event as last written; undefined until its create was answered. */
  written: Event | undefined;
  count: number;
  firstTimestamp: string;
  /** Writes of one Event follow each other. */
  queue: Promise<void>;
}

interface Occurrence {
  readonly known: Known;
  readonly lastTimestamp: string;
  readonly message: string;
  readonly draft: Omit<Event, "metadata" | "count" | "lastTimestamp" | "firstTimestamp">;
  readonly namespace: string;
  readonly name: string;
  readonly annotations: Readonly<Record<string, string>> | undefined;
}

export function createRecorder(client: Client, { component, host, clock }: RecorderOptions): Recorder {
  const known = new Map<string, Known>();
  const combiner = createCombiner(clock);
  const mayRecord = createTokens(clock);
  const source = host ? { component, host } : { component };
  const pending = new Set<Promise<void>>();
  // Ends what waits to be written.
  let flushing = new AbortController();
  let serial = Math.floor(Math.random() * 1e6);
  // Nanoseconds in hexadecimal; the serial stands for what a clock of milliseconds cannot tell apart.
  const uniqueTime = () => {
    serial = (serial + 1) % 1_000_000;
    return (BigInt(clock.now()) * 1_000_000n + BigInt(serial)).toString(16);
  };

  const write = async (occurrence: Occurrence) => {
    const { known, lastTimestamp, message, draft, namespace, name, annotations } = occurrence;
    known.count += 1;
    const at = known.written?.metadata;
    if (at) {
      const patch = { count: known.count, lastTimestamp, message };
      try {
        known.written = await client.patch(events, at, "merge", patch);
        return;
      } catch (error) {
        // The server had let it expire: begin anew.
        if (!hasReason(error, "NotFound")) throw error;
        known.count = 1;
        known.firstTimestamp = lastTimestamp;
      }
    }
    known.written = await client.create<Event>(events, {
      metadata: {
        namespace,
        name: `${name}.${uniqueTime()}`,
        ...(annotations ? { annotations: { ...annotations } } : {}),
      },
      ...draft,
      message,
      count: known.count,
      firstTimestamp: known.firstTimestamp,
      lastTimestamp,
    });
  };
  const deliver = async (occurrence: Occurrence) => {
    for (let attempt = 1; ; attempt++) {
      try {
        return await write(occurrence);
      } catch (error) {
        occurrence.known.count -= 1;
        // A server that answers will answer the same again (a namespace on its way out, an invalid object).
        if (error instanceof StatusError && error.code < 500) return;
        if (attempt === ATTEMPTS) return;
        await clock.sleep(RETRY_MS * attempt);
      }
    }
  };

  return {
    event(regarding, type, reason, message, options = {}) {
      const { namespace = "default", name } = regarding.metadata;
      const involvedObject = referenceTo(regarding, options.fieldPath);
      const about = [involvedObject.kind, namespace, name, involvedObject.uid, options.fieldPath].join("|");
      if (!mayRecord(about)) return;
      const sort = [about, type, reason].join("|");
      const shown = combiner(sort, message);
      const entry = remember(known, `${sort}|${shown.key}`, () => ({
        written: undefined,
        count: 0,
        firstTimestamp: timestamp(clock.now()),
        queue: Promise.resolve(),
      }));
      const draft = {
        involvedObject,
        reason,
        source,
        type,
        reportingComponent: component,
        reportingInstance: host ?? "",
      };
      const { annotations, writtenAfterMs = 0 } = options;
      const lastTimestamp = timestamp(clock.now());
      const occurrence = {
        known: entry,
        lastTimestamp,
        message: shown.message,
        draft,
        namespace,
        name,
        annotations,
      };
      const waited = writtenAfterMs > 0 ? clock.sleep(writtenAfterMs, flushing.signal) : undefined;
      const written = entry.queue.then(() => waited).then(() => deliver(occurrence));
      entry.queue = written;
      pending.add(written);
      void written.finally(() => pending.delete(written));
    },
    async flush() {
      flushing.abort();
      flushing = new AbortController();
      await Promise.all(pending);
    },
  };
}

function referenceTo(object: KubeObject, fieldPath: string | undefined): Event["involvedObject"] {
  const { namespace, name, uid, resourceVersion } = object.metadata;
  return {
    kind: object.kind,
    ...(namespace ? { namespace } : {}),
    name,
    uid,
    apiVersion: object.apiVersion,
    resourceVersion,
    ...(fieldPath ? { fieldPath } : {}),
  };
}

/** Least recently used first in the Map's own order. */
function remember<V>(map: Map<string, V>, key: string, make: () => V): V {
  const value = map.get(key) ?? make();
  map.delete(key);
  map.set(key, value);
  if (map.size > REMEMBERED) {
    const [oldest] = map.keys();
    if (oldest !== undefined) map.delete(oldest);
  }
  return value;
}

/** Which Event a message counts into: its own, or the combined one of its sort. */
function createCombiner(clock: Clock): (sort: string, message: string) => { key: string; message: string } {
  const seen = new Map<string, { messages: Set<string>; lastAt: number }>();
  return (sort, message) => {
    const now = clock.now();
    const entry = remember(seen, sort, () => ({ messages: new Set<string>(), lastAt: now }));
    if (now - entry.lastAt > COMBINE_WINDOW_MS) entry.messages.clear();
    entry.lastAt = now;
    if (entry.messages.size < COMBINED_FROM - 1) entry.messages.add(message);
    if (entry.messages.has(message)) return { key: message, message };
    return { key: "", message: `(combined from similar events): ${message}` };
  };
}

/** A bucket of tokens an object. */
function createTokens(clock: Clock): (about: string) => boolean {
  const buckets = new Map<string, { tokens: number; at: number }>();
  return (about) => {
    const now = clock.now();
    const bucket = remember(buckets, about, () => ({ tokens: BURST, at: now }));
    bucket.tokens = Math.min(BURST, bucket.tokens + (now - bucket.at) / REFILL_MS);
    bucket.at = now;
    if (bucket.tokens < 1) return false;
    bucket.tokens -= 1;
    return true;
  };
}
