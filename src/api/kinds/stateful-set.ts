// StatefulSet: pods with a name, an address and storage of their own. What its claim templates may say is the claim's own matter.
import type { StatefulSet, StatefulSetSpec } from "../generated/types.ts";
import { ageColumn, type KindDefinition, nameColumn } from "../kind.ts";
import { equalJson } from "../own.ts";
import type { Resource } from "../resource.ts";
import { selectorText } from "../selectors.ts";
import { type FieldError, forbiddenField, invalid, notSupported, required } from "../status-error.ts";
import { dnsLabelErrors } from "../validation/names.ts";
import {
  isZero,
  validateAtMostAll,
  validateNonNegative,
  validateNumberOrPercent,
} from "../validation/numbers.ts";
import { defaultClaimSpec, validateClaimSpec } from "./persistent-volume-claim/claim-spec.ts";
import { defaultPodTemplate } from "./pod/defaults.ts";
import { templateColumns } from "./pod/template-columns.ts";
import { validateSelector, validateTemplate } from "./pod/validate-template.ts";
import { templateWarnings } from "./pod/warnings.ts";

import { scaleByReplicas } from "./scale-paths.ts";
export const statefulSets: Resource<StatefulSet> = {
  group: "apps",
  version: "v1",
  kind: "StatefulSet",
  plural: "statefulsets",
  namespaced: true,
};

export const statefulSetKind: KindDefinition<StatefulSet> = {
  resource: statefulSets,
  schema: "io.k8s.api.apps.v1.StatefulSet",
  singular: "statefulset",
  shortNames: ["sts"],
  categories: ["all"],
  nameRule: "dns-subdomain",
  hasStatus: true,
  scale: /* @__PURE__ */ scaleByReplicas(({ spec }) => selectorText(spec.selector)),
  defaults(set) {
    set.spec ??= {};
    const { spec } = set;
    spec.podManagementPolicy ||= "OrderedReady";
    spec.updateStrategy ??= {};
    spec.updateStrategy.type ||= "RollingUpdate";
    if (spec.updateStrategy.type === "RollingUpdate") {
      spec.updateStrategy.rollingUpdate ??= {};
      spec.updateStrategy.rollingUpdate.partition ??= 0;
      spec.updateStrategy.rollingUpdate.maxUnavailable ??= 1;
    }
    spec.persistentVolumeClaimRetentionPolicy ??= {};
    spec.persistentVolumeClaimRetentionPolicy.whenDeleted ||= "Retain";
    spec.persistentVolumeClaimRetentionPolicy.whenScaled ||= "Retain";
    spec.replicas ??= 1;
    spec.revisionHistoryLimit ??= 10;
    spec.template ??= {};
    defaultPodTemplate(spec.template);
    for (const claim of spec.volumeClaimTemplates ?? []) {
      claim.apiVersion = "v1";
      claim.kind = "PersistentVolumeClaim";
      claim.spec ??= {};
      defaultClaimSpec(claim.spec);
      claim.status ??= {};
      claim.status.phase ||= "Pending";
    }
  },
  prepareCreate(set) {
    set.status = { availableReplicas: 0, replicas: 0 };
  },
  validate: ({ spec, status }, { subresource }) =>
    subresource === "status" ? validateStatus(status) : validateSpec(spec),
  validateUpdate(set, old, { subresource }) {
    if (subresource === "status") return [];
    return equalJson(withoutMutable(set.spec), withoutMutable(old.spec))
      ? []
      : [
          forbiddenField(
            "spec",
            `updates to statefulset spec for fields other than ${MUTABLE_TEXT} are forbidden`,
          ),
        ];
  },
  warnings: (set, old) => [
    ...templateWarnings(set, old),
    ...((set.spec.revisionHistoryLimit ?? 0) < 0
      ? [
          "spec.revisionHistoryLimit: a negative value retains all historical revisions; a value >= 0 is recommended",
        ]
      : []),
  ],
  columns: /* @__PURE__ */ templateColumns<StatefulSet>([
    /* @__PURE__ */ nameColumn(),
    {
      name: "Ready",
      type: "string",
      priority: 0,
      description: "Ready pods of desired pods.",
      value: ({ spec, status }) => `${status?.readyReplicas ?? 0}/${spec.replicas ?? 1}`,
    },
    /* @__PURE__ */ ageColumn(),
  ]),
};

const MUTABLE = [
  "replicas",
  "ordinals",
  "template",
  "updateStrategy",
  "revisionHistoryLimit",
  "persistentVolumeClaimRetentionPolicy",
  "minReadySeconds",
] as const;
const MUTABLE_TEXT =
  "'replicas', 'ordinals', 'template', 'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds'";

