// Makes victims leave: each is told why, in its status and by an Event, and deleted with its own grace.
import { pods } from "../../api/kinds/pod.ts";
import { hasReason } from "../../api/status-error.ts";
import { type Clock, timestamp } from "../../base/clock.ts";
import type { Client } from "../../client/client.ts";
import type { Recorder } from "../../client/recorder.ts";
import { PREEMPTED as PREEMPTED_EVENT, preemptedBy } from "../events.ts";
import type { PodInfo } from "../pod-info.ts";
import { PREEMPTED } from "./plan.ts";
import type { Victims } from "./victims.ts";

export interface PreemptionWriter {
  readonly client: Client;
  readonly clock: Clock;
  readonly recorder: Recorder;
}

/** Resolves when every victim has been told to leave. One that is leaving already, or is gone, is left alone. */
export async function evictVictims(
  writer: PreemptionWriter,
  pod: PodInfo,
  { node, pods: victims }: Victims,
): Promise<void> {
  const staying = victims.filter(({ terminating }) => !terminating);
  await Promise.all(staying.map((victim) => evict(writer, victim, { pod, node: node.name })));
}

async function evict(
  { client, clock, recorder }: PreemptionWriter,
  victim: PodInfo,
  { pod, node }: { pod: PodInfo; node: string },
): Promise<void> {
  const { namespace, name, uid } = victim.pod.metadata;
  const condition = {
    type: "DisruptionTarget",
    status: "True",
    reason: PREEMPTED,
    message: `${pod.pod.spec.schedulerName}: preempting to accommodate a higher priority pod`,
    lastTransitionTime: timestamp(clock.now()),
  };
  const patch = { metadata: { uid }, status: { conditions: [condition] } };
  try {
    await client.patch(pods, { namespace, name }, "strategic", patch, { subresource: "status" });
    await client.delete(pods, { namespace, name }, { preconditions: { uid } });
  } catch (error) {
    // Gone, or another pod of that name by now.
    if (hasReason(error, "NotFound") || hasReason(error, "Conflict")) return;
    throw error;
  }
  recorder.event(victim.pod, "Normal", PREEMPTED_EVENT, preemptedBy(pod.uid, node));
}
