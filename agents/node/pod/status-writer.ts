// Writes one pod's status: only what changed, the newest state only, one write at a time. While a write is under way
// further changes gather, so a pod that goes from creating to ready in a few milliseconds costs two writes.
import { isDeepStrictEqual } from "node:util";
import type { PodCondition, PodStatus } from "../../../src/api/generated/types.ts";
import { pods } from "../../../src/api/kinds/pod.ts";
import { hasReason, StatusError } from "../../../src/api/status-error.ts";
import type { NodeContext, PodRecord } from "../context.ts";
import { at, takeNewer } from "./sandbox.ts";
import { podStatus, RESIZE_PENDING } from "./status.ts";

export interface StatusWriter {
  /** Something may have changed. */
  request(): void;
  /** Resolves when what is known now is written, or the pod is gone, or the writer is stopped. */
  flush(): Promise<void>;
  stop(): void;
}

const RETRY_MS = 200;

export function createStatusWriter(context: NodeContext, record: PodRecord): StatusWriter {
  const stopped = new AbortController();
  let dirty = false;
  let running: Promise<void> | undefined;
  let gone = false;
  // What was written last and the version it made: a server that stores it in another form is not written to for ever.
  let sent: { status: PodStatus; resourceVersion: string } | undefined;

  const writeOnce = async () => {
    const { client, clock, network } = context;
    const { pod, state } = record;
    const wanted = podStatus({ pod, state, hostIP: network.nodeIP, now: clock.now() });
    const again =
      sent?.resourceVersion === pod.metadata.resourceVersion && isDeepStrictEqual(sent.status, wanted);
    const patch = again ? {} : statusPatch(pod.status, wanted);
    if (Object.keys(patch).length === 0) return;
    const body = { metadata: { uid: record.uid }, status: patch };
    const written = await client.patch(pods, at(record), "strategic", body, { subresource: "status" });
    takeNewer(record, written);
    sent = { status: wanted, resourceVersion: written.metadata.resourceVersion };
  };
  const loop = async () => {
    while (dirty && !gone && !stopped.signal.aborted) {
      dirty = false;
      try {
        await writeOnce();
      } catch (error) {
        // A Conflict: the name now belongs to another pod.
        if (hasReason(error, "NotFound") || hasReason(error, "Conflict")) {
          gone = true;
          return;
        }
        dirty = true;
        const level = error instanceof StatusError ? "warn" : "debug";
        context.log[level]({ pod: record.pod.metadata.name, error: String(error) }, "pod status not written");
        await context.clock.sleep(RETRY_MS, stopped.signal);
      }
    }
  };
  const request = () => {
    dirty = true;
    running ??= loop().finally(() => {
      running = undefined;
    });
  };
  return {
    request,
    async flush() {
      request();
      await running;
    },
    stop: () => stopped.abort(),
  };
}

/**
 * A strategic merge patch of the fields that differ. Conditions are merged by type, so those of others stay; a field
 * that a condition had and should no longer have is nulled.
 */
export function statusPatch(before: PodStatus | undefined, wanted: PodStatus): Record<string, unknown> {
  const patch: Record<string, unknown> = {};
  for (const [field, value] of Object.entries(wanted)) {
    const old = before?.[field as keyof PodStatus];
    if (field === "conditions") continue;
    if (isDeepStrictEqual(old, value)) continue;
    const replace = field === "podIPs" && Array.isArray(old) && old.length > 0;
    patch[field] = replace ? [{ $patch: "replace" }, ...(value as unknown[])] : value;
  }
  const conditions = (wanted.conditions ?? []).flatMap((condition) => {
    const old = before?.conditions?.find(({ type }) => type === condition.type);
    const change = conditionPatch(old, condition);
    return change ? [change] : [];
  });
  const isPending = (list: PodStatus["conditions"]) => list?.some(({ type }) => type === RESIZE_PENDING);
  if (isPending(before?.conditions) && !isPending(wanted.conditions))
    conditions.push({ type: RESIZE_PENDING, $patch: "delete" });
  if (conditions.length > 0) patch["conditions"] = conditions;
  return patch;
}

function conditionPatch(
  old: PodCondition | undefined,
  wanted: PodCondition,
): Record<string, unknown> | undefined {
  if (!old) return { ...wanted };
  const fields = ["status", "reason", "message", "observedGeneration"] as const;
  if (fields.every((field) => (old[field] ?? "") === (wanted[field] ?? ""))) return undefined;
  const removed = fields.filter((field) => old[field] !== undefined && wanted[field] === undefined);
  return { ...wanted, ...Object.fromEntries(removed.map((field) => [field, null])) };
}
