// The one place where REST writes meet the store: real writes, dry runs, and what a failed one had taken.
import type { KubeObject } from "../../api/object.ts";
import { StatusError, statusError } from "../../api/status-error.ts";
import { type ChangeFunction, StorageError, type Written } from "../../store/store.ts";
import type { ServerContext } from "../context.ts";

/** Runs `change` against `key`: for good, or as a dry run against the state as it is, storing nothing. */
export async function commit(
  context: ServerContext,
  write: { readonly key: string; readonly dryRun: boolean },
  change: ChangeFunction<KubeObject>,
): Promise<Written<KubeObject>> {
  try {
    const written = write.dryRun
      ? rehearse(context, write.key, change)
      : await context.store.write(write.key, change);
    if (write.dryRun) settle(context, write.key);
    return written;
  } catch (error) {
    settle(context, write.key);
    if (error instanceof StorageError) throw storageStatus(error);
    throw error;
  }
}

function settle(context: ServerContext, key: string): void {
  for (const step of context.admission) step.settle?.(key);
}

function rehearse(
  { store }: ServerContext,
  key: string,
  change: ChangeFunction<KubeObject>,
): Written<KubeObject> {
  const previous = store.get(key);
  const decided = change(previous, store.revision + 1, (other) => store.get(other));
  if (!decided) return { entry: previous, previous, effect: "none" };
  const removed = "remove" in decided;
  const object = removed ? decided.remove : decided.put;
  const { resourceVersion: _, ...metadata } = object.metadata;
  const before = previous?.object.metadata.resourceVersion;
  object.metadata = { ...metadata, ...(before ? { resourceVersion: before } : {}) } as KubeObject["metadata"];
  const entry = { key, object, json: JSON.stringify(object), revision: store.revision };
  return { entry, previous, effect: removed ? "remove" : "put" };
}

/** The disk refused: told to the client as the server's trouble, with the database's name and why. */
function storageStatus(error: StorageError): StatusError {
  return new StatusError(statusError("InternalError", `Internal error occurred: ${error.message}`).status, {
    cause: error,
  });
}
