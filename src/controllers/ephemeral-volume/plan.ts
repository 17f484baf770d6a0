// Pure: the claims that a pod's generic ephemeral volumes need.
import type { PersistentVolumeClaim, Pod } from "../../api/generated/types.ts";
import { controllerReference, type Draft } from "../../api/object.ts";
import { isPodOver } from "../../api/pod-status.ts";
import { claimNameOf } from "../../api/volume-match.ts";

export interface EphemeralPlan {
  readonly create: readonly Draft<PersistentVolumeClaim>[];
  /** Names of claims that are in the way: they belong to somebody else. */
  readonly conflicts: readonly string[];
}

export function planEphemeralClaims(
  pod: Readonly<Pod>,
  existing: (name: string) => Readonly<PersistentVolumeClaim> | undefined,
): EphemeralPlan {
  const create: Draft<PersistentVolumeClaim>[] = [];
  const conflicts: string[] = [];
  if (pod.metadata.deletionTimestamp || isPodOver(pod)) return { create, conflicts };
  for (const volume of pod.spec.volumes ?? []) {
    const template = volume.ephemeral?.volumeClaimTemplate;
    const name = claimNameOf(pod, volume);
    if (!template || name === undefined) continue;
    const found = existing(name);
    if (!found) {
      const { labels, annotations } = template.metadata ?? {};
      create.push({
        metadata: {
          name,
          namespace: pod.metadata.namespace ?? "",
          ...(labels ? { labels } : {}),
          ...(annotations ? { annotations } : {}),
          ownerReferences: [controllerReference(pod, "v1", "Pod")],
        },
        spec: structuredClone(template.spec),
      });
    } else if (!isClaimForPod(found, pod)) conflicts.push(name);
  }
  return { create, conflicts };
}

export const isClaimForPod = ({ metadata }: Readonly<PersistentVolumeClaim>, pod: Readonly<Pod>): boolean =>
  metadata.ownerReferences?.some(({ controller, uid }) => controller && uid === pod.metadata.uid) ?? false;
