import type { Filter, Rejection } from "./filter.ts";

/** cpu, memory, ephemeral-storage, extended resources and the number of pods. All that is short is named. */
export const resourcesFit: Filter = {
  name: "NodeResourcesFit",
  helpedBy: new Set(["node-added", "node-changed", "pod-removed", "pod-changed"]),
  prepare: ({ requests }) => {
    const wanted = Object.entries(requests).filter(([, amount]) => amount > 0);
    return ({ allocatable, requested, pods }): Rejection | undefined => {
      const reasons: string[] = [];
      let final = false;
      if (pods.size + 1 > (allocatable["pods"] ?? 0)) reasons.push("Too many pods");
      for (const [name, amount] of wanted) {
        const capacity = allocatable[name] ?? 0;
        if (amount <= capacity - (requested[name] ?? 0)) continue;
        reasons.push(`Insufficient ${name}`);
        // Even an empty node would be too small.
        if (amount > capacity) final = true;
      }
      return reasons.length > 0 ? { reasons, final } : undefined;
    };
  },
};
