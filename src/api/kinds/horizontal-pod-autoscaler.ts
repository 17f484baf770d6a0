// HorizontalPodAutoscaler, as autoscaling/v2 serves it and as it is stored; autoscaler/v1.ts is its other form.
import type {
  HorizontalPodAutoscaler,
  HPAScalingRules,
  MetricSpec,
  MetricTarget,
} from "../generated/types.ts";
import { ageColumn, type KindDefinition, nameColumn, textColumn } from "../kind.ts";
import type { Draft } from "../object.ts";
import type { Resource } from "../resource.ts";
import { targetsText } from "./autoscaler/targets.ts";
import { autoscalerV1Form } from "./autoscaler/v1.ts";
import { validateAutoscaler } from "./autoscaler/validate.ts";
import { countColumn } from "./pod/template-columns.ts";

export const horizontalPodAutoscalers: Resource<HorizontalPodAutoscaler> = {
  group: "autoscaling",
  version: "v2",
  kind: "HorizontalPodAutoscaler",
  plural: "horizontalpodautoscalers",
  namespaced: true,
};

export const horizontalPodAutoscalerKind: KindDefinition<HorizontalPodAutoscaler> = {
  resource: horizontalPodAutoscalers,
  schema: "io.k8s.api.autoscaling.v2.HorizontalPodAutoscaler",
  servedAs: [autoscalerV1Form],
  singular: "horizontalpodautoscaler",
  shortNames: ["hpa"],
  categories: ["all"],
  nameRule: "dns-subdomain",
  hasStatus: true,
  defaults(autoscaler) {
    autoscaler.spec ??= {};
    const { spec } = autoscaler;
    spec.minReplicas ??= 1;
    if (!spec.metrics?.length) spec.metrics = [defaultMetric()];
    for (const metric of spec.metrics) defaultTargets(metric);
    if (!spec.behavior) return;
    spec.behavior.scaleUp = withDefaults(spec.behavior.scaleUp, UP);
    spec.behavior.scaleDown = withDefaults(spec.behavior.scaleDown, DOWN);
  },
  prepareCreate(autoscaler) {
    autoscaler.status = { currentReplicas: 0, desiredReplicas: 0 };
  },
  validate: (autoscaler, { subresource }) => (subresource === "status" ? [] : validateAutoscaler(autoscaler)),
  warnings({ metadata, spec }, old) {
    if (old && old.metadata.generation === metadata.generation) return [];
    return (spec.metrics ?? []).flatMap(({ type }, index) =>
      UNSERVED.has(type) ? [notServed(type, index)] : [],
    );
  },
  columns: [
    /* @__PURE__ */ nameColumn(),
    /* @__PURE__ */ textColumn(
      "Reference",
      "What is scaled.",
      ({ spec }) => `${spec.scaleTargetRef.kind}/${spec.scaleTargetRef.name}`,
    ),
    /* @__PURE__ */ textColumn("Targets", "Current and wanted values of the metrics.", targetsText),
    /* @__PURE__ */ textColumn("MinPods", "The least that it scales to.", ({ spec }) =>
      String(spec.minReplicas ?? "<unset>"),
    ),
    /* @__PURE__ */ countColumn("MaxPods", "The most that it scales to.", ({ spec }) => spec.maxReplicas),
    /* @__PURE__ */ countColumn(
      "Replicas",
      "How many there are.",
      ({ status }) => status?.currentReplicas ?? 0,
    ),
    /* @__PURE__ */ ageColumn(),
  ],
};

const UNSERVED: ReadonlySet<string> = new Set(["External", "Object", "Pods"]);
const notServed = (type: string, index: number) =>
  `spec.metrics[${index}]: kubemu serves no custom or external metrics; a metric of type ${type} cannot be read`;

/** What an autoscaler without metrics follows. */
export const defaultMetric = (): MetricSpec => ({
  type: "Resource",
  resource: { name: "cpu", target: { type: "Utilization", averageUtilization: 80 } },
});

function defaultTargets(metric: Draft<MetricSpec>): void {
  for (const source of [
    metric.resource,
    metric.containerResource,
    metric.pods,
    metric.object,
    metric.external,
  ])
    if (source?.target && !source.target.type) source.target.type = targetType(source.target);
}

function targetType({ averageUtilization, averageValue }: Draft<MetricTarget>): string {
  if (averageUtilization !== undefined) return "Utilization";
  return averageValue === undefined ? "Value" : "AverageValue";
}

// Where a behavior is given, what it does not say. How long a scale-down is held back then is the controller's own.
const UP: HPAScalingRules = {
  stabilizationWindowSeconds: 0,
  selectPolicy: "Max",
  policies: [
    { type: "Pods", value: 4, periodSeconds: 15 },
    { type: "Percent", value: 100, periodSeconds: 15 },
  ],
};
const DOWN: HPAScalingRules = {
  selectPolicy: "Max",
  policies: [{ type: "Percent", value: 100, periodSeconds: 15 }],
};

const withDefaults = (
  given: Draft<HPAScalingRules> | undefined,
  rules: HPAScalingRules,
): Draft<HPAScalingRules> => ({ ...structuredClone(rules), ...given });
