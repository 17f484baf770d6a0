// Keeps the EndpointSlices of every Service that has a selector. Slices that somebody else manages are not touched.

import type { Service } from "../../api/generated/types.ts";
import { endpointSlices } from "../../api/kinds/endpoint-slice.ts";
import { nodes } from "../../api/kinds/node.ts";
import { pods } from "../../api/kinds/pod.ts";
import { services } from "../../api/kinds/service.ts";
import { SERVICE_NAME } from "../../api/names.ts";
import { controllerReference, keyOf } from "../../api/object.ts";
import type { ControllerContext, RunningController } from "../runtime/context.ts";
import {
  hasSelector,
  isHeadless,
  lastTrigger,
  podsOf,
  watchServicesAndPods,
} from "../runtime/service-pods.ts";
import { startController, type Writes } from "../runtime/start-controller.ts";
import { groupEndpoints, ZONE } from "./groups.ts";
import { startEndpointSliceMirroring } from "./mirroring.ts";
import { planSlices } from "./plan.ts";
import { BY_SERVICE, serviceKeyOf } from "./slice-index.ts";
import { MANAGED_BY, type SliceHead, writeSlices } from "./write-slices.ts";

const MANAGER = "endpointslice-controller.k8s.io";
const HEADLESS = "service.kubernetes.io/headless";
const LAST_CHANGE = "endpoints.kubernetes.io/last-change-trigger-time";
/** Starts both: the slices that follow pods, and those that mirror hand-written Endpoints. */
export function startEndpointSliceController(context: ControllerContext): RunningController {
  const { client, informers } = context;
  const slices = informers.of(endpointSlices);
  const serviceList = informers.of(services);
  const nodeList = informers.of(nodes);
  slices.addIndex(BY_SERVICE, (slice) => [serviceKeyOf(slice)]);

  async function reconcile(key: string, _signal: AbortSignal, writes: Writes): Promise<void> {
    const service = serviceList.get(key);
    // The garbage collector removes the slices of a Service that is gone: they carry its owner reference.
    if (!service || !hasSelector(service) || service.metadata.deletionTimestamp) return;
    const existing = slices
      .byIndex(BY_SERVICE, key)
      .filter(({ metadata }) => metadata.labels?.[MANAGED_BY] === MANAGER && !metadata.deletionTimestamp);
    const behind = podsOf(service, informers);
    const groups = groupEndpoints(service, behind, (name) => nodeList.get(name));
    const trigger = lastTrigger(service, behind);
    await writeSlices({ client, writes }, headOf(service, trigger), planSlices(groups, existing));
  }

  const following = startController(context, {
    name: "endpoint-slice",
    watch: (enqueue) => {
      const enqueueOnNode = (node: string) => {
        for (const pod of informers.of(pods).list())
          if (pod.spec.nodeName === node)
            for (const service of serviceList.inNamespace(pod.metadata.namespace ?? ""))
              if (hasSelector(service)) enqueue(keyOf(service));
      };
      return [
        ...watchServicesAndPods(informers, enqueue),
        nodeList.onChange((after, before) => {
          const zone = (node: typeof after) => node?.metadata.labels?.[ZONE];
          if (!after || !before || zone(after) !== zone(before))
            enqueueOnNode((after ?? before)?.metadata.name ?? "");
        }),
        slices.onChange((after, before) => {
          const slice = after ?? before;
          if (slice?.metadata.labels?.[MANAGED_BY] === MANAGER) enqueue(serviceKeyOf(slice));
        }),
      ];
    },
    reconcile,
  });
  const mirroring = startEndpointSliceMirroring(context);
  return {
    async stop() {
      await Promise.all([following.stop(), mirroring.stop()]);
    },
  };
}

function headOf(service: Readonly<Service>, trigger: string | undefined): SliceHead {
  const { namespace = "", name, labels } = service.metadata;
  return {
    namespace,
    service: name,
    addressType: "IPv4",
    labels: {
      ...labels,
      ...(isHeadless(service) ? { [HEADLESS]: "" } : {}),
      [SERVICE_NAME]: name,
      [MANAGED_BY]: MANAGER,
    },
    annotations: trigger ? { [LAST_CHANGE]: trigger } : {},
    owner: controllerReference(service, "v1", "Service"),
  };
}
