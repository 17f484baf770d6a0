// The pods of this node: one worker a pod, kept in step with the API's pods that are bound here. Keyed by uid, because
// a name can be given to a new pod while the old one is still ending.
import path from "node:path";
import type { Pod } from "../../../src/api/generated/types.ts";
import type { Informer } from "../../../src/client/informer.ts";
import type { NodeContext, PodRecord } from "../context.ts";
import { createPodState, restorePodState } from "./state.ts";
import { type PodWorker, startPodWorker } from "./worker.ts";

export interface PodRegistry {
  find(namespace: string, name: string): PodRecord | undefined;
  records(): PodRecord[];
  wake(uid: string): void;
  wakeAll(): void;
  /** Ends every pod's processes within `graceMs`. */
  shutdown(graceMs: number): Promise<void>;
}

export function createPodRegistry(context: NodeContext, informer: Informer<Pod>): PodRegistry {
  const workers = new Map<string, PodWorker>();
  let closed = false;

  const others = (uid: string) =>
    [...workers.values()]
      .map(({ record }) => record)
      .filter((record) => record.uid !== uid && isLive(record))
      .map(({ pod }) => pod);
  const add = (pod: Readonly<Pod>) => {
    const { uid } = pod.metadata;
    // Admitted before, in an earlier life: its resources are its own.
    const admitted = pod.status?.startTime !== undefined;
    const record: PodRecord = {
      uid,
      pod,
      state: admitted ? restorePodState(pod, context.clock.now()) : createPodState(pod),
      directory: path.join(context.directory, "pods", uid),
      address: undefined,
      portMap: {},
      hostPorts: undefined,
      volumes: new Map(),
      runs: new Map(),
      payloads: new Map(),
      tokens: new Map(),
      pulls: new Map(),
      foreign: false,
      ending: new AbortController(),
      wake: () => {},
    };
    if (pod.metadata.deletionTimestamp) record.ending.abort();
    workers.set(uid, startPodWorker({ context, record, others: () => others(uid), admitted }));
  };
  const remove = (uid: string) => {
    const worker = workers.get(uid);
    workers.delete(uid);
    worker?.gone().catch((error: unknown) => {
      context.log.error({ pod: worker.record.pod.metadata.name, error: String(error) }, "pod not removed");
    });
  };
  informer.onChange((after, before) => {
    if (closed) return;
    if (before && before.metadata.uid !== after?.metadata.uid) remove(before.metadata.uid);
    if (!after) return;
    const worker = workers.get(after.metadata.uid);
    if (worker) worker.update(after);
    else add(after);
  });

  return {
    find(namespace, name) {
      const found = [...workers.values()].filter(
        ({ record: { pod } }) => pod.metadata.namespace === namespace && pod.metadata.name === name,
      );
      return found.at(-1)?.record;
    },
    records: () => [...workers.values()].map(({ record }) => record),
    wake: (uid) => workers.get(uid)?.wake(),
    wakeAll() {
      for (const worker of workers.values()) worker.wake();
    },
    async shutdown(graceMs) {
      closed = true;
      await Promise.all([...workers.values()].map((worker) => worker.shutdown(graceMs)));
    },
  };
}

/** Takes up room: refused and ended pods do not. */
function isLive({ pod, state }: PodRecord): boolean {
  const phase = pod.status?.phase;
  return !state.failure && phase !== "Succeeded" && phase !== "Failed";
}
