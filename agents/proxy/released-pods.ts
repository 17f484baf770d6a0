// Tells the API which ending pods this worker sends no new connections any more: the acknowledgement that their node agents wait for
// (docs/decisions/0005-acknowledged-removal.md). Nothing is written unless such a pod is new, and one write is under way at a time:
// whatever comes meanwhile goes into the next, so that three hundred pods that end together are a few writes.
import type { EndpointSlice } from "../../src/api/generated/types.ts";
import { type ProxyWorker, type ProxyWorkerStatus, proxyWorkers } from "../../src/api/kinds/proxy-worker.ts";
import { hasReason } from "../../src/api/status-error.ts";
import type { Clock } from "../../src/base/clock.ts";
import type { Log } from "../../src/base/log.ts";
import type { Client } from "../../src/client/client.ts";

const RETRY_MS = 50;

export interface ReleasedPods {
  /** What the frontends of the Service now follow; call it after they do. */
  applied(serviceKey: string, slices: readonly Readonly<EndpointSlice>[]): void;
  /** Makes the worker known, with what it has released so far. Resolves when that is written. */
  announce(): Promise<void>;
  stop(): void;
}

export interface ReleasedPodsOptions {
  readonly client: Client;
  readonly clock: Clock;
  readonly log: Log;
  readonly name: string;
  readonly status: () => Omit<ProxyWorkerStatus, "released">;
  /** False: nobody waits, and nothing but the announcement is written. */
  readonly acknowledge: boolean;
}

export function createReleasedPods(options: ReleasedPodsOptions): ReleasedPods {
  const { client, clock, log, name, acknowledge } = options;
  const pods = new Map<string, PodsOfService>();
  const abort = new AbortController();
  let published: ReadonlySet<string> = new Set();
  let writing = false;
  let announced = false;

  const hasNews = () => releasedOf(pods).some((uid) => !published.has(uid));
  const write = async () => {
    while (hasNews() && !abort.signal.aborted) {
      const released = releasedOf(pods);
      try {
        await writeStatus(client, name, { ...options.status(), released });
        published = new Set(released);
      } catch (error) {
        if (abort.signal.aborted) break;
        log.warn({ error: String(error) }, "released pods not written; trying again");
        await clock.sleep(RETRY_MS, abort.signal);
      }
    }
    writing = false;
  };
  const writeNews = () => {
    if (writing || !hasNews()) return;
    writing = true;
    void write();
  };

  return {
    applied(serviceKey, slices) {
      const found = podsIn(slices);
      if (slices.length > 0) pods.set(serviceKey, found);
      else pods.delete(serviceKey);
      if (acknowledge && announced && found.ending.size > 0) writeNews();
    },
    async announce() {
      const released = acknowledge ? releasedOf(pods) : [];
      await writeStatus(client, name, { ...options.status(), released });
      published = new Set(released);
      announced = true;
      if (acknowledge) writeNews();
    },
    stop: () => abort.abort(),
  };
}

interface PodsOfService {
  /** Still sent connections by the Service, or about to be. */
  readonly live: ReadonlySet<string>;
  readonly ending: ReadonlySet<string>;
}

function podsIn(slices: readonly Readonly<EndpointSlice>[]): PodsOfService {
  const live = new Set<string>();
  const ending = new Set<string>();
  for (const { endpoints = [] } of slices)
    for (const { targetRef, conditions } of endpoints)
      if (targetRef?.uid) (conditions?.terminating ? ending : live).add(targetRef.uid);
  return { live, ending };
}

/** Pods that end in the slices of every Service that names them; a pod may stand behind several. */
export function releasedOf(pods: ReadonlyMap<string, PodsOfService>): string[] {
  const ending = new Set([...pods.values()].flatMap((each) => [...each.ending]));
  for (const { live } of pods.values()) for (const uid of live) ending.delete(uid);
  return [...ending];
}

async function writeStatus(client: Client, name: string, status: ProxyWorkerStatus): Promise<void> {
  try {
    await client.patch(proxyWorkers, { name }, "merge", { status });
  } catch (error) {
    if (!hasReason(error, "NotFound")) throw error;
    await client.create<ProxyWorker>(proxyWorkers, { metadata: { name }, status });
  }
}
