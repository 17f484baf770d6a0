// HorizontalPodAutoscaler as autoscaling/v1 serves it: one CPU target; what it has no field for lies in annotations.
// Unlike Kubernetes: these hold the fields of v2, not those of v2beta1.
import type {
  AutoscalingV1HorizontalPodAutoscaler,
  HorizontalPodAutoscaler,
  HorizontalPodAutoscalerSpec,
  HorizontalPodAutoscalerStatus,
  MetricSpec,
} from "../../generated/types.ts";
import type { ServedForm } from "../../kind.ts";
import { type FieldError, invalid } from "../../status-error.ts";

const METRICS = "autoscaling.alpha.kubernetes.io/metrics";
const CURRENT_METRICS = "autoscaling.alpha.kubernetes.io/current-metrics";
const CONDITIONS = "autoscaling.alpha.kubernetes.io/conditions";
const BEHAVIOR = "autoscaling.alpha.kubernetes.io/behavior";
const OWN_ANNOTATIONS: ReadonlySet<string> = new Set([METRICS, CURRENT_METRICS, CONDITIONS, BEHAVIOR]);

type V1 = AutoscalingV1HorizontalPodAutoscaler;

export const autoscalerV1Form: ServedForm<V1, HorizontalPodAutoscaler> = {
  resource: {
    group: "autoscaling",
    version: "v1",
    kind: "HorizontalPodAutoscaler",
    plural: "horizontalpodautoscalers",
    namespaced: true,
  },
  schema: "io.k8s.api.autoscaling.v1.HorizontalPodAutoscaler",
  defaults(autoscaler) {
    autoscaler.spec ??= {};
    autoscaler.spec.minReplicas ??= 1;
  },
  validate({ spec }): FieldError[] {
    const percentage = spec?.targetCPUUtilizationPercentage;
    if (percentage === undefined || percentage >= 1) return [];
    return [invalid("spec.targetCPUUtilizationPercentage", percentage, "must be greater than 0")];
  },
  toStored({ metadata, spec, status }) {
    const { annotations = {}, ...meta } = metadata;
    const read = (name: string): unknown => parsed(annotations[name]);
    const own = Object.entries(annotations).filter(([name]) => !OWN_ANNOTATIONS.has(name));
    const { targetCPUUtilizationPercentage: percentage, ...rest } = spec ?? {};
    const metrics = [...cpuMetric(percentage), ...((read(METRICS) as MetricSpec[] | undefined) ?? [])];
    const behavior = read(BEHAVIOR);
    const stored = { ...rest, ...(metrics.length > 0 ? { metrics } : {}), ...(behavior ? { behavior } : {}) };
    return {
      metadata: { ...meta, ...(own.length > 0 ? { annotations: Object.fromEntries(own) } : {}) },
      ...(spec ? { spec: stored } : {}),
      ...(status ? { status: storedStatus(status, read) } : {}),
    } as HorizontalPodAutoscaler;
  },
  fromStored({ metadata, spec, status }) {
    const { annotations, ...meta } = metadata;
    const { metrics = [], behavior, ...rest } = spec ?? {};
    const target = metrics.find(isCpuTarget);
    const percentage = target?.resource?.target.averageUtilization;
    const others = metrics.filter((metric) => metric !== target);
    const { conditions, currentMetrics, ...counts } = status ?? {};
    const own = {
      ...written(METRICS, others),
      ...written(BEHAVIOR, behavior),
      ...written(CURRENT_METRICS, currentMetrics),
      ...written(CONDITIONS, conditions),
    };
    const all = { ...annotations, ...own };
    const current = currentMetrics?.find(({ resource }) => resource?.name === "cpu")?.resource?.current;
    return {
      metadata: { ...meta, ...(Object.keys(all).length > 0 ? { annotations: all } : {}) },
      ...(spec
        ? { spec: { ...rest, ...(percentage ? { targetCPUUtilizationPercentage: percentage } : {}) } }
        : {}),
      ...(status
        ? {
            status: {
              ...counts,
              currentReplicas: status.currentReplicas ?? 0,
              ...(current?.averageUtilization === undefined
                ? {}
                : { currentCPUUtilizationPercentage: current.averageUtilization }),
            },
          }
        : {}),
    } as V1;
  },
};

const isCpuTarget = ({ resource }: NonNullable<HorizontalPodAutoscalerSpec["metrics"]>[number]) =>
  resource?.name === "cpu" && resource.target.averageUtilization !== undefined;

const cpuMetric = (percentage: number | undefined): MetricSpec[] =>
  percentage === undefined
    ? []
    : [
        {
          type: "Resource",
          resource: { name: "cpu", target: { type: "Utilization", averageUtilization: percentage } },
        },
      ];

function storedStatus(status: NonNullable<V1["status"]>, read: (name: string) => unknown) {
  const { currentCPUUtilizationPercentage: _, ...counts } = status;
  const conditions = read(CONDITIONS);
  const currentMetrics = read(CURRENT_METRICS);
  return {
    ...counts,
    ...(conditions ? { conditions } : {}),
    ...(currentMetrics ? { currentMetrics } : {}),
  } as HorizontalPodAutoscalerStatus;
}

/** What is no JSON says nothing. */
function parsed(text: string | undefined): unknown {
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

const written = (name: string, value: unknown): Record<string, string> =>
  value === undefined || (Array.isArray(value) && value.length === 0)
    ? {}
    : { [name]: JSON.stringify(value) };
