// Deletes pods from nodes whose NoExecute taints they do not, or no longer, tolerate; each pod when its own time is up.
// A taint that goes away in time cancels that. Pods on nodes out of service are ended for good by the pod garbage collector.
import type { Node, Pod } from "../../api/generated/types.ts";
import { nodes } from "../../api/kinds/node.ts";
import { pods } from "../../api/kinds/pod.ts";
import { keyOf } from "../../api/object.ts";
import { isPodOver, podCondition } from "../../api/pod-status.ts";
import { hasReason } from "../../api/status-error.ts";
import { timestamp } from "../../base/clock.ts";
import { createRecorder } from "../../client/recorder.ts";
import type { ControllerContext, RunningController } from "../runtime/context.ts";
import { startController, type Writes } from "../runtime/start-controller.ts";
import { cancellingDeletion, type EventText, markingForDeletion } from "./events.ts";
import { noExecuteTaints, toleratedSeconds } from "./plan-eviction.ts";

/** Index of pods by the node they are on. */
export const BY_NODE = "spec.nodeName";

// A lost node's pods should leave together; each takes a few writes.
const WORKERS = 16;

export function startTaintEviction(context: ControllerContext): RunningController {
  const { client, clock, informers } = context;
  const recorder = createRecorder(client, { component: "taint-eviction-controller", clock });
  const podList = informers.of(pods);
  const nodeList = informers.of(nodes);
  podList.addIndex(BY_NODE, ({ spec }) => (spec.nodeName ? [spec.nodeName] : []));
  /** By pod: whose time runs, and since when this process has seen the taint. */
  const running = new Map<string, { uid: string; sinceMs: number }>();

  const say = (pod: Readonly<Pod>, { type, reason, message }: EventText) =>
    recorder.event(pod, type, reason, message);

  async function reconcile(key: string, _signal: AbortSignal, writes: Writes) {
    const pod = podList.get(key);
    if (!pod?.spec.nodeName || pod.metadata.deletionTimestamp || isPodOver(pod)) {
      running.delete(key);
      return;
    }
    const { uid } = pod.metadata;
    const taints = noExecuteTaints(nodeList.get(pod.spec.nodeName));
    const seconds = taints.length > 0 ? toleratedSeconds(pod, taints) : Number.POSITIVE_INFINITY;
    const before = running.get(key);
    if (seconds === Number.POSITIVE_INFINITY) {
      running.delete(key);
      if (before?.uid === uid) say(pod, cancellingDeletion(key));
      return;
    }
    const sinceMs = before?.uid === uid ? before.sinceMs : clock.now();
    running.set(key, { uid, sinceMs });
    const waitMs = sinceMs + seconds * 1000 - clock.now();
    if (waitMs > 0) return { requeueAfterMs: waitMs };
    await evict(pod, writes);
    running.delete(key);
    return;
  }

  async function evict(pod: Readonly<Pod>, writes: Writes): Promise<void> {
    const { namespace, name, uid } = pod.metadata;
    try {
      if (podCondition(pod, "DisruptionTarget")?.status !== "True") {
        const condition = {
          type: "DisruptionTarget",
          status: "True",
          reason: "DeletionByTaintManager",
          message: "Taint manager: deleting due to NoExecute taint",
          lastTransitionTime: timestamp(clock.now()),
        };
        const patch = { metadata: { uid }, status: { conditions: [condition] } };
        await client.patch(pods, { namespace, name }, "strategic", patch, { subresource: "status" });
      }
      await client.delete(pods, { namespace, name }, { preconditions: { uid } });
    } catch (error) {
      // Gone, or another pod of that name by now.
      if (hasReason(error, "NotFound") || hasReason(error, "Conflict")) return;
      throw error;
    }
    say(pod, markingForDeletion(keyOf(pod)));
    writes.deleted(pods, pod);
  }

  return startController(context, {
    name: "taint-eviction",
    workers: WORKERS,
    watch: (enqueue) => [
      nodeList.onChange((after, before) => {
        if (taintsOf(after) === taintsOf(before)) return;
        const name = (after ?? before)?.metadata.name ?? "";
        for (const pod of podList.byIndex(BY_NODE, name)) enqueue(keyOf(pod));
      }),
      podList.onChange((after, before) => {
        const pod = after ?? before;
        if (!pod?.spec.nodeName) return;
        const isNews =
          !before?.spec.nodeName ||
          !after ||
          running.has(keyOf(pod)) ||
          tolerations(after) !== tolerations(before);
        if (isNews) enqueue(keyOf(pod));
      }),
    ],
    reconcile,
  });
}

const taintsOf = (node: Readonly<Node> | undefined): string => JSON.stringify(noExecuteTaints(node));
const tolerations = (pod: Readonly<Pod>): string => JSON.stringify(pod.spec.tolerations);
