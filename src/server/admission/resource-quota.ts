// ResourceQuota: refuses what goes beyond a quota of its namespace. Unlike Kubernetes: it counts what is stored, at the moment of the write, and does
// not trust the quota's status, so that neither a new quota nor one whose controller is behind refuses or lets in too much.
import type { ResourceQuota } from "../../api/generated/types.ts";
import { resourceQuotas } from "../../api/kinds/resource-quota.ts";
import type { KubeObject } from "../../api/object.ts";
import { type Amounts, addTo, amountsOf, amountsText } from "../../api/quota/amounts.ts";
import { type Evaluator, evaluatorOf, isCharged } from "../../api/quota/evaluators.ts";
import { groupResourceOf } from "../../api/resource.ts";
import { forbidden } from "../../api/status-error.ts";
import type { Clock } from "../../base/clock.ts";
import type { Quantity } from "../../base/quantity.ts";
import type { Store } from "../../store/store.ts";
import { storePrefix } from "../keys.ts";
import type { AdmissionStep, CheckedWrite, ReadObject } from "./chain.ts";

export function createResourceQuotaStep(store: Store<KubeObject>, clock: Clock): AdmissionStep {
  /** Let in, and perhaps not listed yet: writes that share a commit see each other by their keys only. */
  const pending = new Set<string>();

  function storedObjects(prefix: string, read: ReadObject): KubeObject[] {
    const listed = store.list(prefix).map(({ key }) => read(key));
    const others = [...pending].map((key) => {
      const object = store.get(key) ? undefined : read(key);
      if (!object) pending.delete(key);
      return key.startsWith(prefix) ? object : undefined;
    });
    return [...listed, ...others].filter((object) => object !== undefined);
  }

  function usedOf(
    quota: ResourceQuota,
    evaluator: Evaluator,
    objects: readonly KubeObject[],
  ): Map<string, Quantity> {
    const used = new Map<string, Quantity>();
    for (const object of objects)
      if (isCharged(quota, evaluator, object)) addTo(used, evaluator.usage(object, clock.now()));
    return used;
  }

  return {
    name: "ResourceQuota",
    check(write, read) {
      const { key, object, old, request } = write;
      const { resource } = request.kind;
      const evaluator = request.subresource === "" ? evaluatorOf(resource) : undefined;
      const namespace = object.metadata.namespace;
      if (!evaluator || !namespace || (old && !evaluator.grows)) return;
      const all = store.list(storePrefix(resourceQuotas, namespace)).map((entry) => entry.object);
      const quotas = (all as ResourceQuota[]).filter((quota) => isCharged(quota, evaluator, object));
      if (quotas.length === 0) return;
      checkSaid(write, quotas, evaluator);
      const usage = evaluator.usage(object, clock.now());
      const prefix = `${groupResourceOf(resource)}/${namespace}/`;
      const objects = storedObjects(prefix, read);
      for (const quota of quotas) {
        const before =
          old && isCharged(quota, evaluator, old) ? evaluator.usage(old, clock.now()) : new Map();
        const requested = more(usage, before);
        if (requested.size > 0)
          checkAmounts(write, quota, { requested, used: usedOf(quota, evaluator, objects) });
      }
      if (!old && !request.dryRun) pending.add(key);
    },
  };
}

function checkSaid(
  { object, request }: CheckedWrite,
  quotas: readonly ResourceQuota[],
  evaluator: Evaluator,
): void {
  for (const { metadata, spec } of quotas) {
    const names = Object.keys(spec?.hard ?? {}).filter((name) => evaluator.counts(name));
    const unsaid = evaluator.unsaid?.(object, names);
    if (unsaid)
      throw forbidden(
        request.kind.resource,
        object.metadata.name,
        `failed quota: ${metadata.name}: ${unsaid}`,
      );
  }
}

/** By how much `after` is more, where it is. */
function more(after: Amounts, before: Amounts): Map<string, Quantity> {
  const grown = new Map<string, Quantity>();
  for (const [name, { nanos, format }] of after) {
    const difference = nanos - (before.get(name)?.nanos ?? 0n);
    if (difference > 0n) grown.set(name, { nanos: difference, format });
  }
  return grown;
}

function checkAmounts(
  { object, request }: CheckedWrite,
  { metadata, spec }: ResourceQuota,
  { requested, used }: { requested: Amounts; used: Amounts },
): void {
  const hard = amountsOf(spec?.hard);
  const zero = { nanos: 0n, format: "decimal" as const };
  const exceeded = [...requested.keys()].filter((name) => {
    const limit = hard.get(name);
    return limit && (used.get(name)?.nanos ?? 0n) + (requested.get(name)?.nanos ?? 0n) > limit.nanos;
  });
  if (exceeded.length === 0) return;
  const shown = (amounts: Amounts) =>
    amountsText(new Map(exceeded.map((name) => [name, amounts.get(name) ?? zero])));
  throw forbidden(
    request.kind.resource,
    object.metadata.name,
    `exceeded quota: ${metadata.name}, requested: ${shown(requested)}, used: ${shown(used)}, limited: ${shown(hard)}`,
  );
}
