// GET /metrics/resource: the kubelet's metric names, in Prometheus' text format.
import type { ContainerUsage, NodeUsage } from "./host.ts";

export function resourceMetrics(usage: NodeUsage, nowMs: number): string {
  const { containers, cpuSeconds, memoryBytes } = usage;
  const each = (value: (container: ContainerUsage) => number) =>
    containers.map((container) => `${labels(container)} ${value(container)}`);
  return [
    ...metric(
      "container_cpu_usage_seconds_total",
      "counter",
      each((container) => container.cpuSeconds),
    ),
    ...metric(
      "container_memory_working_set_bytes",
      "gauge",
      each((container) => container.memoryBytes),
    ),
    ...metric(
      "container_start_time_seconds",
      "gauge",
      each((container) => container.startedAt / 1000),
    ),
    ...metric("node_cpu_usage_seconds_total", "counter", [` ${cpuSeconds} ${nowMs}`]),
    ...metric("node_memory_working_set_bytes", "gauge", [` ${memoryBytes} ${nowMs}`]),
    ...metric("scrape_error", "gauge", [" 0"]),
    "",
  ].join("\n");
}

const metric = (name: string, type: string, samples: readonly string[]) => [
  `# TYPE ${name} ${type}`,
  ...samples.map((sample) => `${name}${sample}`),
];

// Kubernetes' names have no characters that would have to be escaped.
const labels = ({ container, namespace, pod }: ContainerUsage) =>
  `{container="${container}",namespace="${namespace}",pod="${pod}"}`;
