// Whether this node takes a pod that was bound to it. Pure. The scheduler checks the same, but pods with a nodeName of
// their own pass it by, and two bindings can race. Source: the kubelet's predicate admit handler.
import type { Pod } from "../../../src/api/generated/types.ts";
import { milliValue, quantityToNumber } from "../../../src/base/quantity.ts";

export interface Refusal {
  readonly reason: string;
  readonly message: string;
}

/** Why `pod` cannot run beside `others` (the node's other live pods); undefined where it can. */
export function admitPod(
  pod: Readonly<Pod>,
  others: readonly Readonly<Pod>[],
  allocatable: Readonly<Record<string, string>>,
): Refusal | undefined {
  const room = Number(allocatable["pods"] ?? 110);
  if (others.length + 1 > room) return insufficient("pods", 1, others.length, room);
  for (const resource of ["cpu", "memory", "ephemeral-storage"]) {
    const measure = resource === "cpu" ? milliValue : quantityToNumber;
    const requested = podRequest(pod, resource, measure);
    if (requested === 0) continue;
    const used = others.reduce((sum, other) => sum + podRequest(other, resource, measure), 0);
    const capacity = measure(allocatable[resource] ?? "0");
    if (used + requested > capacity) return insufficient(resource, requested, used, capacity);
  }
  const taken = new Set(others.flatMap(hostPorts));
  if (hostPorts(pod).some((port) => taken.has(port)))
    return { reason: "NodePorts", message: "Predicate NodePorts failed" };
  return undefined;
}

const insufficient = (resource: string, requested: number, used: number, capacity: number): Refusal => ({
  reason: `OutOf${resource}`,
  message: `Node didn't have enough resource: ${resource}, requested: ${requested}, used: ${used}, capacity: ${capacity}`,
});

/** What a pod asks for: the sum of its containers and sidecars, or its largest init container's need beside the sidecars. */
export function podRequest(
  pod: Readonly<Pod>,
  resource: string,
  measure: (quantity: string) => number,
): number {
  const need = (requests: Record<string, string> | undefined) => measure(requests?.[resource] ?? "0");
  let sidecars = 0;
  let largestInit = 0;
  for (const container of pod.spec?.initContainers ?? []) {
    const own = need(container.resources?.requests);
    if (container.restartPolicy === "Always") sidecars += own;
    largestInit = Math.max(largestInit, container.restartPolicy === "Always" ? sidecars : sidecars + own);
  }
  const running = (pod.spec?.containers ?? []).reduce(
    (sum, one) => sum + need(one.resources?.requests),
    sidecars,
  );
  return Math.max(running, largestInit) + measure(pod.spec?.overhead?.[resource] ?? "0");
}

function hostPorts(pod: Readonly<Pod>): string[] {
  return (pod.spec?.containers ?? []).flatMap(({ ports }) =>
    (ports ?? [])
      .filter(({ hostPort }) => hostPort)
      .map(({ hostPort, hostIP, protocol }) => `${hostIP ?? ""}/${hostPort}/${protocol ?? "TCP"}`),
  );
}
