// The loop that all controllers share: keys in, level-driven reconciles out. One key is never reconciled twice at once, and
// after a reconcile the key is held until the informers have seen all that it wrote: no controller acts on a past it changed itself.
import { setMaxListeners } from "node:events";
import { type KubeObject, keyOf } from "../../api/object.ts";
import type { Resource } from "../../api/resource.ts";
import { hasReason, StatusError } from "../../api/status-error.ts";
import { runForever } from "../../base/run-forever.ts";
import { createWorkQueue } from "../../client/work-queue.ts";
import type { ControllerContext, RunningController } from "./context.ts";

/** Queues a key, after `afterMs` if given. */
export type Enqueue = (key: string, afterMs?: number) => void;

/** Where a reconcile notes what it has written, as soon as the server has answered. */
export interface Writes {
  /** `object` as a create, update or patch returned it. */
  wrote(resource: Resource, object: KubeObject): void;
  /** `object` as it was when its delete was accepted. */
  deleted(resource: Resource, object: KubeObject): void;
}

export interface ControllerOptions {
  readonly name: string;
  /** Keys worked on at once. Default 4. */
  readonly workers?: number;
  /**
   * Registers listeners on informers (which starts them) and returns how to end them. Every informer that `reconcile` reads
   * must be touched here: workers start once all of them are synced.
   */
  // biome-ignore lint/suspicious/noConfusingVoidType: most have nothing to return, and need not say so
  watch(enqueue: Enqueue): readonly (() => void)[] | void;
  /** Must look only at what is, never at what happened. Throwing means: again, later. */
  // biome-ignore lint/suspicious/noConfusingVoidType: most have nothing to return, and need not say so
  reconcile(key: string, signal: AbortSignal, writes: Writes): Promise<void | { requeueAfterMs: number }>;
}

const WORKERS = 4;

/** Starts a controller. `stop` resolves when its last reconcile has ended. */
export function startController(
  context: ControllerContext,
  { name, workers = WORKERS, watch, reconcile }: ControllerOptions,
): RunningController {
  const { clock, timing, informers } = context;
  const log = context.log.child({ controller: name });
  const abort = new AbortController();
  const { signal } = abort;
  // Every worker waits on it, and a controller may have many.
  setMaxListeners(0, signal);
  const queue = createWorkQueue({ clock, firstMs: timing.requeueMs, maxMs: timing.requeueMaxMs });
  const unwatch = watch((key, afterMs = 0) => queue.addAfter(key, afterMs)) ?? [];

  const handle = async (key: string) => {
    const held: Promise<void>[] = [];
    try {
      const again = await reconcile(key, signal, writesInto(context, held));
      queue.forget(key);
      if (again) queue.addAfter(key, again.requeueAfterMs);
    } catch (error) {
      if (signal.aborted) return;
      reportFailure(log, key, error);
      queue.addRateLimited(key);
    } finally {
      if (held.length > 0) await settledOrAborted(Promise.all(held), signal);
      queue.done(key);
    }
  };
  const work = async () => {
    await settledOrAborted(informers.synced(), signal);
    for (;;) {
      const key = await queue.get(signal);
      if (key === undefined) return;
      await handle(key);
    }
  };
  const loops = Array.from({ length: workers }, () => runForever(name, work, { log, clock, signal }));

  return {
    async stop() {
      for (const end of unwatch) end();
      abort.abort();
      queue.stop();
      await Promise.all(loops);
    },
  };
}

function writesInto({ informers }: ControllerContext, held: Promise<void>[]): Writes {
  return {
    wrote(resource, object) {
      const revision = Number(object.metadata.resourceVersion);
      const informer = informers.of(resource);
      if (informer.revision < revision) held.push(informer.when(() => informer.revision >= revision));
    },
    deleted(resource, object) {
      const informer = informers.of(resource);
      const key = keyOf(object);
      held.push(
        informer.when(() => {
          const now = informer.get(key);
          return now?.metadata.uid !== object.metadata.uid || now.metadata.deletionTimestamp !== undefined;
        }),
      );
    },
  };
}

function reportFailure(log: ControllerContext["log"], key: string, error: unknown): void {
  // A lost race is the normal course of things: the next try sees the newer object.
  if (hasReason(error, "Conflict")) log.debug({ key }, "lost a race; trying again");
  else if (error instanceof StatusError) log.warn({ key, error: error.message }, "reconcile failed");
  else log.error({ key, error: error instanceof Error ? error.stack : String(error) }, "reconcile failed");
}

/** Waits for `promise`, or until `signal` aborts; leaves no listener behind. */
function settledOrAborted(promise: Promise<unknown>, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const end = () => {
      signal.removeEventListener("abort", end);
      resolve();
    };
    if (signal.aborted) return resolve();
    signal.addEventListener("abort", end, { once: true });
    promise.then(end, end);
  });
}
