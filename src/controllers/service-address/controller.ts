// Gives load balancer Services their address, and Services whose ports cannot be bound a published port; the proxy listens on both.
// One worker, which waits until its informer has seen what it wrote: so no two Services are ever given the same.
import type { Service } from "../../api/generated/types.ts";
import { services } from "../../api/kinds/service.ts";
import { PUBLISHED_PORTS } from "../../api/names.ts";
import { keyOf } from "../../api/object.ts";
import { equalJson } from "../../api/own.ts";
import { type PublishedPorts, publishedPortsOf } from "../../api/published-ports.ts";
import { createRecorder } from "../../client/recorder.ts";
import type { ControllerContext, RunningController } from "../runtime/context.ts";
import { startController, type Writes } from "../runtime/start-controller.ts";
import { DELETED, DELETING, ENSURED, ENSURING, FAILED } from "./events.ts";
import {
  loadBalancerIpOf,
  planIngress,
  planLoadBalancerIp,
  planPublishedPorts,
  type WantedPort,
  wantsLoadBalancer,
} from "./plan.ts";
import { portIsFree } from "./port-is-free.ts";

export interface ServiceAddressOptions {
  /** Asks the machine; tests answer for it. */
  readonly isFree?: (host: string, port: number, protocol: string) => Promise<boolean>;
}

export function startServiceAddressController(
  context: ControllerContext,
  { isFree = portIsFree }: ServiceAddressOptions = {},
): RunningController {
  const { client, clock, informers, addresses } = context;
  const recorder = createRecorder(client, { component: "service-controller", clock });
  const list = informers.of(services);
  const say = (service: Readonly<Service>, { reason, message }: { reason: string; message: string }) =>
    recorder.event(service, reason === FAILED.reason ? "Warning" : "Normal", reason, message);

  async function reconcile(key: string, _signal: AbortSignal, writes: Writes): Promise<void> {
    const service = list.get(key);
    if (!service || service.metadata.deletionTimestamp) return;
    const others = list.list().filter((other) => keyOf(other) !== key);
    const ip = planLoadBalancerIp(service, others, addresses);
    if (!ip && wantsLoadBalancer(service)) say(service, FAILED);
    const published = await choosePorts(planPublishedPorts(service, ip, addresses), others);
    const annotated = await writePorts(service, published, writes);
    await writeIngress(annotated, { ip, published }, writes);
  }

  async function choosePorts(
    wanted: readonly WantedPort[],
    others: readonly Readonly<Service>[],
  ): Promise<PublishedPorts> {
    const taken = new Set(
      others.flatMap((other) =>
        Object.values(publishedPortsOf(other)).map(({ host, port }) => `${host}:${port}`),
      ),
    );
    const chosen: Record<string, { host: string; port: number }> = {};
    for (const { key, host, protocol, kept, candidates } of wanted) {
      if (kept !== undefined && !taken.has(`${host}:${kept}`)) chosen[key] = { host, port: kept };
      else
        for (const port of candidates()) {
          if (taken.has(`${host}:${port}`) || !(await isFree(host, port, protocol))) continue;
          chosen[key] = { host, port };
          break;
        }
      if (chosen[key]) taken.add(`${host}:${chosen[key].port}`);
    }
    return chosen;
  }

  /** Before the status: by the time that users see an address, the proxy has been told where to listen. */
  async function writePorts(
    service: Readonly<Service>,
    published: PublishedPorts,
    writes: Writes,
  ): Promise<Readonly<Service>> {
    if (equalJson(publishedPortsOf(service), published)) return service;
    const value = Object.keys(published).length > 0 ? JSON.stringify(published) : null;
    const patch = { metadata: { uid: service.metadata.uid, annotations: { [PUBLISHED_PORTS]: value } } };
    const written = await client.patch(services, service.metadata, "merge", patch);
    writes.wrote(services, written);
    return written;
  }

  async function writeIngress(
    service: Readonly<Service>,
    { ip, published }: { ip: string | undefined; published: PublishedPorts },
    writes: Writes,
  ): Promise<void> {
    const ingress = planIngress(ip, published);
    const before = service.status?.loadBalancer?.ingress ?? [];
    // Whoever serves another class of load balancers writes the status of its own.
    if (equalJson(before, ingress) || (service.spec.type === "LoadBalancer" && !wantsLoadBalancer(service)))
      return;
    const isNew = ip !== undefined && ip !== loadBalancerIpOf(service);
    if (isNew) say(service, ENSURING);
    else if (!ip) say(service, DELETING);
    const patch = {
      metadata: { uid: service.metadata.uid },
      status: { loadBalancer: { ingress: ingress.length > 0 ? ingress : null } },
    };
    const written = await client.patch(services, service.metadata, "merge", patch, { subresource: "status" });
    writes.wrote(services, written);
    if (isNew) say(service, ENSURED);
    else if (!ip) say(service, DELETED);
  }

  return startController(context, {
    name: "service-address",
    workers: 1,
    watch: (enqueue) => [
      list.onChange((after, before) => {
        if (after) enqueue(keyOf(after));
        // What a Service has left may be what another waits for.
        else if (before && loadBalancerIpOf(before))
          for (const other of list.list())
            if (wantsLoadBalancer(other) && !loadBalancerIpOf(other)) enqueue(keyOf(other));
      }),
    ],
    reconcile,
  });
}
