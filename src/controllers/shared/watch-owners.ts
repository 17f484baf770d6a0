// Which owners of pods a change concerns. Only keys leave this file: what happened is found out again from what is.
import type { Pod } from "../../api/generated/types.ts";
import { pods } from "../../api/kinds/pod.ts";
import { controllerOf, type KubeObject, keyOf } from "../../api/object.ts";
import type { Resource } from "../../api/resource.ts";
import type { LabelMatcher } from "../../api/selectors.ts";
import type { InformerFactory } from "../../client/informer.ts";
import type { Enqueue } from "../runtime/start-controller.ts";

export interface Owners<T extends KubeObject> {
  readonly resource: Resource<T>;
  selects(owner: Readonly<T>): LabelMatcher;
}

/** Enqueues an owner when it or a pod of it changes, and whoever might adopt a pod that nobody has. */
export function watchOwners<T extends KubeObject>(
  informers: InformerFactory,
  { resource, selects }: Owners<T>,
  enqueue: Enqueue,
): readonly (() => void)[] {
  const owners = informers.of(resource);

  const ownerKey = (pod: Readonly<Pod> | undefined): string | undefined => {
    const reference = pod && controllerOf(pod);
    if (!reference || reference.kind !== resource.kind) return undefined;
    const key = keyOf({ metadata: { name: reference.name, namespace: pod.metadata.namespace ?? "" } });
    return owners.get(key)?.metadata.uid === reference.uid ? key : undefined;
  };
  const enqueueSelecting = (pod: Readonly<Pod>) => {
    for (const owner of owners.inNamespace(pod.metadata.namespace ?? ""))
      if (selects(owner)(pod.metadata.labels)) enqueue(keyOf(owner));
  };

  return [
    owners.onChange((after, before) => enqueue(keyOf((after ?? before)!))),
    informers.of(pods).onChange((after, before) => {
      const old = ownerKey(before);
      if (old !== undefined) enqueue(old);
      const now = ownerKey(after);
      if (now !== undefined && now !== old) enqueue(now);
      if (after && !controllerOf(after)) enqueueSelecting(after);
    }),
  ];
}
