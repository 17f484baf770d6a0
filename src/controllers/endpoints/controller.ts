// Keeps one Endpoints object beside every Service that has a selector. Those of Services without one (`kubernetes` among them)
// belong to whoever wrote them.
import type { Endpoints, Service } from "../../api/generated/types.ts";
import { endpoints } from "../../api/kinds/endpoints.ts";
import { pods } from "../../api/kinds/pod.ts";
import { services } from "../../api/kinds/service.ts";
import { type Draft, keyOf, parseKey } from "../../api/object.ts";
import { equalJson } from "../../api/own.ts";
import { hasReason } from "../../api/status-error.ts";
import type { ControllerContext, RunningController } from "../runtime/context.ts";
import {
  hasSelector,
  isHeadless,
  lastTrigger,
  podsOf,
  watchServicesAndPods,
} from "../runtime/service-pods.ts";
import { startController, type Writes } from "../runtime/start-controller.ts";
import { planEndpoints } from "./plan.ts";

const HEADLESS = "service.kubernetes.io/headless";
const MANAGED_BY = "endpoints.kubernetes.io/managed-by";
const MANAGER = "endpoint-controller";
const LAST_CHANGE = "endpoints.kubernetes.io/last-change-trigger-time";
const OVER_CAPACITY = "endpoints.kubernetes.io/over-capacity";

export function startEndpointsController(context: ControllerContext): RunningController {
  const { client, informers } = context;
  const list = informers.of(endpoints);
  const serviceList = informers.of(services);

  async function reconcile(key: string, _signal: AbortSignal, writes: Writes): Promise<void> {
    const service = serviceList.get(key);
    if (!service) {
      await remove(key, writes);
      return;
    }
    if (!hasSelector(service)) return;
    const existing = list.get(key);
    const wanted = wantedEndpoints(service, existing, context);
    if (existing && isUpToDate(existing, wanted)) return;
    const written = existing
      ? await client.update(endpoints, {
          ...wanted,
          metadata: { ...existing.metadata, ...wanted.metadata },
        } as Endpoints)
      : await client.create(endpoints, wanted);
    writes.wrote(endpoints, written);
  }

  async function remove(key: string, writes: Writes): Promise<void> {
    const orphan = list.get(key);
    // Only what this controller made: a user's own Endpoints may outlive or precede the Service of that name.
    if (orphan?.metadata.labels?.[MANAGED_BY] !== MANAGER) return;
    const { namespace, name } = parseKey(key);
    try {
      await client.delete(endpoints, { namespace, name }, { preconditions: { uid: orphan.metadata.uid } });
      writes.deleted(endpoints, orphan);
    } catch (error) {
      if (!hasReason(error, "NotFound")) throw error;
    }
  }

  return startController(context, {
    name: "endpoints",
    watch: (enqueue) => {
      informers.of(pods);
      return [
        ...watchServicesAndPods(informers, enqueue),
        // What someone else has changed or deleted is put right again.
        list.onChange((after, before) => enqueue(keyOf((after ?? before) as Endpoints))),
      ];
    },
    reconcile,
  });
}

function wantedEndpoints(
  service: Readonly<Service>,
  existing: Readonly<Endpoints> | undefined,
  { informers }: ControllerContext,
): Draft<Endpoints> {
  const behind = podsOf(service, informers);
  const { subsets, overCapacity } = planEndpoints(service, behind);
  const { namespace, name, labels } = service.metadata;
  const {
    [LAST_CHANGE]: _before,
    [OVER_CAPACITY]: _full,
    ...annotations
  } = existing?.metadata.annotations ?? {};
  const trigger = lastTrigger(service, behind);
  return {
    apiVersion: "v1",
    kind: "Endpoints",
    metadata: {
      ...(namespace ? { namespace } : {}),
      name,
      labels: { ...labels, [MANAGED_BY]: MANAGER, ...(isHeadless(service) ? { [HEADLESS]: "" } : {}) },
      annotations: {
        ...annotations,
        ...(trigger ? { [LAST_CHANGE]: trigger } : {}),
        ...(overCapacity ? { [OVER_CAPACITY]: "truncated" } : {}),
      },
    },
    subsets: [...subsets],
  };
}

function isUpToDate(existing: Readonly<Endpoints>, wanted: Draft<Endpoints>): boolean {
  const full = (one: Draft<Endpoints>) => one.metadata?.annotations?.[OVER_CAPACITY];
  return (
    equalJson(existing.subsets ?? [], wanted.subsets ?? []) &&
    equalJson(existing.metadata.labels ?? {}, wanted.metadata?.labels ?? {}) &&
    full(existing) === full(wanted)
  );
}
