// ResourceQuota: what a namespace may hold and ask for. Admission refuses what goes beyond, the quota controller counts.
import type { ResourceQuota, ScopeSelector } from "../generated/types.ts";
import { ageColumn, type KindDefinition, nameColumn, textColumn } from "../kind.ts";
import { labelKeyErrors } from "../label-syntax.ts";
import type { Resource } from "../resource.ts";
import { type FieldError, invalid, required } from "../status-error.ts";
import { validateImmutable } from "../validation/object-meta.ts";
import { validateQuantity } from "../validation/quantities.ts";

export const resourceQuotas: Resource<ResourceQuota> = {
  group: "",
  version: "v1",
  kind: "ResourceQuota",
  plural: "resourcequotas",
  namespaced: true,
};

const STANDARD: ReadonlySet<string> = new Set([
  ...["cpu", "memory", "ephemeral-storage"].flatMap((name) => [name, `requests.${name}`, `limits.${name}`]),
  "requests.storage",
  "pods",
  "services",
  "services.nodeports",
  "services.loadbalancers",
  "replicationcontrollers",
  "resourcequotas",
  "secrets",
  "configmaps",
  "persistentvolumeclaims",
]);
/** Counted in pieces. */
const WHOLE =
  /^(pods|services.*|replicationcontrollers|resourcequotas|secrets|configmaps|persistentvolumeclaims|count\/.*)$/;
/** Scopes that are about pods, and those of them that need the operator Exists. */
const EXISTS_ONLY = [
  "Terminating",
  "NotTerminating",
  "BestEffort",
  "NotBestEffort",
  "CrossNamespacePodAffinity",
];
const SCOPES = [...EXISTS_ONLY, "PriorityClass", "VolumeAttributesClass"];
const OPPOSITES = [
  ["BestEffort", "NotBestEffort"],
  ["Terminating", "NotTerminating"],
] as const;
const COMPUTE = /^((requests|limits)\.)?(cpu|memory|ephemeral-storage)$/;

export const resourceQuotaKind: KindDefinition<ResourceQuota> = {
  resource: resourceQuotas,
  schema: "io.k8s.api.core.v1.ResourceQuota",
  singular: "resourcequota",
  shortNames: ["quota"],
  nameRule: "dns-subdomain",
  hasStatus: true,
  hasGeneration: false,
  prepareCreate(quota) {
    quota.status = {};
  },
  validate: (quota, { subresource }) =>
    subresource === "status"
      ? [
          ...validateAmounts(quota.status?.hard, "status.hard"),
          ...validateAmounts(quota.status?.used, "status.used"),
        ]
      : validateSpec(quota),
  validateUpdate: ({ spec }, { spec: old }, { subresource }) =>
    subresource === "status" ? [] : validateImmutable(spec?.scopes, old?.scopes, "spec.scopes"),
  columns: [
    /* @__PURE__ */ nameColumn(),
    /* @__PURE__ */ textColumn("Request", "Used and allowed, of all but limits.", (quota) =>
      amountsText(quota, (name) => !name.startsWith("limits.")),
    ),
    /* @__PURE__ */ textColumn("Limit", "Used and allowed of limits.", (quota) =>
      amountsText(quota, (name) => name.startsWith("limits.")),
    ),
    /* @__PURE__ */ ageColumn(),
  ],
};

function amountsText({ status }: ResourceQuota, isShown: (name: string) => boolean): string {
  const { hard = {}, used = {} } = status ?? {};
  return Object.keys(hard)
    .filter(isShown)
    .sort()
    .map((name) => `${name}: ${used[name] ?? "0"}/${hard[name]}`)
    .join(", ");
}

function validateSpec({ spec = {} }: ResourceQuota): FieldError[] {
  const { hard = {}, scopes, scopeSelector } = spec;
  const errors = validateAmounts(hard, "spec.hard");
  if (scopes) errors.push(...validateScopes(scopes, Object.keys(hard)));
  if (scopeSelector) errors.push(...validateScopeSelector(scopeSelector, Object.keys(hard)));
  return errors;
}

