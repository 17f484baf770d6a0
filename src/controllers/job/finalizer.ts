// Puts the tracking finalizer on a pod and takes it off again.
import type { Pod } from "../../api/generated/types.ts";
import { pods } from "../../api/kinds/pod.ts";
import { hasReason } from "../../api/status-error.ts";
import type { Client } from "../../client/client.ts";
import type { Writes } from "../runtime/start-controller.ts";
import { isTracked, TRACKING } from "./pods.ts";

interface Writer {
  readonly client: Client;
  readonly writes: Writes;
}

/** The pod as it is then; undefined where it is gone. */
export function hold(pod: Readonly<Pod>, writer: Writer): Promise<Pod | undefined> {
  return patch(pod, { finalizers: [TRACKING] }, writer);
}

/** Lets the pod go, and with it, where it is being deleted, the object. */
export async function release(pod: Readonly<Pod>, writer: Writer): Promise<void> {
  if (isTracked(pod)) await patch(pod, { "$deleteFromPrimitiveList/finalizers": [TRACKING] }, writer);
}

async function patch(
  pod: Readonly<Pod>,
  metadata: Record<string, unknown>,
  { client, writes }: Writer,
): Promise<Pod | undefined> {
  try {
    // The uid makes the patch fail for another pod that has come by this name.
    const body = { metadata: { uid: pod.metadata.uid, ...metadata } };
    const patched = await client.patch(pods, pod.metadata, "strategic", body);
    writes.wrote(pods, patched);
    return patched;
  } catch (error) {
    if (hasReason(error, "NotFound") || hasReason(error, "Conflict")) return undefined;
    throw error;
  }
}
