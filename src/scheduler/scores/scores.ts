import { balancedAllocation } from "./balanced-allocation.ts";
import { leastAllocated } from "./least-allocated.ts";
import { nodePreference } from "./node-preference.ts";
import { podPreference } from "./pod-preference.ts";
import type { Score } from "./score.ts";
import { taintPreference } from "./taint-preference.ts";
import { topologySpreadScore } from "./topology-spread.ts";

// Unlike Kubernetes: no ImageLocality, because images here are programs that every node has.
export const scores: readonly Score[] = [
  taintPreference,
  nodePreference,
  topologySpreadScore,
  podPreference,
  leastAllocated,
  balancedAllocation,
];
