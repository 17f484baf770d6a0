// Keeps every ResourceQuota's status true to what its namespace holds. What a quota counts may be any kind: listeners are added as quotas ask for them.
import type { ResourceQuota } from "../../api/generated/types.ts";
import { resourceQuotas } from "../../api/kinds/resource-quota.ts";
import { type KubeObject, keyOf } from "../../api/object.ts";
import { equalJson } from "../../api/own.ts";
import { groupResourceOf, type Resource } from "../../api/resource.ts";
import type { ControllerContext, RunningController } from "../runtime/context.ts";
import { type Enqueue, startController } from "../runtime/start-controller.ts";
import { countedBy, planUsage } from "./plan.ts";

/** `resources`: what is served now; asked on each pass, since kinds may come and go. */
export function startResourceQuotaController(
  context: ControllerContext,
  { resources }: { resources: () => readonly Resource[] },
): RunningController {
  const { client, clock, informers, timing } = context;
  const quotas = informers.of(resourceQuotas);
  const listening = new Map<string, () => void>();
  let enqueue: Enqueue = () => {};

  /** From now on every change of one of these makes the quotas of its namespace be counted again. */
  async function listenTo(resource: Resource): Promise<void> {
    const informer = informers.of(resource);
    const name = groupResourceOf(resource);
    if (!listening.has(name)) {
      const listener = (after?: Readonly<KubeObject>, before?: Readonly<KubeObject>) => {
        const namespace = (after ?? before)?.metadata.namespace ?? "";
        for (const quota of quotas.inNamespace(namespace)) enqueue(keyOf(quota));
      };
      listening.set(name, informer.onChange(listener));
    }
    await informer.synced;
  }

  return startController(context, {
    name: "resource-quota",
    watch: (queue) => {
      enqueue = queue;
      return [
        quotas.onChange((after) => after && enqueue(keyOf(after))),
        () => {
          for (const stop of listening.values()) stop();
        },
      ];
    },
    async reconcile(key, _signal, writes) {
      const quota = quotas.get(key);
      if (!quota || quota.metadata.deletionTimestamp) return;
      const counted = countedBy(quota, resources());
      await Promise.all(counted.map(listenTo));
      const namespace = quota.metadata.namespace ?? "";
      const objects = counted.map(
        (resource) => [resource, informers.of(resource).inNamespace(namespace)] as const,
      );
      const status = planUsage(quota, objects, clock.now());
      if (!equalJson(quota.status, status))
        writes.wrote(
          resourceQuotas,
          await client.updateStatus(resourceQuotas, { ...quota, status } as ResourceQuota),
        );
      // Pods stop counting when their time to end is over, which nobody tells.
      return { requeueAfterMs: timing.quotaSyncMs };
    },
  });
}
