// DaemonSet: one pod on each node that should have it.
import type { DaemonSet, DaemonSetSpec } from "../generated/types.ts";
import { ageColumn, type Column, type KindDefinition, nameColumn } from "../kind.ts";
import { equalJson } from "../own.ts";
import type { Resource } from "../resource.ts";
import { formatLabelSelector } from "../selectors.ts";
import { type FieldError, invalid, notSupported, required } from "../status-error.ts";
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

export const daemonSets: Resource<DaemonSet> = {
  group: "apps",
  version: "v1",
  kind: "DaemonSet",
  plural: "daemonsets",
  namespaced: true,
};

const TEMPLATE_GENERATION = "deprecated.daemonset.template.generation";

export const daemonSetKind: KindDefinition<DaemonSet> = {
  resource: daemonSets,
  schema: "io.k8s.api.apps.v1.DaemonSet",
  singular: "daemonset",
  shortNames: ["ds"],
  categories: ["all"],
  nameRule: "dns-subdomain",
  hasStatus: true,
  defaults(set) {
    set.spec ??= {};
    const { spec } = set;
    spec.updateStrategy ??= {};
    spec.updateStrategy.type ||= "RollingUpdate";
    if (spec.updateStrategy.type === "RollingUpdate") {
      spec.updateStrategy.rollingUpdate ??= {};
      spec.updateStrategy.rollingUpdate.maxUnavailable ??= 1;
      spec.updateStrategy.rollingUpdate.maxSurge ??= 0;
    }
    spec.revisionHistoryLimit ??= 10;
    spec.template ??= {};
    defaultPodTemplate(spec.template);
  },
  prepareCreate(set) {
    set.status = { ...NOTHING };
    countTemplate(set, 1);
  },
  prepareUpdate(set, old, { subresource }) {
    if (subresource !== "") return;
    const before = Number(old.metadata.annotations?.[TEMPLATE_GENERATION] ?? 0);
    const same = equalJson(set.spec.template, old.spec.template);
    countTemplate(set, same ? before : before + 1);
  },
  validate: ({ spec, status }, { subresource }) =>
    subresource === "status" ? validateStatus(status) : validateSpec(spec),
  validateUpdate: (set, old, { subresource }) =>
    subresource === "status" ? [] : validateImmutable(set.spec.selector, old.spec.selector, "spec.selector"),
  warnings: templateWarnings,
  columns: /* @__PURE__ */ templateColumns<DaemonSet>(
    [
      /* @__PURE__ */ nameColumn(),
      /* @__PURE__ */ statusColumn("Desired", "Nodes that should run it.", "desiredNumberScheduled"),
      /* @__PURE__ */ statusColumn("Current", "Of those, nodes that have a pod.", "currentNumberScheduled"),
      /* @__PURE__ */ statusColumn("Ready", "Nodes whose pod is ready.", "numberReady"),
      /* @__PURE__ */ statusColumn(
        "Up-to-date",
        "Nodes whose pod is made from the current template.",
        "updatedNumberScheduled",
      ),
      /* @__PURE__ */ statusColumn(
        "Available",
        "Nodes whose pod is ready for at least minReadySeconds.",
        "numberAvailable",
      ),
      {
        name: "Node Selector",
        type: "string",
        priority: 0,
        description: "Labels that a node must have.",
        value: ({ spec }) => labelsText(spec.template?.spec?.nodeSelector),
      },
      /* @__PURE__ */ ageColumn(),
    ],
    ({ spec }) => formatLabelSelector(spec.selector),
  ),
};

const NOTHING = {
  currentNumberScheduled: 0,
  desiredNumberScheduled: 0,
  numberMisscheduled: 0,
  numberReady: 0,
};

type Count = Exclude<keyof NonNullable<DaemonSet["status"]>, "conditions">;

function statusColumn(name: string, description: string, count: Count): Column<DaemonSet> {
  return countColumn(name, description, ({ status }) => status?.[count] ?? 0);
}

function labelsText(labels: Readonly<Record<string, string>> = {}): string {
  const pairs = Object.entries(labels).map(([key, value]) => `${key}=${value}`);
  return pairs.length > 0 ? pairs.sort().join(",") : "<none>";
}

/** The annotation in which apps/v1 carries what the type of the first versions had as a field. */
function countTemplate(set: DaemonSet, generation: number): void {
  set.metadata.annotations = { ...set.metadata.annotations, [TEMPLATE_GENERATION]: String(generation) };
}

function validateSpec(spec: DaemonSetSpec): FieldError[] {
  return [
    // A missing selector is told by what it does not match.
    ...(spec.selector
      ? validateSelector(spec.selector, { empty: "empty selector is invalid for daemonset" })
      : []),
    ...validateTemplate(spec.template, spec.selector, "DaemonSet"),
    ...validateNonNegative(spec.minReadySeconds, "spec.minReadySeconds"),
    ...validateStrategy(spec.updateStrategy),
    ...validateNonNegative(spec.revisionHistoryLimit, "spec.revisionHistoryLimit"),
  ];
}

function validateStrategy(strategy: DaemonSetSpec["updateStrategy"]): FieldError[] {
  const { type, rollingUpdate } = strategy ?? {};
  const at = "spec.updateStrategy.rollingUpdate";
  if (type === "OnDelete") return [];
  if (type !== "RollingUpdate")
    return [notSupported("spec.updateStrategy", strategy, ["RollingUpdate", "OnDelete"])];
  if (!rollingUpdate) return [required(at)];
  const { maxUnavailable, maxSurge } = rollingUpdate;
  const errors = [
    ...validateNumberOrPercent(maxUnavailable, `${at}.maxUnavailable`),
    ...validateNumberOrPercent(maxSurge, `${at}.maxSurge`),
    ...validateAtMostAll(maxUnavailable, `${at}.maxUnavailable`),
    ...validateAtMostAll(maxSurge, `${at}.maxSurge`),
  ];
  if (!isZero(maxUnavailable) && !isZero(maxSurge))
    errors.push(invalid(`${at}.maxSurge`, maxSurge, "may not be set when maxUnavailable is non-zero"));
  if (isZero(maxUnavailable) && isZero(maxSurge))
    errors.push(required(`${at}.maxUnavailable`, "cannot be 0 when maxSurge is 0"));
  return errors;
}

function validateStatus(status: DaemonSet["status"]): FieldError[] {
  const counts: readonly Count[] = [
    "currentNumberScheduled",
    "numberMisscheduled",
    "desiredNumberScheduled",
    "numberReady",
    "observedGeneration",
    "updatedNumberScheduled",
    "numberAvailable",
    "numberUnavailable",
    "collisionCount",
  ];
  return counts.flatMap((field) => validateNonNegative(status?.[field], `status.${field}`));
}
