// The scheduler's writes: the binding of a placed pod, and the condition that says why another still waits.
import type { Pod, PodCondition } from "../api/generated/types.ts";
import { pods } from "../api/kinds/pod.ts";
import { timestamp } from "../base/clock.ts";
import type { Client } from "../client/client.ts";
import type { PodInfo } from "./pod-info.ts";

/** Rejects with NotFound when the pod is gone, with Conflict when it has a node already or is another one of the same name. */
export async function bindPod(client: Client, { pod, namespace, uid }: PodInfo, node: string): Promise<void> {
  const { name } = pod.metadata;
  await client.createSub(pods, { namespace, name }, "binding", {
    apiVersion: "v1",
    kind: "Binding",
    metadata: { namespace, name, uid },
    target: { kind: "Node", name: node },
  });
}

/** What PodScheduled must become for a pod that no node would do for; undefined where it says so already. */
export function planUnschedulable(
  pod: Readonly<Pod>,
  message: string,
  nowMs: number,
): PodCondition | undefined {
  const before = pod.status?.conditions?.find(({ type }) => type === "PodScheduled");
  if (before?.status === "False" && before.reason === "Unschedulable" && before.message === message)
    return undefined;
  const lastTransitionTime = before?.status === "False" ? before.lastTransitionTime : undefined;
  return {
    type: "PodScheduled",
    status: "False",
    reason: "Unschedulable",
    message,
    lastTransitionTime: lastTransitionTime ?? timestamp(nowMs),
  };
}

/** What a waiting pod's status says of its scheduling; null takes the nomination back. */
export interface WaitingStatus {
  readonly condition?: PodCondition | undefined;
  readonly nominatedNodeName?: string | null | undefined;
}

export async function writeWaiting(
  client: Client,
  pod: Readonly<Pod>,
  { condition, nominatedNodeName }: WaitingStatus,
): Promise<void> {
  const { namespace, name, uid } = pod.metadata;
  const status = {
    ...(condition ? { conditions: [condition] } : {}),
    ...(nominatedNodeName === undefined ? {} : { nominatedNodeName }),
  };
  if (Object.keys(status).length === 0) return;
  const patch = { metadata: { uid }, status };
  await client.patch(pods, { namespace, name }, "strategic", patch, { subresource: "status" });
}
