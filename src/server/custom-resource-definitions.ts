// The list of CustomResourceDefinitions, which is empty. kubectl asks for it, whatever discovery says, before it tells a user that the server
// knows no such kind; without an answer all that it says is that it could not ask.
// Unlike Kubernetes: none can be made, nothing else of their group is answered, and discovery does not name it.
import type { ServerContext } from "./context.ts";
import type { ResourcePath } from "./path.ts";
import { type Answer, documentOf } from "./request.ts";

const GROUP = "apiextensions.k8s.io";

/** Whether it is the whole collection that is asked for. */
export const isDefinitions = ({ group, version, plural, namespace, name, watch }: ResourcePath): boolean =>
  `${group}/${version}/${plural}` === `${GROUP}/v1/customresourcedefinitions` &&
  (namespace ?? name) === undefined &&
  !watch;

export function listDefinitions({ store }: ServerContext): Answer {
  return documentOf({
    apiVersion: `${GROUP}/v1`,
    kind: "CustomResourceDefinitionList",
    metadata: { resourceVersion: String(store.revision) },
    items: [],
  });
}
