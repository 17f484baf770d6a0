// Pure: when a pod must leave its node because of NoExecute taints (tainteviction/taint_eviction.go).
import type { Node, Pod, Taint } from "../../api/generated/types.ts";
import { covers, tolerates } from "../../api/taints.ts";

export const noExecuteTaints = (node: Readonly<Node> | undefined): readonly Taint[] =>
  (node?.spec?.taints ?? []).filter(({ effect }) => effect === "NoExecute");

/**
 * How many seconds the pod may still stay beside these taints: 0 when it does not tolerate one of them, the least of the
 * tolerationSeconds that apply, and Infinity when none of those limits it.
 */
export function toleratedSeconds(pod: Readonly<Pod>, taints: readonly Taint[]): number {
  const tolerations = pod.spec.tolerations ?? [];
  if (!taints.every((taint) => tolerates(tolerations, taint))) return 0;
  const used = tolerations.filter((toleration) => taints.some((taint) => covers(toleration, taint)));
  return used.reduce(
    (least, { tolerationSeconds }) =>
      Math.min(least, Math.max(tolerationSeconds ?? Number.POSITIVE_INFINITY, 0)),
    Number.POSITIVE_INFINITY,
  );
}
