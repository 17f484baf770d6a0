// What `kubectl get hpa` shows of an autoscaler's metrics: `cpu: 12%/50%, memory: 10Mi/1Gi`.
import type { HorizontalPodAutoscaler, MetricSpec, MetricStatus } from "../../generated/types.ts";

const MOST_SHOWN = 2;
const UNKNOWN = "<unknown>";

export function targetsText({ spec, status }: HorizontalPodAutoscaler): string {
  const metrics = spec.metrics ?? [];
  if (metrics.length === 0) return "<none>";
  const texts = metrics.map((metric, index) => targetText(metric, status?.currentMetrics?.[index]));
  const shown = texts.slice(0, MOST_SHOWN).join(", ");
  return texts.length > MOST_SHOWN ? `${shown} + ${texts.length - MOST_SHOWN} more...` : shown;
}

function targetText(metric: MetricSpec, status: MetricStatus | undefined): string {
  const named = metric.resource ?? metric.containerResource;
  if (named) {
    const current = (status?.resource ?? status?.containerResource)?.current;
    const { averageValue, averageUtilization } = named.target;
    if (averageValue !== undefined)
      return `${named.name}: ${current?.averageValue ?? UNKNOWN}/${averageValue}`;
    const percent = (value: number | undefined, otherwise: string) =>
      value === undefined ? otherwise : `${value}%`;
    return `${named.name}: ${percent(current?.averageUtilization, UNKNOWN)}/${percent(averageUtilization, "<auto>")}`;
  }
  if (metric.pods)
    return `${status?.pods?.current.averageValue ?? UNKNOWN}/${metric.pods.target.averageValue}`;
  const source = metric.object ?? metric.external;
  if (!source) return "<unknown type>";
  const current = (status?.object ?? status?.external)?.current;
  const { averageValue, value } = source.target;
  return averageValue === undefined
    ? `${current?.value ?? UNKNOWN}/${value}`
    : `${current?.averageValue ?? UNKNOWN}/${averageValue} (avg)`;
}