function validateAmounts(amounts: Readonly<Record<string, string>> = {}, at: string): FieldError[] {
  return Object.entries(amounts).flatMap(([name, amount]) => {
    const field = `${at}[${name}]`;
    const errors = labelKeyErrors(name).map((why) => invalid(field, name, why));
    if (!name.includes("/") && !STANDARD.has(name) && !/^(requests\.)?hugepages-/.test(name))
      errors.push(invalid(field, name, "must be a standard resource for quota"));
    return [...errors, ...validateQuantity(amount, field, { whole: WHOLE.test(name) })];
  });
}

const isScope = (scope: string): boolean => SCOPES.includes(scope);

function validateScopes(scopes: readonly string[], resources: readonly string[]): FieldError[] {
  const field = "spec.scopes";
  const errors: FieldError[] = [];
  const [known, unknown] = [scopes.filter(isScope), scopes.filter((scope) => !isScope(scope))];
  // Each shows the whole list: once is enough.
  if (unknown.length > 0) errors.push(invalid(field, scopes, "unsupported scope"));
  if (known.some((scope) => !resources.every((name) => isCountedIn(scope, name))))
    errors.push(invalid(field, scopes, "unsupported scope applied to resource"));
  for (const pair of OPPOSITES)
    if (pair.every((one) => scopes.includes(one))) errors.push(invalid(field, scopes, "conflicting scopes"));
  return errors;
}

/** What a scope can be combined with: best-effort pods ask for nothing that could be added up. */
function isCountedIn(scope: string, name: string): boolean {
  if (name === "pods" || name === "count/pods") return scope !== "VolumeAttributesClass";
  if (scope === "BestEffort") return false;
  if (scope === "VolumeAttributesClass") return /persistentvolumeclaims|storage/.test(name);
  return COMPUTE.test(name) || /hugepages-/.test(name) || name.startsWith("requests.");
}

function validateScopeSelector(
  { matchExpressions = [] }: ScopeSelector,
  resources: readonly string[],
): FieldError[] {
  const field = "spec.scopeSelector.matchExpressions";
  const scopes = matchExpressions.map(({ scopeName }) => scopeName);
  const errors: FieldError[] = [];
  for (const { scopeName, operator, values = [] } of matchExpressions) {
    if (!SCOPES.includes(scopeName))
      errors.push(invalid(`${field}.scopeName`, scopeName, "unsupported scope"));
    else if (!resources.every((name) => isCountedIn(scopeName, name)))
      errors.push(invalid(field, scopes, "unsupported scope applied to resource"));
    if (EXISTS_ONLY.includes(scopeName) && operator !== "Exists") {
      const names = EXISTS_ONLY.map((name) => `ResourceQuotaScope${name}`);
      const why = `must be 'Exist' when scope is any of ${names.slice(0, -1).join(", ")} or ${names.at(-1)}`;
      errors.push(invalid(`${field}.operator`, operator, why));
    }
    if (operator === "In" || operator === "NotIn") {
      if (values.length === 0)
        errors.push(
          required(
            `${field}.values`,
            "must be at least one value when `operator` is 'In' or 'NotIn' for scope selector",
          ),
        );
    } else if (operator === "Exists" || operator === "DoesNotExist") {
      if (values.length > 0)
        errors.push(
          invalid(
            `${field}.values`,
            values,
            "must be no value when `operator` is 'Exists' or 'DoesNotExist' for scope selector",
          ),
        );
    } else errors.push(invalid(`${field}.operator`, operator, "not a valid selector operator"));
  }
  for (const pair of OPPOSITES)
    if (pair.every((one) => scopes.includes(one))) errors.push(invalid(field, scopes, "conflicting scopes"));
  return errors;
}
