// What a pod asks of a node: resources and host ports, as Kubernetes' resource helpers add them up.
import type { Container, Pod } from "../api/generated/types.ts";
import { milliValue, quantityToNumber } from "../base/quantity.ts";

/** Amounts by resource name; `cpu` in thousandths of a core, all others in plain units (bytes, pieces). */
export type Amounts = Readonly<Record<string, number>>;

/** A host port that a pod occupies: `ip` is `0.0.0.0` where the manifest names none. */
export interface HostPort {
  readonly ip: string;
  readonly protocol: string;
  readonly port: number;
}

// What a container that asks for nothing is counted as by the scores, so that even such pods spread
// (scheduler/util/pod_resources.go).
const DEFAULT_CPU = 100;
const DEFAULT_MEMORY = 200 * 1024 * 1024;

/** Quantities as written in a manifest or a node's status, as numbers. */
export function amountsOf(quantities: Readonly<Record<string, string>> | undefined): Record<string, number> {
  const amounts: Record<string, number> = {};
  for (const [name, quantity] of Object.entries(quantities ?? {}))
    amounts[name] = name === "cpu" ? milliValue(quantity) : quantityToNumber(quantity);
  return amounts;
}

/**
 * The larger of what all containers need together and what the initialisation needs at its peak, plus the pod's overhead.
 * Sidecars (init containers that restart always) run beside what starts after them. Pod-level requests win where given.
 */
export function podRequests(pod: Pod): Amounts {
  return totalRequests(pod, (container) => amountsOf(container.resources?.requests));
}

/** As podRequests for cpu and memory, with a default for each container that asks for none: only for scores. */
export function scoredRequests(pod: Pod): { cpu: number; memory: number } {
  const total = totalRequests(pod, (container) => ({
    cpu: DEFAULT_CPU,
    memory: DEFAULT_MEMORY,
    ...amountsOf(container.resources?.requests),
  }));
  return { cpu: total["cpu"] ?? 0, memory: total["memory"] ?? 0 };
}

function totalRequests(pod: Pod, requestsOf: (container: Container) => Amounts): Amounts {
  const total: Record<string, number> = {};
  const peak: Record<string, number> = {};
  const sidecars: Record<string, number> = {};
  for (const container of pod.spec.containers) add(total, requestsOf(container));
  for (const container of pod.spec.initContainers ?? []) {
    const requests = requestsOf(container);
    if (container.restartPolicy === "Always") {
      add(total, requests);
      add(sidecars, requests);
      raise(peak, sidecars);
    } else raise(peak, add({ ...sidecars }, requests));
  }
  raise(total, peak);
  Object.assign(total, amountsOf(pod.spec.resources?.requests));
  return add(total, amountsOf(pod.spec.overhead));
}

/** The host ports of a pod's containers and sidecars. */
export function hostPorts(pod: Pod): readonly HostPort[] {
  const sidecars = (pod.spec.initContainers ?? []).filter((one) => one.restartPolicy === "Always");
  return [...pod.spec.containers, ...sidecars].flatMap((container) =>
    (container.ports ?? [])
      .filter((port) => port.hostPort)
      .map((port) => ({
        ip: port.hostIP || "0.0.0.0",
        protocol: port.protocol ?? "TCP",
        port: port.hostPort as number,
      })),
  );
}

function add(to: Record<string, number>, amounts: Amounts): Record<string, number> {
  for (const [name, amount] of Object.entries(amounts)) to[name] = (to[name] ?? 0) + amount;
  return to;
}

function raise(to: Record<string, number>, amounts: Amounts): void {
  for (const [name, amount] of Object.entries(amounts)) to[name] = Math.max(to[name] ?? 0, amount);
}
