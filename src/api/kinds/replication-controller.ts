import type { ReplicationController } from "../generated/types.ts";
import { ageColumn, type KindDefinition, nameColumn } from "../kind.ts";
import type { Resource } from "../resource.ts";
import { formatLabels, labelsText } from "../selectors.ts";
import { required } from "../status-error.ts";
import { validateNonNegative } from "../validation/numbers.ts";
import { defaultPodTemplate } from "./pod/defaults.ts";
import { countColumn, templateColumns } from "./pod/template-columns.ts";
import { validateTemplate } from "./pod/validate-template.ts";
import { templateWarnings } from "./pod/warnings.ts";

import { scaleByReplicas } from "./scale-paths.ts";
export const replicationControllers: Resource<ReplicationController> = {
  group: "",
  version: "v1",
  kind: "ReplicationController",
  plural: "replicationcontrollers",
  namespaced: true,
};

export const replicationControllerKind: KindDefinition<ReplicationController> = {
  resource: replicationControllers,
  schema: "io.k8s.api.core.v1.ReplicationController",
  singular: "replicationcontroller",
  shortNames: ["rc"],
  categories: ["all"],
  nameRule: "dns-subdomain",
  hasStatus: true,
  // As Kubernetes' core/v1 strategy: older clients that say nothing leave the pods behind.
  defaultPropagation: "Orphan",
  scale: /* @__PURE__ */ scaleByReplicas(({ spec }) => labelsText(spec.selector), {
    missing: { group: "autoscaling", plural: "replicationcontrollers/scale" },
  }),
  defaults(controller) {
    controller.spec ??= {};
    const { spec } = controller;
    spec.replicas ??= 1;
    defaultPodTemplate(spec.template);
    const labels = spec.template?.metadata?.labels;
    if (!labels) return;
    if (isEmpty(spec.selector)) spec.selector = { ...labels };
    controller.metadata ??= {};
    if (isEmpty(controller.metadata.labels)) controller.metadata.labels = { ...labels };
  },
  prepareCreate(controller) {
    controller.status = { replicas: 0 };
  },
  validate({ spec }, { subresource }) {
    if (subresource === "status") return [];
    return [
      ...validateNonNegative(spec.minReadySeconds, "spec.minReadySeconds"),
      ...(isEmpty(spec.selector) ? [required("spec.selector")] : []),
      ...validateNonNegative(spec.replicas, "spec.replicas"),
      ...validateTemplate(spec.template, { matchLabels: spec.selector ?? {} }, "ReplicationController"),
    ];
  },
  warnings: templateWarnings,
  columns: /* @__PURE__ */ templateColumns<ReplicationController>(
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
    ({ spec }) => formatLabels(spec.selector),
  ),
  fields: ({ status }) => ({ "status.replicas": String(status?.replicas ?? 0) }),
};

const isEmpty = (labels: object | undefined): boolean => Object.keys(labels ?? {}).length === 0;
