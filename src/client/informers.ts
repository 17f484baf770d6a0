import type { KubeObject } from "../api/object.ts";
import { groupResourceOf, type Resource } from "../api/resource.ts";
import { type Clock, systemClock } from "../base/clock.ts";
import type { Log } from "../base/log.ts";
import type { Client } from "./client.ts";
import type { InformerFactory, LiveInformer } from "./informer.ts";
import { startInformer } from "./start-informer.ts";

export type { InformerFactory };

/** One informer a resource, over all namespaces, shared by whoever asks; started on first use. */
export function createInformers(
  client: Client,
  { log, clock = systemClock }: { log: Log; clock?: Clock },
): InformerFactory {
  const started = new Map<string, LiveInformer<KubeObject>>();
  const keyOf = (resource: Resource) => `${groupResourceOf(resource)}/${resource.version}`;
  const of = <T extends KubeObject>(resource: Resource<T>): LiveInformer<T> => {
    const key = keyOf(resource);
    let informer = started.get(key);
    if (!informer) {
      informer = startInformer<T>(client, resource, { log, clock }) as unknown as LiveInformer<KubeObject>;
      started.set(key, informer);
    }
    return informer as unknown as LiveInformer<T>;
  };
  return {
    of,
    addIndex: (resource, name, index) => of(resource).addIndex(name, index),
    async synced() {
      await Promise.all([...started.values()].map((informer) => informer.synced));
    },
    async drop(resource) {
      const informer = started.get(keyOf(resource));
      started.delete(keyOf(resource));
      await informer?.stop();
    },
    async stop() {
      const all = [...started.values()];
      started.clear();
      await Promise.all(all.map((informer) => informer.stop()));
    },
  };
}
