// HorizontalPodAutoscalers, in words.
import type {
  HorizontalPodAutoscaler,
  HPAScalingRules,
  MetricSpec,
  MetricStatus,
  MetricTarget,
  MetricValueStatus,
} from "../../api/generated/types.ts";
import { annotationsLines, type Describe, dateText, head, labelsLines } from "./common.ts";

export const describeAutoscaler: Describe<HorizontalPodAutoscaler> = (autoscaler) => {
  const { spec, status, metadata } = autoscaler;
  const { kind, name } = spec.scaleTargetRef;
  const metrics = (spec.metrics ?? []).map((metric, index) =>
    metricLine(metric, status?.currentMetrics?.[index]),
  );
  return [
    head(autoscaler),
    labelsLines(autoscaler),
    annotationsLines(autoscaler),
    `CreationTimestamp:\t${dateText(metadata.creationTimestamp)}\n`,
    `Reference:\t${kind}/${name}\n`,
    `Metrics:\t( current / target )\n${metrics.join("")}`,
    `Min replicas:\t${spec.minReplicas ?? "<unset>"}\n`,
    `Max replicas:\t${spec.maxReplicas}\n`,
    spec.behavior
      ? `Behavior:\n${rulesLines("Scale Up", spec.behavior.scaleUp)}${rulesLines("Scale Down", spec.behavior.scaleDown)}`
      : "",
    `${kind} pods:\t${status?.currentReplicas ?? 0} current / ${status?.desiredReplicas ?? 0} desired\n`,
    conditionsLines(status?.conditions),
  ].join("");
};

/** `  what it measures:\tcurrent / target`. */
function metricLine(spec: MetricSpec, status: MetricStatus | undefined): string {
  const { resource, containerResource, pods, object, external } = spec;
  if (pods) return `  "${pods.metric.name}" on pods:\t${averages(pods.target, status?.pods?.current)}\n`;
  if (object) {
    const { metric, describedObject, target } = object;
    return `  "${metric.name}" on ${describedObject.kind}/${describedObject.name} ${valueText(target, status?.object?.current)}\n`;
  }
  if (external)
    return `  "${external.metric.name}" ${valueText(external.target, status?.external?.current)}\n`;
  if (resource)
    return `  resource ${resource.name} on pods${shareText(resource.target, status?.resource?.current)}\n`;
  if (containerResource) {
    const { name, container, target } = containerResource;
    return `  resource ${name} of container "${container}" on pods${shareText(target, status?.containerResource?.current)}\n`;
  }
  return `  <unknown metric type "${spec.type}">\n`;
}

const averages = (target: MetricTarget, current: MetricValueStatus | undefined): string =>
  `${current?.averageValue ?? "<unknown>"} / ${target.averageValue}`;

const valueText = (target: MetricTarget, current: MetricValueStatus | undefined): string =>
  target.type === "AverageValue"
    ? `(target average value):\t${averages(target, current)}`
    : `(target value):\t${current?.value ?? "<unknown>"} / ${target.value}`;

function shareText(target: MetricTarget, current: MetricValueStatus | undefined): string {
  if (target.averageValue !== undefined) return `:\t${averages(target, current)}`;
  const share =
    current?.averageUtilization === undefined
      ? "<unknown>"
      : `${current.averageUtilization}% (${current.averageValue})`;
  const wanted = target.averageUtilization === undefined ? "<auto>" : `${target.averageUtilization}%`;
  return `  (as a percentage of request):\t${share} / ${wanted}`;
}

function rulesLines(title: string, rules: HPAScalingRules | undefined): string {
  if (!rules) return "";
  const { stabilizationWindowSeconds, selectPolicy = "Max", policies = [] } = rules;
  const each = policies.map(
    ({ type, value, periodSeconds }) =>
      `      - Type: ${type}\tValue: ${value}\tPeriod: ${periodSeconds} seconds\n`,
  );
  return [
    `  ${title}:\n`,
    stabilizationWindowSeconds === undefined
      ? ""
      : `    Stabilization Window: ${stabilizationWindowSeconds} seconds\n`,
    each.length > 0 ? `    Select Policy: ${selectPolicy}\n    Policies:\n${each.join("")}` : "",
  ].join("");
}

function conditionsLines(
  conditions: NonNullable<HorizontalPodAutoscaler["status"]>["conditions"] = [],
): string {
  if (conditions.length === 0) return "";
  const rows = conditions.map(
    ({ type, status, reason = "", message = "" }) => `  ${type}\t${status}\t${reason}\t${message}\n`,
  );
  return `Conditions:\n  Type\tStatus\tReason\tMessage\n  ----\t------\t------\t-------\n${rows.join("")}`;
}
