// What Kubernetes requires of a HorizontalPodAutoscaler (pkg/apis/autoscaling/validation).
import { compareQuantities } from "../../../base/quantity.ts";
import type {
  CrossVersionObjectReference,
  HorizontalPodAutoscaler,
  HPAScalingPolicy,
  HPAScalingRules,
  MetricSpec,
  MetricTarget,
} from "../../generated/types.ts";
import { type FieldError, forbiddenField, invalid, notSupported, required } from "../../status-error.ts";
import { pathSegmentErrors } from "../../validation/names.ts";

const SOURCES = {
  ContainerResource: "containerResource",
  External: "external",
  Object: "object",
  Pods: "pods",
  Resource: "resource",
} as const;
const METRIC_TYPES = Object.keys(SOURCES);
const TARGET_TYPES = ["Utilization", "Value", "AverageValue"];
const POLICY_TYPES = ["Percent", "Pods"];
const SELECT_POLICIES = ["Disabled", "Max", "Min"];
const LONGEST_WINDOW_SECONDS = 3600;
const LONGEST_PERIOD_SECONDS = 1800;

export function validateAutoscaler({ spec }: HorizontalPodAutoscaler): FieldError[] {
  const { minReplicas, maxReplicas, scaleTargetRef, metrics = [], behavior } = spec;
  const errors: FieldError[] = [];
  if (minReplicas !== undefined && minReplicas < 1)
    errors.push(invalid("spec.minReplicas", minReplicas, "must be greater than or equal to 1"));
  if ((maxReplicas ?? 0) < 1)
    errors.push(invalid("spec.maxReplicas", maxReplicas ?? 0, "must be greater than 0"));
  if (minReplicas !== undefined && (maxReplicas ?? 0) < minReplicas)
    errors.push(
      invalid("spec.maxReplicas", maxReplicas ?? 0, "must be greater than or equal to `minReplicas`"),
    );
  return [
    ...errors,
    ...validateReference(scaleTargetRef, "spec.scaleTargetRef"),
    ...metrics.flatMap((metric, index) => validateMetric(metric, `spec.metrics[${index}]`)),
    ...validateRules(behavior?.scaleUp, "spec.behavior.scaleUp"),
    ...validateRules(behavior?.scaleDown, "spec.behavior.scaleDown"),
  ];
}

function validateReference(
  { kind, name }: Partial<CrossVersionObjectReference> = {},
  path: string,
): FieldError[] {
  return Object.entries({ kind, name }).flatMap(([key, value]) =>
    value
      ? pathSegmentErrors(value).map((why) => invalid(`${path}.${key}`, value, why))
      : [required(`${path}.${key}`)],
  );
}

function validateMetric(metric: MetricSpec, path: string): FieldError[] {
  const { type } = metric;
  if (!type) return [required(`${path}.type`, "must specify a metric source type")];
  if (!METRIC_TYPES.includes(type)) return [notSupported(`${path}.type`, type, METRIC_TYPES)];
  const wanted = SOURCES[type as keyof typeof SOURCES];
  const errors = Object.values(SOURCES)
    .filter((source) => source !== wanted && metric[source] !== undefined)
    .map((source) => forbiddenField(`${path}.${source}`, "must populate the given metric source only"));
  const source = metric[wanted];
  if (!source)
    return [
      ...errors,
      required(`${path}.${wanted}`, "must populate information for the given metric source"),
    ];
  const at = `${path}.${wanted}`;
  if ("name" in source && !source.name) errors.push(required(`${at}.name`, "must specify a resource name"));
  if ("container" in source && !source.container)
    errors.push(required(`${at}.container`, "must specify a container"));
  if ("metric" in source) {
    const { name } = source.metric ?? {};
    if (!name) errors.push(required(`${at}.metric.name`, "must specify a metric name"));
    else for (const why of pathSegmentErrors(name)) errors.push(invalid(`${at}.metric.name`, name, why));
  }
  if ("describedObject" in source)
    errors.push(...validateReference(source.describedObject, `${at}.describedObject`));
  return [...errors, ...validateTarget(source.target, { path: `${at}.target`, wanted })];
}

