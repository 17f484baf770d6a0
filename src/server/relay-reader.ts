// What the stream relay reads of the store.
import type { KubeObject } from "../api/object.ts";
import { parseLabelSelector } from "../api/selectors.ts";
import type { ServerContext } from "./context.ts";
import { storeKey, storePrefix } from "./keys.ts";
import type { RelayReader } from "./streams/relay.ts";

export function createRelayReader({ store }: ServerContext): RelayReader {
  return {
    find: async <T extends KubeObject>(
      resource: Parameters<RelayReader["find"]>[0],
      { namespace, name }: { namespace?: string | undefined; name: string },
    ) => store.get(storeKey(resource, namespace, name))?.object as Readonly<T> | undefined,
    list: async <T extends KubeObject>(
      resource: Parameters<RelayReader["list"]>[0],
      { namespace, labelSelector }: { namespace: string; labelSelector?: string },
    ) => {
      const matches = labelSelector ? parseLabelSelector(labelSelector) : () => true;
      return store
        .list(storePrefix(resource, namespace))
        .map(({ object }) => object as Readonly<T>)
        .filter(({ metadata }) => matches(metadata.labels));
    },
  };
}
