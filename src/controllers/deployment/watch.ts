// Which Deployments a change concerns.
import type { Pod, ReplicaSet } from "../../api/generated/types.ts";
import { deployments } from "../../api/kinds/deployment.ts";
import { pods } from "../../api/kinds/pod.ts";
import { replicaSets } from "../../api/kinds/replica-set.ts";
import { controllerOf, keyOf } from "../../api/object.ts";
import { labelMatcher } from "../../api/selectors.ts";
import type { InformerFactory } from "../../client/informer.ts";
import type { Enqueue } from "../runtime/start-controller.ts";
import { isRollingUpdate } from "./fenceposts.ts";

export function watchDeployments(informers: InformerFactory, enqueue: Enqueue): readonly (() => void)[] {
  const lister = informers.of(deployments);
  const sets = informers.of(replicaSets);

  const ownerKey = (set: Readonly<ReplicaSet> | undefined): string | undefined => {
    const reference = set && controllerOf(set);
    if (reference?.kind !== "Deployment") return undefined;
    const key = `${set?.metadata.namespace}/${reference.name}`;
    return lister.get(key)?.metadata.uid === reference.uid ? key : undefined;
  };
  const enqueueSelecting = (set: Readonly<ReplicaSet>) => {
    for (const deployment of lister.inNamespace(set.metadata.namespace ?? ""))
      if (labelMatcher(deployment.spec.selector)(set.metadata.labels)) enqueue(keyOf(deployment));
  };
  // Recreate waits for the last old pod to be gone, which shows in no ReplicaSet's status.
  const podGone = (pod: Readonly<Pod>) => {
    const reference = controllerOf(pod);
    const key = ownerKey(reference && sets.get(`${pod.metadata.namespace}/${reference.name}`));
    const deployment = key === undefined ? undefined : lister.get(key);
    if (deployment && !isRollingUpdate(deployment)) enqueue(keyOf(deployment));
  };

  return [
    lister.onChange((after, before) => enqueue(keyOf((after ?? before)!))),
    sets.onChange((after, before) => {
      const old = ownerKey(before);
      if (old !== undefined) enqueue(old);
      const now = ownerKey(after);
      if (now !== undefined && now !== old) enqueue(now);
      if (after && !controllerOf(after)) enqueueSelecting(after);
    }),
    informers.of(pods).onChange((after, before) => {
      if (!after && before) podGone(before);
    }),
  ];
}