function validateTarget(
  target: MetricTarget | undefined,
  { path, wanted }: { path: string; wanted: (typeof SOURCES)[keyof typeof SOURCES] },
): FieldError[] {
  const { type, value, averageValue, averageUtilization } = target ?? {};
  const errors: FieldError[] = [];
  if (!type) errors.push(required(`${path}.type`, "must specify a metric target type"));
  else if (!TARGET_TYPES.includes(type))
    errors.push(invalid(`${path}.type`, type, "must be either Utilization, Value, or AverageValue"));
  for (const [name, amount] of Object.entries({ value, averageValue }))
    if (amount !== undefined && compareQuantities(amount, "0") <= 0)
      errors.push(invalid(`${path}.${name}`, amount, "must be positive"));
  if (averageUtilization !== undefined && averageUtilization < 1)
    errors.push(invalid(`${path}.averageUtilization`, averageUtilization, "must be greater than 0"));
  return [...errors, ...validateChoice({ value, averageValue, averageUtilization }, path, wanted)];
}

/** Which of the values each source takes. */
function validateChoice(
  { value, averageValue, averageUtilization }: Partial<MetricTarget>,
  path: string,
  wanted: (typeof SOURCES)[keyof typeof SOURCES],
): FieldError[] {
  if (wanted === "pods")
    return averageValue === undefined
      ? [required(`${path}.averageValue`, "must specify a positive target averageValue")]
      : [];
  if (wanted === "object" || wanted === "external")
    return value === undefined && averageValue === undefined
      ? [required(`${path}.averageValue`, "must set either a target value for metric or a per-pod target")]
      : [];
  if (averageUtilization === undefined && averageValue === undefined)
    return [
      required(`${path}.averageUtilization`, "must set either a target raw value or a target utilization"),
    ];
  if (averageUtilization !== undefined && averageValue !== undefined)
    return [
      forbiddenField(`${path}.averageValue`, "may not set both a target raw value and a target utilization"),
    ];
  return [];
}

function validateRules(rules: HPAScalingRules | undefined, path: string): FieldError[] {
  if (!rules) return [];
  const { stabilizationWindowSeconds: seconds, selectPolicy, policies = [], tolerance } = rules;
  const at = `${path}.stabilizationWindowSeconds`;
  const errors: FieldError[] = [];
  if (seconds !== undefined && seconds < 0)
    errors.push(invalid(at, seconds, "must be greater than or equal to zero"));
  if (seconds !== undefined && seconds > LONGEST_WINDOW_SECONDS)
    errors.push(invalid(at, seconds, `must be less than or equal to ${LONGEST_WINDOW_SECONDS}`));
  if (selectPolicy !== undefined && !SELECT_POLICIES.includes(selectPolicy))
    errors.push(notSupported(`${path}.selectPolicy`, selectPolicy, SELECT_POLICIES));
  if (tolerance !== undefined && compareQuantities(tolerance, "0") < 0)
    errors.push(invalid(`${path}.tolerance`, tolerance, "must be greater than or equal to 0"));
  if (policies.length === 0) errors.push(required(`${path}.policies`, "must specify at least one Policy"));
  return [
    ...errors,
    ...policies.flatMap((policy, index) => validatePolicy(policy, `${path}.policies[${index}]`)),
  ];
}

function validatePolicy({ type, value, periodSeconds }: HPAScalingPolicy, path: string): FieldError[] {
  const errors: FieldError[] = [];
  if (!POLICY_TYPES.includes(type ?? "")) errors.push(notSupported(`${path}.type`, type, POLICY_TYPES));
  if ((value ?? 0) <= 0) errors.push(invalid(`${path}.value`, value ?? 0, "must be greater than zero"));
  if ((periodSeconds ?? 0) <= 0)
    errors.push(invalid(`${path}.periodSeconds`, periodSeconds ?? 0, "must be greater than zero"));
  else if (periodSeconds > LONGEST_PERIOD_SECONDS)
    errors.push(
      invalid(
        `${path}.periodSeconds`,
        periodSeconds,
        `must be less than or equal to ${LONGEST_PERIOD_SECONDS}`,
      ),
    );
  return errors;
}
