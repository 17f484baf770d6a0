import type { Filter } from "./filter.ts";
import { freeHostPorts } from "./host-ports.ts";
import { interPodAffinity } from "./inter-pod-affinity.ts";
import { nodeAffinity } from "./node-affinity.ts";
import { nodeName } from "./node-name.ts";
import { resourcesFit } from "./resources-fit.ts";
import { taints } from "./taints.ts";
import { topologySpread } from "./topology-spread.ts";
import { unschedulable } from "./unschedulable.ts";
import { volumeBinding } from "./volume-binding.ts";
import { volumeRestrictions } from "./volume-restrictions.ts";

/** In Kubernetes' order: the first that rejects a node is the one that explains it. */
export const filters: readonly Filter[] = [
  unschedulable,
  nodeName,
  taints,
  nodeAffinity,
  freeHostPorts,
  resourcesFit,
  volumeRestrictions,
  volumeBinding,
  topologySpread,
  interPodAffinity,
];
