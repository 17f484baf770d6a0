// What the endpoints and the endpoint slice controllers share: which pods stand behind a Service, which Services a change of a
// pod concerns, and whether it concerns any.
import type { Pod, Service } from "../../api/generated/types.ts";
import { pods } from "../../api/kinds/pod.ts";
import { services } from "../../api/kinds/service.ts";
import { PORT_MAP } from "../../api/names.ts";
import { keyOf } from "../../api/object.ts";
import { isPodOver, podCondition } from "../../api/pod-status.ts";
import { labelMatcherOf } from "../../api/selectors.ts";
import type { InformerFactory } from "../../client/informer.ts";
import type { Enqueue } from "./start-controller.ts";

/** True for a Service whose endpoints follow pods; one without a selector has its endpoints from elsewhere. */
export function hasSelector(service: Readonly<Service>): boolean {
  return Object.keys(service.spec.selector ?? {}).length > 0 && service.spec.type !== "ExternalName";
}

export const isHeadless = (service: Readonly<Service>): boolean => service.spec.clusterIP === "None";

/** The pods that the Service selects and that have an address, in a stable order. Those that have run to their end are out. */
export function podsOf(service: Readonly<Service>, informers: InformerFactory): readonly Readonly<Pod>[] {
  const selects = labelMatcherOf(service.spec.selector);
  return informers
    .of(pods)
    .inNamespace(service.metadata.namespace ?? "")
    .filter((pod) => selects(pod.metadata.labels) && pod.status?.podIP && !isPodOver(pod))
    .sort((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1));
}

/** The hostname of a pod in the Service's own subdomain. */
export function hostnameIn(pod: Readonly<Pod>, service: Readonly<Service>): string | undefined {
  const { hostname, subdomain } = pod.spec;
  return hostname && subdomain === service.metadata.name ? hostname : undefined;
}

/** When last something happened to the Service or its pods that its endpoints had to follow; RFC 3339. */
export function lastTrigger(
  service: Readonly<Service>,
  behind: readonly Readonly<Pod>[],
): string | undefined {
  return behind.reduce<string | undefined>((latest, pod) => {
    const at = pod.metadata.deletionTimestamp ?? podCondition(pod, "Ready")?.lastTransitionTime;
    return at && (!latest || at > latest) ? at : latest;
  }, service.metadata.creationTimestamp);
}

/** Enqueues a Service's key when it, or a pod that it selects or selected, changes in a way that endpoints show. */
export function watchServicesAndPods(informers: InformerFactory, enqueue: Enqueue): (() => void)[] {
  const serviceList = informers.of(services);
  const enqueueSelecting = (pod: Readonly<Pod>) => {
    for (const service of serviceList.inNamespace(pod.metadata.namespace ?? ""))
      if (hasSelector(service) && labelMatcherOf(service.spec.selector)(pod.metadata.labels))
        enqueue(keyOf(service));
  };
  return [
    serviceList.onChange((after, before) => {
      const service = after ?? before;
      if (service) enqueue(keyOf(service));
    }),
    informers.of(pods).onChange((after, before) => {
      if (after && before && shown(after) === shown(before)) return;
      if (before) enqueueSelecting(before);
      if (after) enqueueSelecting(after);
    }),
  ];
}

/** Everything about a pod that its endpoints depend on. */
function shown(pod: Readonly<Pod>): string {
  const { metadata, spec, status } = pod;
  const ready = podCondition(pod, "Ready")?.status;
  const place = [
    status?.podIP,
    spec.nodeName,
    spec.hostname,
    spec.subdomain,
    metadata.annotations?.[PORT_MAP],
  ];
  const state = [ready, metadata.deletionTimestamp !== undefined, isPodOver(pod), metadata.uid];
  return JSON.stringify([place, state, metadata.labels]);
}
