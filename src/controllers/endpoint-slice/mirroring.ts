// Hand-written Endpoints of a Service without a selector, mirrored into EndpointSlices, because that is what proxies read
// (endpointslicemirroring). Endpoints labelled `skip-mirror`, and those that serve as a leader election lock, are left alone.
import { isIPv6 } from "node:net";
import type { Endpoint, EndpointAddress, Endpoints } from "../../api/generated/types.ts";
import { endpointSlices } from "../../api/kinds/endpoint-slice.ts";
import { endpoints } from "../../api/kinds/endpoints.ts";
import { services } from "../../api/kinds/service.ts";
import { LAST_APPLIED, SERVICE_NAME } from "../../api/names.ts";
import { controllerReference, keyOf } from "../../api/object.ts";
import type { ControllerContext, RunningController } from "../runtime/context.ts";
import { hasSelector } from "../runtime/service-pods.ts";
import { startController, type Writes } from "../runtime/start-controller.ts";
import { type EndpointGroup, planSlices } from "./plan.ts";
import { BY_SERVICE, serviceKeyOf } from "./slice-index.ts";
import { MANAGED_BY, removeSlices, writeSlices } from "./write-slices.ts";

const MIRROR = "endpointslicemirroring-controller.k8s.io";
const SKIP = "endpointslice.kubernetes.io/skip-mirror";
// What is about the Endpoints object itself, and would be wrong of a slice.
const NOT_MIRRORED = new Set(["endpoints.kubernetes.io/last-change-trigger-time", LAST_APPLIED]);
const LEADER = "control-plane.alpha.kubernetes.io/leader";

export function startEndpointSliceMirroring(context: ControllerContext): RunningController {
  const { client, informers } = context;
  const slices = informers.of(endpointSlices);
  const endpointsList = informers.of(endpoints);
  const serviceList = informers.of(services);
  slices.addIndex(BY_SERVICE, (slice) => [serviceKeyOf(slice)]);

  async function reconcile(key: string, _signal: AbortSignal, writes: Writes): Promise<void> {
    const service = serviceList.get(key);
    const source = endpointsList.get(key);
    const existing = slices
      .byIndex(BY_SERVICE, key)
      .filter(({ metadata }) => metadata.labels?.[MANAGED_BY] === MIRROR);
    if (!service || hasSelector(service) || !source || !isMirrored(source)) {
      await removeSlices({ client, writes }, existing);
      return;
    }
    const groups = mirroredGroups(source);
    const { [SKIP]: _skip, ...labels } = source.metadata.labels ?? {};
    const head = {
      namespace: service.metadata.namespace ?? "",
      service: service.metadata.name,
      labels: { ...labels, [SERVICE_NAME]: service.metadata.name, [MANAGED_BY]: MIRROR },
      annotations: mirroredAnnotations(source),
      hasAllAnnotations: true,
      owner: controllerReference(source, "v1", "Endpoints"),
    };
    for (const addressType of ["IPv4", "IPv6"] as const) {
      const ofType = existing.filter((slice) => slice.addressType === addressType);
      const wanted = groups[addressType];
      // No placeholder here: an empty Endpoints has no slices.
      if (wanted.length === 0) await removeSlices({ client, writes }, ofType);
      else await writeSlices({ client, writes }, { ...head, addressType }, planSlices(wanted, ofType));
    }
  }

  return startController(context, {
    name: "endpoint-slice-mirroring",
    workers: 1,
    watch: (enqueue) => [
      endpointsList.onChange((after, before) => enqueue(keyOf((after ?? before) as Endpoints))),
      serviceList.onChange((after, before) => {
        const service = after ?? before;
        if (service && endpointsList.get(keyOf(service))) enqueue(keyOf(service));
      }),
      slices.onChange((after, before) => {
        const slice = after ?? before;
        if (slice?.metadata.labels?.[MANAGED_BY] === MIRROR) enqueue(serviceKeyOf(slice));
      }),
    ],
    reconcile,
  });
}

const isMirrored = ({ metadata }: Readonly<Endpoints>): boolean =>
  !metadata.deletionTimestamp &&
  metadata.labels?.[SKIP] !== "true" &&
  !(LEADER in (metadata.annotations ?? {}));

const mirroredAnnotations = ({ metadata }: Readonly<Endpoints>): Record<string, string> =>
  Object.fromEntries(Object.entries(metadata.annotations ?? {}).filter(([name]) => !NOT_MIRRORED.has(name)));

/** Pure: the Endpoints' addresses by kind of address, a group for each subset. */
export function mirroredGroups({ subsets }: Readonly<Endpoints>): Record<"IPv4" | "IPv6", EndpointGroup[]> {
  const groups: Record<"IPv4" | "IPv6", EndpointGroup[]> = { IPv4: [], IPv6: [] };
  for (const { addresses = [], notReadyAddresses = [], ports = [] } of subsets ?? []) {
    const all = [
      ...addresses.map((address) => mirroredEndpoint(address, true)),
      ...notReadyAddresses.map((address) => mirroredEndpoint(address, false)),
    ];
    for (const type of ["IPv4", "IPv6"] as const) {
      const endpointsOfType = all.filter((one) => isIPv6(one.addresses[0] ?? "") === (type === "IPv6"));
      if (endpointsOfType.length > 0)
        groups[type].push({
          ports: ports.map((port) => ({ ...port, name: port.name ?? "", protocol: port.protocol ?? "TCP" })),
          endpoints: endpointsOfType,
        });
    }
  }
  return groups;
}

function mirroredEndpoint({ ip, hostname, nodeName, targetRef }: EndpointAddress, ready: boolean): Endpoint {
  return {
    addresses: [ip],
    conditions: { ready },
    ...(hostname ? { hostname } : {}),
    ...(nodeName ? { nodeName } : {}),
    ...(targetRef ? { targetRef } : {}),
  };
}
