// Makes the Service at which Ingresses are served as soon as there is one to serve, and writes its address into their status. The
// proxies do the serving (agents/proxy/ingress/).
import type { Ingress } from "../../api/generated/types.ts";
import { INGRESS_SERVICE, isServedIngress } from "../../api/ingress-service.ts";
import { ingresses } from "../../api/kinds/ingress.ts";
import { ingressClasses } from "../../api/kinds/ingress-class.ts";
import { services } from "../../api/kinds/service.ts";
import { keyOf } from "../../api/object.ts";
import { equalJson } from "../../api/own.ts";
import { hasReason } from "../../api/status-error.ts";
import { createRecorder } from "../../client/recorder.ts";
import type { ControllerContext, RunningController } from "../runtime/context.ts";
import { startController, type Writes } from "../runtime/start-controller.ts";
import { SYNC } from "./events.ts";
import { INGRESS_SERVICE_OBJECT, planAddresses } from "./plan.ts";

const SERVICE_KEY = `${INGRESS_SERVICE.namespace}/${INGRESS_SERVICE.name}`;

export function startIngressController(context: ControllerContext): RunningController {
  const { client, clock, informers } = context;
  const recorder = createRecorder(client, { component: "kubemu-ingress", clock });
  const list = informers.of(ingresses);
  const classes = informers.of(ingressClasses);
  const serviceList = informers.of(services);

  const ensureService = async (writes: Writes) => {
    if (serviceList.get(SERVICE_KEY)) return;
    try {
      writes.wrote(services, await client.create(services, INGRESS_SERVICE_OBJECT));
    } catch (error) {
      if (!hasReason(error, "AlreadyExists")) throw error;
    }
  };

  async function reconcile(key: string, _signal: AbortSignal, writes: Writes): Promise<void> {
    const ingress = list.get(key);
    if (!ingress || ingress.metadata.deletionTimestamp) return;
    if (!isServedIngress(ingress, (name) => classes.get(name))) return;
    await ensureService(writes);
    const addresses = planAddresses(serviceList.get(SERVICE_KEY));
    const before = ingress.status?.loadBalancer?.ingress ?? [];
    if (addresses.length === 0 || equalJson(before, addresses)) return;
    if (before.length === 0) recorder.event(ingress, "Normal", SYNC.reason, SYNC.message);
    await writeStatus(ingress, addresses, writes);
  }

  const writeStatus = async (ingress: Readonly<Ingress>, addresses: object[], writes: Writes) => {
    const patch = {
      metadata: { uid: ingress.metadata.uid },
      status: { loadBalancer: { ingress: addresses } },
    };
    const options = { subresource: "status" } as const;
    writes.wrote(ingresses, await client.patch(ingresses, ingress.metadata, "merge", patch, options));
  };

  return startController(context, {
    name: "ingress",
    workers: 1,
    watch(enqueue) {
      const all = () => {
        for (const ingress of list.list()) enqueue(keyOf(ingress));
      };
      return [
        list.onChange((after) => after && enqueue(keyOf(after))),
        classes.onChange(all),
        serviceList.onChange((after, before) => {
          const changed = after ?? before;
          if (changed && keyOf(changed) === SERVICE_KEY) all();
        }),
      ];
    },
    reconcile,
  });
}
