import type { ReplicaSet } from "../generated/types.ts";
import { ageColumn, type KindDefinition, nameColumn } from "../kind.ts";
import type { Resource } from "../resource.ts";
import { formatLabelSelector, selectorText } from "../selectors.ts";
import { validateNonNegative } from "../validation/numbers.ts";
import { validateImmutable } from "../validation/object-meta.ts";
import { defaultPodTemplate } from "./pod/defaults.ts";
import { countColumn, templateColumns } from "./pod/template-columns.ts";
import { validateSelector, validateTemplate } from "./pod/validate-template.ts";
import { templateWarnings } from "./pod/warnings.ts";

import { scaleByReplicas } from "./scale-paths.ts";
export const replicaSets: Resource<ReplicaSet> = {
  group: "apps",
  version: "v1",
  kind: "ReplicaSet",
  plural: "replicasets",
  namespaced: true,
};

export const replicaSetKind: KindDefinition<ReplicaSet> = {
  resource: replicaSets,
  schema: "io.k8s.api.apps.v1.ReplicaSet",
  singular: "replicaset",
  shortNames: ["rs"],
  categories: ["all"],
  nameRule: "dns-subdomain",
  hasStatus: true,
  scale: /* @__PURE__ */ scaleByReplicas(({ spec }) => selectorText(spec.selector), {
    missing: { group: "apps", plural: "replicasets/scale" },
  }),
  defaults(replicaSet) {
    replicaSet.spec ??= {};
    const { spec } = replicaSet;
    spec.replicas ??= 1;
    spec.template ??= {};
    defaultPodTemplate(spec.template);
  },
  prepareCreate(replicaSet) {
    replicaSet.status = { replicas: 0 };
  },
  validate({ spec }, { subresource }) {
    if (subresource === "status") return [];
    return [
      ...validateNonNegative(spec.replicas, "spec.replicas"),
      ...validateNonNegative(spec.minReadySeconds, "spec.minReadySeconds"),
      ...validateSelector(spec.selector, {
        empty: "empty selector is invalid for deployment",
        unusable: "invalid label selector",
      }),
      ...validateTemplate(spec.template, spec.selector, "ReplicaSet"),
    ];
  },
  validateUpdate: (replicaSet, old, { subresource }) =>
    subresource === "status"
      ? []
      : validateImmutable(replicaSet.spec.selector, old.spec.selector, "spec.selector"),
  warnings: templateWarnings,
  columns: /* @__PURE__ */ templateColumns<ReplicaSet>(
    [
      /* @__PURE__ */ nameColumn(),
      /* @__PURE__ */ countColumn("Desired", "Pods that should exist.", ({ spec }) => spec.replicas ?? 1),
      /* @__PURE__ */ countColumn("Current", "Pods that exist.", ({ status }) => status?.replicas ?? 0),
      /* @__PURE__ */ countColumn(
        "Ready",
        "Pods that are ready.",
        ({ status }) => status?.readyReplicas ?? 0,
      ),
      /* @__PURE__ */ ageColumn(),
    ],
    ({ spec }) => formatLabelSelector(spec.selector),
  ),
  fields: ({ status }) => ({ "status.replicas": String(status?.replicas ?? 0) }),
};
