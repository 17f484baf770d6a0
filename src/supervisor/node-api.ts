// What the supervisor says about nodes through the API: that a machine is lost, that it is gone for good. It sees processes die at
// once, where Kubernetes has to wait for a lease to grow old.

import type { Node, Taint } from "../api/generated/types.ts";
import { nodes } from "../api/kinds/node.ts";
import { pods } from "../api/kinds/pod.ts";
import { TAINT_OUT_OF_SERVICE } from "../api/names.ts";
import { isNodeReady } from "../api/node-status.ts";
import { hasReason } from "../api/status-error.ts";
import { timestamp } from "../base/clock.ts";
import { awaitObject } from "../client/await-object.ts";
import type { Client } from "../client/client.ts";

const OUT_OF_SERVICE = { key: TAINT_OUT_OF_SERVICE, value: "nodeshutdown", effect: "NoExecute" };

/**
 * Marks a node whose agent has ended: Ready turns Unknown, and the taint out-of-service lets its pods be replaced at once (Kubernetes' non-graceful node shutdown, where an administrator sets that taint by hand). A missing Node is fine.
 */
export async function markLost(client: Client, name: string, nowMs: number): Promise<void> {
  const node = await client.find(nodes, { name });
  if (!node) return;
  await taint(client, name);
  const ready = node.status?.conditions?.find(({ type }) => type === "Ready");
  const condition = {
    type: "Ready",
    status: "Unknown",
    reason: "NodeStatusUnknown",
    message: "Kubelet stopped posting node status.",
    lastHeartbeatTime: ready?.lastHeartbeatTime ?? timestamp(nowMs),
    lastTransitionTime: timestamp(nowMs),
  };
  await client.patch(
    nodes,
    { name },
    "strategic",
    { status: { conditions: [condition] } },
    { subresource: "status" },
  );
}

const isOurs = ({ key, value }: Taint) => key === OUT_OF_SERVICE.key && value === OUT_OF_SERVICE.value;

async function taint(client: Client, name: string): Promise<void> {
  for (;;) {
    const node = await client.get(nodes, { name });
    const taints = node.spec?.taints ?? [];
    if (taints.some(({ key }) => key === OUT_OF_SERVICE.key)) return;
    if (await replaceTaints(client, node, [...taints, OUT_OF_SERVICE])) return;
  }
}

/** False where another writer was faster: the list is replaced as a whole, so the resourceVersion guards it. */
async function replaceTaints(client: Client, node: Node, taints: readonly Taint[]): Promise<boolean> {
  const { name, resourceVersion } = node.metadata;
  try {
    await client.patch(nodes, { name }, "merge", { metadata: { resourceVersion }, spec: { taints } });
    return true;
  } catch (error) {
    if (!hasReason(error, "Conflict")) throw error;
    return false;
  }
}

/** Removes a node that will not come back, with what is left of its pods. */
export async function removeNode(client: Client, name: string): Promise<void> {
  const ignoreMissing = (error: unknown) => {
    if (!hasReason(error, "NotFound")) throw error;
  };
  await client.delete(nodes, { name }).catch(ignoreMissing);
  const { items } = await client.list(pods, { fieldSelector: `spec.nodeName=${name}` });
  await Promise.all(
    items.map((pod) =>
      client
        .delete(
          pods,
          { namespace: pod.metadata.namespace, name: pod.metadata.name },
          { gracePeriodSeconds: 0 },
        )
        .catch(ignoreMissing),
    ),
  );
}

/** How many pods each node has. */
export async function countPods(client: Client, signal: AbortSignal): Promise<ReadonlyMap<string, number>> {
  const counts = new Map<string, number>();
  const { items } = await client.list(pods, { signal });
  for (const { spec } of items)
    if (spec.nodeName) counts.set(spec.nodeName, (counts.get(spec.nodeName) ?? 0) + 1);
  return counts;
}

/** Resolves when the node is Ready, or `signal` aborts. With `takeBackLoss` the taint that markLost had set is removed first. */
export async function awaitReady(
  client: Client,
  name: string,
  { takeBackLoss, signal }: { takeBackLoss: boolean; signal: AbortSignal },
): Promise<void> {
  const isLost = ({ spec }: Readonly<Node>) => takeBackLoss && (spec?.taints ?? []).some(isOurs);
  while (!signal.aborted) {
    // Agents say that they are ready when they have registered; the condition is there then or a moment later.
    const node = await awaitObject(
      client,
      nodes,
      { name },
      {
        decide: (found) => (found && (isLost(found) || isNodeReady(found)) ? found : undefined),
        signal,
      },
    );
    if (!node || !isLost(node)) return;
    const others = (node.spec?.taints ?? []).filter((each) => !isOurs(each));
    await replaceTaints(client, node, others);
  }
}
