// maxSurge and maxUnavailable as numbers of pods (Kubernetes' ResolveFenceposts): a surge is rounded up, unavailability down, and since
// nothing could ever move with both at zero, one pod may then be unavailable. Example: 25 % and 25 % of 10 give surge 3, unavailable 2.
import type { Deployment } from "../../api/generated/types.ts";

export interface Fenceposts {
  readonly maxSurge: number;
  readonly maxUnavailable: number;
}

/** Both zero for Recreate, which knows no limits. `maxUnavailable` is never more than the replicas. */
export function fenceposts({ spec }: Readonly<Deployment>): Fenceposts {
  if (!isRollingUpdate({ spec })) return { maxSurge: 0, maxUnavailable: 0 };
  const replicas = spec.replicas ?? 1;
  const { maxSurge, maxUnavailable } = spec.strategy?.rollingUpdate ?? {};
  const surge = scaled(maxSurge ?? "25%", replicas, Math.ceil);
  const unavailable = scaled(maxUnavailable ?? "25%", replicas, Math.floor);
  return {
    maxSurge: surge,
    maxUnavailable: Math.min(surge === 0 && unavailable === 0 ? 1 : unavailable, replicas),
  };
}

export function isRollingUpdate({ spec }: Pick<Deployment, "spec">): boolean {
  return (spec.strategy?.type ?? "RollingUpdate") === "RollingUpdate";
}

function scaled(value: number | string, total: number, round: (value: number) => number): number {
  if (typeof value === "number") return value;
  return round((Number.parseInt(value, 10) * total) / 100);
}
