import type { NodeInfo } from "../node-info.ts";
import type { PodInfo } from "../pod-info.ts";
import { BEST, type Score } from "./score.ts";

/** The mean of what would stay free of cpu and memory. */
export const leastAllocated: Score = {
  name: "NodeResourcesFit",
  weight: 1,
  rate: (pod, nodes) => nodes.map((node) => free(pod, node)),
};

function free(pod: PodInfo, { allocatable, scored }: NodeInfo): number {
  let total = 0;
  let count = 0;
  for (const name of ["cpu", "memory"] as const) {
    const capacity = allocatable[name] ?? 0;
    if (capacity === 0) continue;
    total += Math.floor((Math.max(capacity - scored[name] - pod.scored[name], 0) * BEST) / capacity);
    count++;
  }
  return count === 0 ? 0 : Math.floor(total / count);
}
