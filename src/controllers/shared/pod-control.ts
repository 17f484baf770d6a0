// Creates and deletes the pods of an owner, and says so in its Events: Kubernetes' PodControl.
import type { Pod } from "../../api/generated/types.ts";
import { pods } from "../../api/kinds/pod.ts";
import type { Draft, KubeObject } from "../../api/object.ts";
import { hasReason, StatusError } from "../../api/status-error.ts";
import type { Client } from "../../client/client.ts";
import type { Recorder } from "../../client/recorder.ts";
import type { Writes } from "../runtime/start-controller.ts";
import * as events from "./pod-events.ts";

/** What one reconcile of one owner carries along. */
export interface PodWork {
  readonly client: Client;
  readonly recorder: Recorder;
  readonly writes: Writes;
  readonly owner: KubeObject;
}

export async function createPod(work: PodWork, draft: Draft<Pod>): Promise<void> {
  try {
    const pod = await work.client.create(pods, draft);
    work.writes.wrote(pods, pod);
    say(work, events.successfulCreate(pod.metadata.name));
  } catch (error) {
    // The namespace takes its pods with it; there is nothing to report and nothing to retry.
    if (isNamespaceTerminating(error)) return;
    say(work, events.failedCreate(messageOf(error)));
    throw error;
  }
}

export async function deletePod(work: PodWork, pod: Readonly<Pod>): Promise<void> {
  try {
    await work.client.delete(pods, pod.metadata);
    work.writes.deleted(pods, pod);
    say(work, events.successfulDelete(pod.metadata.name));
  } catch (error) {
    if (hasReason(error, "NotFound")) return work.writes.deleted(pods, pod);
    say(work, events.failedDelete(messageOf(error)));
    throw error;
  }
}

export function say(
  { recorder, owner }: Pick<PodWork, "recorder" | "owner">,
  { type, reason, message }: events.EventText,
): void {
  recorder.event(owner, type, reason, message);
}

export const messageOf = (error: unknown) => (error instanceof Error ? error.message : String(error));

export function isNamespaceTerminating(error: unknown): boolean {
  return (
    error instanceof StatusError &&
    (error.status.details?.causes?.some(({ reason }) => reason === "NamespaceTerminating") ?? false)
  );
}
