// Which pods serve the same purpose as a pod: those that all its Services select and that have the same owner's selector
// (component-helpers' DefaultSelector).
import { replicaSets } from "../api/kinds/replica-set.ts";
import { replicationControllers } from "../api/kinds/replication-controller.ts";
import { services } from "../api/kinds/service.ts";
import { controllerOf } from "../api/object.ts";
import { type LabelMatcher, labelMatcher, labelMatcherOf } from "../api/selectors.ts";
import type { InformerFactory } from "../client/informer.ts";
import type { PodInfo } from "./pod-info.ts";

/** Touches the informers it reads, so that they start. The function gives undefined for a pod with neither Service nor owner. */
export function createSiblings(informers: InformerFactory): (pod: PodInfo) => LabelMatcher | undefined {
  const serviceList = informers.of(services);
  const sets = informers.of(replicaSets);
  const controllers = informers.of(replicationControllers);

  return (pod) => {
    const all: LabelMatcher[] = [];
    for (const { spec } of serviceList.inNamespace(pod.namespace)) {
      if (!spec.selector || Object.keys(spec.selector).length === 0) continue;
      const selects = labelMatcherOf(spec.selector);
      if (selects(pod.labels)) all.push(selects);
    }
    const owner = controllerOf(pod.pod);
    const key = `${pod.namespace}/${owner?.name}`;
    if (owner?.kind === "ReplicaSet") {
      const set = sets.get(key);
      if (set) all.push(labelMatcher(set.spec?.selector));
    } else if (owner?.kind === "ReplicationController") {
      const selector = controllers.get(key)?.spec?.selector;
      if (selector) all.push(labelMatcherOf(selector));
    }
    return all.length > 0 ? (labels) => all.every((selects) => selects(labels)) : undefined;
  };
}
