// Which autoscalers are after the same pods. Kept in memory, as Kubernetes keeps it: a selector is a target's, and known once the target was read.
import type { Pod } from "../../api/generated/types.ts";
import { parseLabelSelector } from "../../api/selectors.ts";

export interface Selectors {
  /** `key` is an autoscaler's NAMESPACE/NAME; `selector` its target's, as the scale subresource writes it. */
  put(key: string, selector: string): void;
  forget(key: string): void;
  /** The keys, sorted, of the autoscalers whose selectors find any of `pods`, which are of one namespace. */
  of(pods: readonly Readonly<Pod>[]): readonly string[];
}

export function createSelectors(): Selectors {
  const known = new Map<string, ReturnType<typeof parseLabelSelector>>();
  return {
    put: (key, selector) => known.set(key, parseLabelSelector(selector)),
    forget: (key) => known.delete(key),
    of(pods) {
      const namespace = pods[0]?.metadata.namespace ?? "";
      return [...known]
        .filter(([key]) => key.startsWith(`${namespace}/`))
        .filter(([, selects]) => pods.some(({ metadata }) => selects(metadata.labels)))
        .map(([key]) => key)
        .sort();
    },
  };
}
