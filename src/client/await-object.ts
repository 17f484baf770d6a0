// Waiting for what becomes of one object, by a watch and not by asking again and again.
import type { KubeObject } from "../api/object.ts";
import type { Resource } from "../api/resource.ts";
import { silentLog } from "../base/log.ts";
import type { At, Client } from "./client.ts";
import { startInformer } from "./start-informer.ts";

/**
 * Calls `decide` with the object as it is (undefined where there is none) and with every state that follows; resolves with its first answer
 * that is not undefined, or with undefined when `signal` aborts. What `decide` throws is thrown.
 */
export async function awaitObject<T extends KubeObject, R>(
  client: Client,
  resource: Resource<T>,
  at: At,
  { decide, signal }: { decide(object: Readonly<T> | undefined): R | undefined; signal?: AbortSignal },
): Promise<R | undefined> {
  const informer = startInformer(client, resource, {
    ...(at.namespace ? { namespace: at.namespace } : {}),
    fieldSelector: `metadata.name=${at.name}`,
    log: silentLog,
  });
  const key = resource.namespaced ? `${at.namespace ?? ""}/${at.name}` : at.name;
  let found: { readonly value: R } | { readonly error: unknown } | undefined;
  const look = () => {
    try {
      const value = decide(informer.get(key));
      if (value !== undefined) found = { value };
    } catch (error) {
      found = { error };
    }
    return found !== undefined;
  };
  const aborted = new Promise<void>((resolve) => {
    if (signal?.aborted) resolve();
    else signal?.addEventListener("abort", () => resolve(), { once: true });
  });
  try {
    const watched = informer.synced.then(() => informer.when(look));
    await Promise.race([watched, aborted]);
  } finally {
    await informer.stop();
  }
  if (found && "error" in found) throw found.error;
  return found?.value;
}
