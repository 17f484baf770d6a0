// Deletes the pods that no node agent will ever finish. Unlike Kubernetes: it looks when a pod or node changes, and not only every
// 20 s, so that pods of a machine that was killed are gone at once.
import type { Node, Pod } from "../../api/generated/types.ts";
import { nodes } from "../../api/kinds/node.ts";
import { pods } from "../../api/kinds/pod.ts";
import { hasReason } from "../../api/status-error.ts";
import type { ControllerContext, RunningController } from "../runtime/context.ts";
import { startController, type Writes } from "../runtime/start-controller.ts";
import { type Collected, isOutOfService, planCollect } from "./plan.ts";

// There is one thing to look at: the whole cluster.
const ALL = "all";

export function startPodGarbageCollector(context: ControllerContext): RunningController {
  const { client, informers, timing, log } = context;
  const podList = informers.of(pods);
  const nodeList = informers.of(nodes);
  let missingBefore: ReadonlySet<string> = new Set();

  const collect = async ({ pod, why }: Collected, writes: Writes) => {
    const { namespace, name, uid } = pod.metadata;
    log.info({ pod: `${namespace}/${name}`, why }, "deleting a pod that nobody will finish");
    try {
      if (why === "out of service" && pod.status?.phase !== "Failed") await markDisrupted(pod);
      await client.delete(pods, { namespace, name }, { gracePeriodSeconds: 0, preconditions: { uid } });
      writes.deleted(pods, pod as Pod);
    } catch (error) {
      if (!hasReason(error, "NotFound") && !hasReason(error, "Conflict")) throw error;
    }
  };
  const markDisrupted = (pod: Readonly<Pod>) =>
    client.patch(pods, pod.metadata, "strategic", { status: { phase: "Failed" } }, { subresource: "status" });

  return startController(context, {
    name: "pod-garbage-collector",
    workers: 1,
    watch: (enqueue) => {
      enqueue(ALL);
      return [
        podList.onChange((after) => {
          if (!after?.metadata.deletionTimestamp) return;
          const node = after.spec.nodeName;
          if (!node || !nodeList.get(node) || isOutOfService(nodeList.get(node))) enqueue(ALL);
        }),
        nodeList.onChange((after) => (!after || isOutOfService(after)) && enqueue(ALL)),
      ];
    },
    async reconcile(_key, _signal, writes) {
      const known: ReadonlyMap<string, Readonly<Node>> = new Map(
        nodeList.list().map((node) => [node.metadata.name, node]),
      );
      const all = podList.list();
      const planned = planCollect({ pods: all, nodes: known, missingBefore });
      missingBefore = new Set(
        all.flatMap(({ spec }) => (spec.nodeName && !known.has(spec.nodeName) ? [spec.nodeName] : [])),
      );
      await Promise.all(planned.map((each) => collect(each, writes)));
      return { requeueAfterMs: timing.podCollectMs };
    },
  });
}
