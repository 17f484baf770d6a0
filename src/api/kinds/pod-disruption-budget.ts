// PodDisruptionBudget: how many pods of an application may be evicted at a time. The disruption controller fills in status, and
// the eviction subresource (src/server/rest/evict.ts) spends it.
import type { PodDisruptionBudget } from "../generated/types.ts";
import { ageColumn, type KindDefinition, nameColumn, textColumn } from "../kind.ts";
import type { Resource } from "../resource.ts";
import { type FieldError, invalid, notSupported } from "../status-error.ts";
import { validateLabelSelector } from "../validation/labels.ts";
import { percentOf, validateNonNegative, validateNumberOrPercent } from "../validation/numbers.ts";
import { countColumn } from "./pod/template-columns.ts";

export const podDisruptionBudgets: Resource<PodDisruptionBudget> = {
  group: "policy",
  version: "v1",
  kind: "PodDisruptionBudget",
  plural: "poddisruptionbudgets",
  namespaced: true,
};

const UNHEALTHY_POLICIES = ["AlwaysAllow", "IfHealthyBudget"];
const COUNTS = ["disruptionsAllowed", "currentHealthy", "desiredHealthy", "expectedPods"] as const;

export const podDisruptionBudgetKind: KindDefinition<PodDisruptionBudget> = {
  resource: podDisruptionBudgets,
  schema: "io.k8s.api.policy.v1.PodDisruptionBudget",
  singular: "poddisruptionbudget",
  shortNames: ["pdb"],
  nameRule: "dns-subdomain",
  hasStatus: true,
  defaults(budget) {
    budget.spec ??= {};
  },
  prepareCreate(budget) {
    budget.status = { currentHealthy: 0, desiredHealthy: 0, disruptionsAllowed: 0, expectedPods: 0 };
  },
  validate: (budget, { subresource }) =>
    subresource === "status" ? validateStatus(budget) : validateSpec(budget),
  columns: [
    /* @__PURE__ */ nameColumn(),
    /* @__PURE__ */ textColumn("Min Available", "Pods that must stay available.", ({ spec }) =>
      String(spec?.minAvailable ?? "N/A"),
    ),
    /* @__PURE__ */ textColumn("Max Unavailable", "Pods that may be unavailable.", ({ spec }) =>
      String(spec?.maxUnavailable ?? "N/A"),
    ),
    /* @__PURE__ */ countColumn(
      "Allowed Disruptions",
      "Evictions that are allowed now.",
      ({ status }) => status?.disruptionsAllowed ?? 0,
    ),
    /* @__PURE__ */ ageColumn(),
  ],
};

function validateSpec({ spec = {} }: PodDisruptionBudget): FieldError[] {
  const { minAvailable, maxUnavailable, selector, unhealthyPodEvictionPolicy: policy } = spec;
  const errors: FieldError[] = [];
  if (minAvailable !== undefined && maxUnavailable !== undefined)
    errors.push(invalid("spec", spec, "minAvailable and maxUnavailable cannot be both set"));
  errors.push(
    ...validateShare(minAvailable, "spec.minAvailable"),
    ...validateShare(maxUnavailable, "spec.maxUnavailable"),
    ...validateLabelSelector(selector, "spec.selector"),
  );
  if (policy !== undefined && !UNHEALTHY_POLICIES.includes(policy))
    errors.push(notSupported("spec.unhealthyPodEvictionPolicy", policy, UNHEALTHY_POLICIES));
  return errors;
}

function validateShare(value: number | string | undefined, field: string): FieldError[] {
  const errors = validateNumberOrPercent(value, field);
  if ((percentOf(value) ?? 0) > 100) errors.push(invalid(field, value, "must not be greater than 100%"));
  return errors;
}

function validateStatus({ status }: PodDisruptionBudget): FieldError[] {
  return COUNTS.flatMap((name) => validateNonNegative(status?.[name], `status.${name}`));
}
