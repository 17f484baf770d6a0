// What makes a pod of a StatefulSet that pod and no other: its name with the ordinal in it, its labels, its hostname. Whoever has the
// name is that replica; so there can never be two.
import type { Pod, StatefulSet } from "../../api/generated/types.ts";
import { CONTROLLER_REVISION_HASH } from "../../api/names.ts";

type Set = Readonly<StatefulSet>;

export const POD_NAME = "statefulset.kubernetes.io/pod-name";
export const POD_INDEX = "apps.kubernetes.io/pod-index";

export const podName = (set: Set, ordinal: number): string => `${set.metadata.name}-${ordinal}`;

/** The ordinal in a pod's name, or undefined where the name is not one of this set's. */
export function ordinalOf(set: Set, pod: Pick<Pod, "metadata">): number | undefined {
  const prefix = `${set.metadata.name}-`;
  const { name } = pod.metadata;
  const digits = name.startsWith(prefix) ? name.slice(prefix.length) : "";
  return /^(0|[1-9]\d{0,8})$/.test(digits) ? Number(digits) : undefined;
}

export const firstOrdinal = ({ spec }: Set): number => spec.ordinals?.start ?? 0;
export const replicasOf = ({ spec }: Set): number => spec.replicas ?? 1;

/** True for ordinals that the set should have. */
export function isWanted(set: Set, ordinal: number): boolean {
  const first = firstOrdinal(set);
  return ordinal >= first && ordinal < first + replicasOf(set);
}

export const revisionOf = (pod: Pick<Pod, "metadata">): string =>
  pod.metadata.labels?.[CONTROLLER_REVISION_HASH] ?? "";

/** The labels that say which replica it is. */
export function identityLabels(set: Set, ordinal: number): Record<string, string> {
  return { [POD_NAME]: podName(set, ordinal), [POD_INDEX]: String(ordinal) };
}
