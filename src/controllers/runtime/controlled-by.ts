// The index that every controller of owned objects asks: by the uid of the controller, and the orphans of a namespace.
import { controllerOf, type KubeObject } from "../../api/object.ts";
import type { IndexFunction, Lister } from "../../client/informer.ts";

export const CONTROLLED_BY = "controlledBy";

const orphansOf = (namespace: string | undefined) => `orphans of ${namespace ?? ""}`;

export const controlledByIndex: IndexFunction<KubeObject> = (object) => [
  controllerOf(object)?.uid ?? orphansOf(object.metadata.namespace),
];

/** What `uid` controls. */
export function controlledBy<T extends KubeObject>(lister: Lister<T>, uid: string): readonly Readonly<T>[] {
  return lister.byIndex(CONTROLLED_BY, uid);
}

/** What nobody controls. */
export function orphansIn<T extends KubeObject>(
  lister: Lister<T>,
  namespace: string | undefined,
): readonly Readonly<T>[] {
  return lister.byIndex(CONTROLLED_BY, orphansOf(namespace));
}
