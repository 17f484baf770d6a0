import type { NodeInfo } from "../node-info.ts";
import type { PodInfo } from "../pod-info.ts";
import { BEST, type Score } from "./score.ts";

/** Nodes whose cpu and memory would be used to the same degree: 100 minus the standard deviation of the two fractions. */
export const balancedAllocation: Score = {
  name: "NodeResourcesBalancedAllocation",
  weight: 1,
  // Kubernetes skips pods that ask for nothing: they would be drawn to whichever node is unbalanced the right way.
  rate: (pod, nodes) =>
    pod.requests["cpu"] || pod.requests["memory"] ? nodes.map((node) => balance(pod, node)) : undefined,
};

function balance(pod: PodInfo, { allocatable, requested }: NodeInfo): number {
  const [cpu, memory] = ["cpu", "memory"].map((name) => {
    const capacity = allocatable[name] ?? 0;
    return capacity === 0 ? 0 : Math.min(((requested[name] ?? 0) + (pod.requests[name] ?? 0)) / capacity, 1);
  }) as [number, number];
  return Math.floor((1 - Math.abs(cpu - memory) / 2) * BEST);
}
