// What a ResourceQuota's status says: its limits, and how much of each is taken.
import type { ResourceQuota, ResourceQuotaStatus } from "../../api/generated/types.ts";
import type { KubeObject } from "../../api/object.ts";
import { addTo, amountsOf, ZERO } from "../../api/quota/amounts.ts";
import { evaluatorOf, isCharged } from "../../api/quota/evaluators.ts";
import type { Resource } from "../../api/resource.ts";
import { canonicalQuantity, type Quantity, quantityText } from "../../base/quantity.ts";

/** The objects of the quota's namespace, of each resource that it counts. */
export type Counted = readonly (readonly [Resource, readonly Readonly<KubeObject>[]])[];

/** Those of `resources` that the quota counts. */
export function countedBy<R extends Resource>(
  { spec }: Readonly<ResourceQuota>,
  resources: readonly R[],
): R[] {
  const names = Object.keys(spec?.hard ?? {});
  return resources.filter((resource) => {
    const evaluator = evaluatorOf(resource);
    return evaluator !== undefined && names.some((name) => evaluator.counts(name));
  });
}

/** Names that nothing counts (a kind that is not served) stand in `hard` only. */
export function planUsage(
  quota: Readonly<ResourceQuota>,
  counted: Counted,
  nowMs: number,
): ResourceQuotaStatus {
  const hard = quota.spec?.hard ?? {};
  const used = new Map<string, Quantity>();
  for (const [resource, objects] of counted) {
    const evaluator = evaluatorOf(resource);
    if (!evaluator) continue;
    for (const name of Object.keys(hard)) if (evaluator.counts(name) && !used.has(name)) used.set(name, ZERO);
    for (const object of objects)
      if (isCharged(quota, evaluator, object)) addTo(used, evaluator.usage(object, nowMs));
  }
  return {
    hard: Object.fromEntries(
      [...amountsOf(hard).keys()].map((name) => [name, canonicalQuantity(hard[name]!)]),
    ),
    used: Object.fromEntries(
      [...used].flatMap(([name, amount]) =>
        Object.hasOwn(hard, name) ? [[name, quantityText(amount)]] : [],
      ),
    ),
  };
}
