import type { Deployment, DeploymentStrategy } from "../generated/types.ts";
import { ageColumn, type KindDefinition, nameColumn } from "../kind.ts";
import type { Resource } from "../resource.ts";
import { formatLabelSelector, selectorText } from "../selectors.ts";
import { type FieldError, forbiddenField, invalid, notSupported, required } from "../status-error.ts";
import {
  isZero,
  validateAtMostAll,
  validateNonNegative,
  validateNumberOrPercent,
} from "../validation/numbers.ts";
import { validateImmutable } from "../validation/object-meta.ts";
import { defaultPodTemplate } from "./pod/defaults.ts";
import { countColumn, templateColumns } from "./pod/template-columns.ts";
import { validateSelector, validateTemplate } from "./pod/validate-template.ts";
import { templateWarnings } from "./pod/warnings.ts";

import { scaleByReplicas } from "./scale-paths.ts";
export const deployments: Resource<Deployment> = {
  group: "apps",
  version: "v1",
  kind: "Deployment",
  plural: "deployments",
  namespaced: true,
};

export const deploymentKind: KindDefinition<Deployment> = {
  resource: deployments,
  schema: "io.k8s.api.apps.v1.Deployment",
  singular: "deployment",
  shortNames: ["deploy"],
  categories: ["all"],
  nameRule: "dns-subdomain",
  hasStatus: true,
  generationCountsAnnotations: true,
  scale: /* @__PURE__ */ scaleByReplicas(({ spec }) => selectorText(spec.selector), {
    missing: { group: "apps", plural: "deployments/scale" },
  }),
  defaults(deployment) {
    deployment.spec ??= {};
    const { spec } = deployment;
    spec.replicas ??= 1;
    spec.revisionHistoryLimit ??= 10;
    spec.progressDeadlineSeconds ??= 600;
    spec.strategy ??= {};
    spec.strategy.type ||= "RollingUpdate";
    if (spec.strategy.type === "RollingUpdate") {
      spec.strategy.rollingUpdate ??= {};
      spec.strategy.rollingUpdate.maxUnavailable ??= "25%";
      spec.strategy.rollingUpdate.maxSurge ??= "25%";
    }
    spec.template ??= {};
    defaultPodTemplate(spec.template);
  },
  prepareCreate(deployment) {
    deployment.status = {};
  },
  prepareUpdate({ metadata }, old, { subresource }) {
    if (subresource !== "status") return;
    // Its labels are not status's to change, unlike its annotations.
    if (old.metadata.labels) metadata.labels = old.metadata.labels;
    else delete metadata.labels;
  },
  validate(deployment, { subresource }) {
    if (subresource === "status") return [];
    const { spec } = deployment;
    const errors: FieldError[] = [
      ...validateNonNegative(spec.replicas, "spec.replicas"),
      ...validateNonNegative(spec.minReadySeconds, "spec.minReadySeconds"),
      ...validateSelector(spec.selector, {
        empty: "empty selector is invalid for deployment",
        unusable: "invalid label selector",
      }),
      ...validateTemplate(spec.template, spec.selector, "ReplicaSet"),
      ...validateStrategy(spec.strategy),
      ...validateNonNegative(spec.revisionHistoryLimit, "spec.revisionHistoryLimit"),
    ];
    const deadline = spec.progressDeadlineSeconds;
    if (deadline !== undefined) {
      errors.push(...validateNonNegative(deadline, "spec.progressDeadlineSeconds"));
      if (deadline <= (spec.minReadySeconds ?? 0)) {
        errors.push(
          invalid("spec.progressDeadlineSeconds", deadline, "must be greater than minReadySeconds"),
        );
      }
    }
    return errors;
  },
  validateUpdate: (deployment, old, { subresource }) =>
    subresource === "status"
      ? []
      : validateImmutable(deployment.spec.selector, old.spec.selector, "spec.selector"),
  warnings: templateWarnings,
  columns: /* @__PURE__ */ templateColumns<Deployment>(
    [
      /* @__PURE__ */ nameColumn(),
      {
        name: "Ready",
        type: "string",
        priority: 0,
        description: "Ready pods of desired pods.",
        value: ({ spec, status }) => `${status?.readyReplicas ?? 0}/${spec.replicas ?? 1}`,
      },
      /* @__PURE__ */ countColumn(
        "Up-to-date",
        "Pods made from the current template.",
        ({ status }) => status?.updatedReplicas ?? 0,
      ),
      /* @__PURE__ */ countColumn(
        "Available",
        "Pods ready for at least minReadySeconds.",
        ({ status }) => status?.availableReplicas ?? 0,
      ),
      /* @__PURE__ */ ageColumn(),
    ],
    ({ spec }) => formatLabelSelector(spec.selector),
  ),
};

function validateStrategy(strategy: DeploymentStrategy = {}): FieldError[] {
  const { type, rollingUpdate } = strategy;
  const at = "spec.strategy.rollingUpdate";
  if (type === "Recreate") {
    return rollingUpdate
      ? [forbiddenField(at, "may not be specified when strategy `type` is 'Recreate'")]
      : [];
  }
  if (type !== "RollingUpdate") {
    return [notSupported("spec.strategy", strategy, ["Recreate", "RollingUpdate"])];
  }
  if (!rollingUpdate) return [required(at, "this should be defaulted and never be nil")];
  const { maxUnavailable, maxSurge } = rollingUpdate;
  const errors = [
    ...validateNumberOrPercent(maxUnavailable, `${at}.maxUnavailable`),
    ...validateNumberOrPercent(maxSurge, `${at}.maxSurge`),
  ];
  if (isZero(maxUnavailable) && isZero(maxSurge)) {
    errors.push(invalid(`${at}.maxUnavailable`, maxUnavailable, "may not be 0 when `maxSurge` is 0"));
  }
  return [...errors, ...validateAtMostAll(maxUnavailable, `${at}.maxUnavailable`)];
}
