// ConfigMaps and Secrets that pods of this node refer to. Each is watched on its own (as the kubelet does), from the
// first pod that asks until the last one is gone; a change wakes the pods that use it.

import type { ConfigMap, Secret } from "../../../src/api/generated/types.ts";
import { configMaps } from "../../../src/api/kinds/config-map.ts";
import { secrets } from "../../../src/api/kinds/secret.ts";
import type { KubeObject } from "../../../src/api/object.ts";
import type { Resource } from "../../../src/api/resource.ts";
import type { Clock } from "../../../src/base/clock.ts";
import type { Log } from "../../../src/base/log.ts";
import type { Client } from "../../../src/client/client.ts";
import type { LiveInformer } from "../../../src/client/informer.ts";
import { startInformer } from "../../../src/client/start-informer.ts";
import type { ReferenceStore } from "../context.ts";

interface Watched {
  readonly informer: LiveInformer<KubeObject>;
  readonly pods: Set<string>;
}

export function createReferences(options: {
  client: Client;
  clock: Clock;
  log: Log;
  /** A referenced object changed: look at this pod again. */
  onChange(uid: string): void;
}): ReferenceStore {
  const { client, clock, log, onChange } = options;
  const watched = new Map<string, Watched>();

  const watch = (resource: Resource<KubeObject>, namespace: string, name: string): Watched => {
    const informer = startInformer(client, resource, {
      namespace,
      fieldSelector: `metadata.name=${name}`,
      clock,
      log,
    });
    const entry: Watched = { informer, pods: new Set() };
    void informer.synced.then(() =>
      informer.onChange(() => {
        for (const uid of entry.pods) onChange(uid);
      }),
    );
    return entry;
  };
  const find = async <T extends KubeObject>(
    resource: Resource<T>,
    at: { namespace: string; name: string },
    uid: string,
  ): Promise<Readonly<T> | undefined> => {
    const key = `${resource.plural}/${at.namespace}/${at.name}`;
    let entry = watched.get(key);
    if (!entry) {
      entry = watch(resource as Resource<KubeObject>, at.namespace, at.name);
      watched.set(key, entry);
    }
    entry.pods.add(uid);
    await entry.informer.synced;
    return entry.informer.get(`${at.namespace}/${at.name}`) as Readonly<T> | undefined;
  };

  return {
    forPod: (uid) => ({
      async configMap(namespace, name) {
        const found = await find<ConfigMap>(configMaps, { namespace, name }, uid);
        if (!found) return undefined;
        const text = Object.entries(found.data ?? {}).map(
          ([key, value]) => [key, Buffer.from(value)] as const,
        );
        const bytes = Object.entries(found.binaryData ?? {}).map(
          ([key, value]) => [key, Buffer.from(value, "base64")] as const,
        );
        return Object.fromEntries([...text, ...bytes]);
      },
      async secret(namespace, name) {
        const found = await find<Secret>(secrets, { namespace, name }, uid);
        if (!found) return undefined;
        const data = Object.entries(found.data ?? {}).map(
          ([key, value]) => [key, Buffer.from(value, "base64")] as const,
        );
        return Object.fromEntries(data);
      },
    }),
    release(uid) {
      for (const [key, entry] of watched) {
        if (!entry.pods.delete(uid) || entry.pods.size > 0) continue;
        watched.delete(key);
        void entry.informer.stop();
      }
    },
    async stop() {
      const all = [...watched.values()];
      watched.clear();
      await Promise.all(all.map(({ informer }) => informer.stop()));
    },
  };
}
