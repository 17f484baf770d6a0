// Empties a namespace that is being deleted, resource by resource, and lets it go (its `kubernetes` finalizer) once nothing is left.
import type { Namespace } from "../../api/generated/types.ts";
import { namespaces } from "../../api/kinds/namespace.ts";
import { pods } from "../../api/kinds/pod.ts";
import type { KubeObject } from "../../api/object.ts";
import { groupResourceOf, pathOf, type Resource } from "../../api/resource.ts";
import { hasReason } from "../../api/status-error.ts";
import { timestamp } from "../../base/clock.ts";
import type { ControllerContext, RunningController } from "../runtime/context.ts";
import { startController, type Writes } from "../runtime/start-controller.ts";
import { mergeConditions, planConditions, type Remainder } from "./plan.ts";

const FINALIZER = "kubernetes";
// Pods say when they are gone; for what else is slow to go (finalizers of others) it looks again.
const LOOK_AGAIN_MS = 500;

/** `resources`: what can be in a namespace now; asked on each pass, since kinds may come and go. */
export function startNamespaceController(
  context: ControllerContext,
  { resources }: { resources: () => readonly Resource[] },
): RunningController {
  const { client, informers, clock } = context;
  const list = informers.of(namespaces);
  const podList = informers.of(pods);

  async function reconcile(name: string, _signal: AbortSignal, writes: Writes) {
    const namespace = list.get(name);
    if (!namespace?.metadata.deletionTimestamp || !namespace.spec?.finalizers?.includes(FINALIZER)) return;
    const failures: string[] = [];
    const left: Remainder[] = [];
    for (const resource of resources().filter(({ namespaced }) => namespaced)) {
      const remainder = await empty(resource, name).catch((error: unknown) => {
        failures.push(
          `${groupResourceOf(resource)}: ${error instanceof Error ? error.message : String(error)}`,
        );
        return undefined;
      });
      if (remainder && remainder.count > 0) left.push(remainder);
    }
    const current = await writeConditions(
      namespace,
      planConditions(left, failures, timestamp(clock.now())),
      writes,
    );
    if (left.length > 0 || failures.length > 0) return { requeueAfterMs: LOOK_AGAIN_MS };
    await finalize(current);
  }

  /** Deletes all of one resource and says what is left of it. */
  async function empty(resource: Resource, namespace: string): Promise<Remainder> {
    const items = async () => (await client.list(resource, { namespace })).items;
    if ((await items()).length > 0) {
      const path = pathOf(resource, { namespace });
      await client.transport.request({ method: "DELETE", path, body: { propagationPolicy: "Background" } });
    }
    const left = await items();
    const finalizers: Record<string, number> = {};
    for (const { metadata } of left)
      for (const each of metadata.finalizers ?? []) finalizers[each] = (finalizers[each] ?? 0) + 1;
    return { groupResource: groupResourceOf(resource), count: left.length, finalizers };
  }

  async function writeConditions(
    namespace: Readonly<Namespace>,
    planned: ReturnType<typeof planConditions>,
    writes: Writes,
  ): Promise<Namespace> {
    const conditions = mergeConditions(namespace.status?.conditions ?? [], planned);
    if (!conditions) return namespace;
    const written = await client.updateStatus(namespaces, {
      ...namespace,
      status: { ...namespace.status, conditions },
    });
    writes.wrote(namespaces, written);
    return written;
  }

  async function finalize(namespace: Readonly<Namespace>): Promise<void> {
    const finalizers = (namespace.spec.finalizers ?? []).filter((each) => each !== FINALIZER);
    try {
      await client.update(
        namespaces,
        { ...namespace, spec: { ...namespace.spec, finalizers } },
        { subresource: "finalize" },
      );
    } catch (error) {
      if (!hasReason(error, "NotFound")) throw error;
    }
  }

  return startController(context, {
    name: "namespace",
    watch: (enqueue) => [
      list.onChange((after) => after?.metadata.deletionTimestamp && enqueue(after.metadata.name)),
      podList.onChange((after, before: Readonly<KubeObject> | undefined) => {
        const namespace = before?.metadata.namespace;
        if (!after && namespace && list.get(namespace)?.metadata.deletionTimestamp) enqueue(namespace);
      }),
    ],
    reconcile,
  });
}