function withoutMutable(spec: StatefulSetSpec): Partial<StatefulSetSpec> {
  const rest: Partial<StatefulSetSpec> = { ...spec };
  for (const field of MUTABLE) delete rest[field];
  return rest;
}

function validateSpec(spec: StatefulSetSpec): FieldError[] {
  const { serviceName } = spec;
  return [
    ...validatePolicy(spec.podManagementPolicy),
    ...validateStrategy(spec.updateStrategy),
    ...validateRetention(spec.persistentVolumeClaimRetentionPolicy),
    ...validateNonNegative(spec.replicas, "spec.replicas"),
    ...validateNonNegative(spec.minReadySeconds, "spec.minReadySeconds"),
    ...validateNonNegative(spec.ordinals?.start, "spec.ordinals.start"),
    ...(serviceName
      ? dnsLabelErrors(serviceName).map((why) => invalid("spec.serviceName", serviceName, why))
      : []),
    ...validateSelector(spec.selector, {
      empty: "empty selector is invalid for statefulset",
      unusable: "",
    }),
    ...validateTemplate(withClaims(spec), spec.selector, "StatefulSet"),
    ...validateClaims(spec.volumeClaimTemplates),
  ];
}

/** The template as its pods will be: containers may mount what the claim templates bring. */
function withClaims({ template, volumeClaimTemplates = [] }: StatefulSetSpec): StatefulSetSpec["template"] {
  if (!template?.spec || volumeClaimTemplates.length === 0) return template;
  const claimed = new Set(volumeClaimTemplates.map(({ metadata }) => metadata?.name ?? ""));
  const volumes = [
    ...(template.spec.volumes ?? []).filter(({ name }) => !claimed.has(name)),
    ...[...claimed].map((name) => ({ name, persistentVolumeClaim: { claimName: name } })),
  ];
  return { ...template, spec: { ...template.spec, volumes } };
}

function validateClaims(templates: StatefulSetSpec["volumeClaimTemplates"] = []): FieldError[] {
  return templates.flatMap(({ metadata, spec }, index) => {
    const at = `spec.volumeClaimTemplates[${index}]`;
    const name = metadata?.name ?? "";
    return [
      ...(name
        ? dnsLabelErrors(name).map((why) => invalid(`${at}.metadata.name`, name, why))
        : [required(`${at}.metadata.name`)]),
      ...validateClaimSpec(spec ?? {}, `${at}.spec`),
    ];
  });
}

function validatePolicy(policy: string | undefined): FieldError[] {
  if (policy === "OrderedReady" || policy === "Parallel") return [];
  return [invalid("spec.podManagementPolicy", policy, "must be 'OrderedReady' or 'Parallel'")];
}

function validateStrategy(strategy: StatefulSetSpec["updateStrategy"]): FieldError[] {
  const { type, rollingUpdate } = strategy ?? {};
  const at = "spec.updateStrategy.rollingUpdate";
  if (!type) return [required("spec.updateStrategy")];
  if (type === "OnDelete")
    return rollingUpdate
      ? [invalid(at, rollingUpdate, "only allowed for updateStrategy 'RollingUpdate'")]
      : [];
  if (type !== "RollingUpdate")
    return [invalid("spec.updateStrategy", strategy, "must be 'RollingUpdate' or 'OnDelete'")];
  const { partition, maxUnavailable } = rollingUpdate ?? {};
  return [
    ...validateNonNegative(partition, `${at}.partition`),
    ...validateNumberOrPercent(maxUnavailable, `${at}.maxUnavailable`),
    ...(isZero(maxUnavailable) ? [invalid(`${at}.maxUnavailable`, maxUnavailable, "cannot be 0")] : []),
    ...validateAtMostAll(maxUnavailable, `${at}.maxUnavailable`),
  ];
}

function validateRetention(policy: StatefulSetSpec["persistentVolumeClaimRetentionPolicy"]): FieldError[] {
  return (["whenDeleted", "whenScaled"] as const).flatMap((field) => {
    const value = policy?.[field];
    if (value === "Retain" || value === "Delete") return [];
    return [notSupported(`spec.persistentVolumeClaimRetentionPolicy.${field}`, value, ["Retain", "Delete"])];
  });
}

function validateStatus(status: StatefulSet["status"]): FieldError[] {
  const counts = [
    "replicas",
    "readyReplicas",
    "currentReplicas",
    "updatedReplicas",
    "availableReplicas",
    "observedGeneration",
    "collisionCount",
  ] as const;
  const errors = counts.flatMap((field) => validateNonNegative(status?.[field], `status.${field}`));
  for (const field of counts.slice(1, 5)) {
    const count = status?.[field] ?? 0;
    if (count > (status?.replicas ?? 0))
      errors.push(invalid(`status.${field}`, count, "cannot be greater than status.replicas"));
  }
  return errors;
}
