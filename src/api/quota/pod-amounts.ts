// What a pod counts as in a quota: the larger of what its containers need together and its initialisation at its peak.
import type { Quantity } from "../../base/quantity.ts";
import type { Container, Pod } from "../generated/types.ts";
import { isPodOver } from "../pod-status.ts";
import { type Amounts, addTo, amountsOf, ONE, raiseTo } from "./amounts.ts";

type Side = "requests" | "limits";

/** Sidecars (init containers that restart always) run beside what starts after them. */
export function podAmounts({ spec }: Readonly<Pod>, side: Side): Map<string, Quantity> {
  const of = ({ resources }: Container): Amounts => amountsOf(resources?.[side]);
  const total = new Map<string, Quantity>();
  const peak = new Map<string, Quantity>();
  const sidecars = new Map<string, Quantity>();
  for (const container of spec.containers ?? []) addTo(total, of(container));
  for (const container of spec.initContainers ?? []) {
    if (container.restartPolicy === "Always") {
      addTo(total, of(container));
      raiseTo(peak, addTo(sidecars, of(container)));
    } else raiseTo(peak, addTo(new Map(sidecars), of(container)));
  }
  raiseTo(total, peak);
  for (const [name, amount] of amountsOf(spec.resources?.[side])) total.set(name, amount);
  const overhead = amountsOf(spec.overhead);
  // An overhead makes no limit where there is none.
  if (side === "limits") for (const name of overhead.keys()) if (!total.has(name)) overhead.delete(name);
  return addTo(total, overhead);
}

/** In the names that quotas use. One that has ended, or should have by now, is an object still, but takes nothing. */
export function podUsage(pod: Readonly<Pod>, nowMs: number): Amounts {
  const usage = new Map([["count/pods", ONE]]);
  if (isPodOver(pod) || isOverdue(pod, nowMs)) return usage;
  return addTo(usage, computeUsage(podAmounts(pod, "requests"), podAmounts(pod, "limits")));
}

function isOverdue({ metadata }: Readonly<Pod>, nowMs: number): boolean {
  const { deletionTimestamp, deletionGracePeriodSeconds: grace } = metadata;
  if (!deletionTimestamp || grace === undefined) return false;
  return nowMs > Date.parse(deletionTimestamp) + grace * 1000;
}

const COMPUTE = ["cpu", "memory", "ephemeral-storage"];

function computeUsage(requests: Amounts, limits: Amounts): Amounts {
  const usage = new Map([["pods", ONE]]);
  for (const [name, amount] of requests) {
    if (COMPUTE.includes(name) || name.startsWith("hugepages-")) usage.set(name, amount);
    usage.set(`requests.${name}`, amount);
  }
  for (const [name, amount] of limits) if (COMPUTE.includes(name)) usage.set(`limits.${name}`, amount);
  return usage;
}

/** A quota on these wants every container to say how much it takes. */
const MUST_BE_SAID = new Set([
  "cpu",
  "memory",
  "requests.cpu",
  "requests.memory",
  "limits.cpu",
  "limits.memory",
]);

/** `must specify limits.cpu for: a,b; memory for: b`, or undefined when all is said. */
export function unsaidAmounts({ spec }: Readonly<Pod>, names: readonly string[]): string | undefined {
  const unsaid = names.filter((name) => MUST_BE_SAID.has(name)).sort();
  const lines = unsaid.flatMap((name) => {
    const silent = [...spec.containers, ...(spec.initContainers ?? [])].filter(
      ({ resources }) =>
        !computeUsage(amountsOf(resources?.requests), amountsOf(resources?.limits)).has(name),
    );
    const containers = silent.map((container) => container.name).sort();
    return containers.length > 0 ? [`${name} for: ${[...new Set(containers)].join(",")}`] : [];
  });
  return lines.length > 0 ? `must specify ${lines.join("; ")}` : undefined;
}

export const isComputeName = (name: string): boolean =>
  name === "pods" ||
  name === "count/pods" ||
  COMPUTE.some((one) => name === one || name === `requests.${one}` || name === `limits.${one}`) ||
  /^(requests\.)?hugepages-/.test(name) ||
  /^requests\..+\/.+/.test(name);
