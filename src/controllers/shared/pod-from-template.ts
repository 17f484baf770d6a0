import type { Pod, PodTemplateSpec } from "../../api/generated/types.ts";
import { controllerReference, type Draft, type KubeObject } from "../../api/object.ts";
import { apiVersionOf, type Resource } from "../../api/resource.ts";

/** The pod that a template describes, owned by `owner`; the server completes its name. */
export function podFromTemplate(
  owner: KubeObject,
  resource: Pick<Resource, "group" | "version" | "kind">,
  template: PodTemplateSpec,
): Draft<Pod> {
  const { labels, annotations, finalizers } = template.metadata ?? {};
  return {
    metadata: {
      // generateName's limit: the server cuts at 58 and adds five characters.
      generateName: `${owner.metadata.name}-`,
      ...(owner.metadata.namespace ? { namespace: owner.metadata.namespace } : {}),
      ...(labels ? { labels: { ...labels } } : {}),
      ...(annotations ? { annotations: { ...annotations } } : {}),
      ...(finalizers ? { finalizers: [...finalizers] } : {}),
      ownerReferences: [controllerReference(owner, apiVersionOf(resource), resource.kind)],
    },
    ...(template.spec ? { spec: template.spec } : {}),
  };
}
