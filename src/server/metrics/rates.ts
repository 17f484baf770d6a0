// Pure: what a node and its containers used between two samples, as metrics-server derives it.
import type { Usage } from "../../api/metrics.ts";
import { formatQuantity } from "../../base/quantity.ts";
import type { ContainerCounters, Counters, Sample } from "./scrape.ts";

export interface NodeMeasurement {
  readonly atMs: number;
  readonly windowMs: number;
  readonly usage: Usage;
  readonly containers: readonly ContainerMeasurement[];
}

export interface ContainerMeasurement {
  readonly namespace: string;
  readonly pod: string;
  readonly container: string;
  readonly usage: Usage;
}

/** `first` is the older one. A container that began in between is measured from its start; a pod with one too young for a rate is left out. */
export function measureBetween(first: Sample, last: Sample, shortestMs: number): NodeMeasurement {
  const windowMs = last.atMs - first.atMs;
  const before = new Map(first.containers.map((container) => [keyOf(container), container]));
  const spanOf = (container: ContainerCounters) =>
    before.has(keyOf(container)) ? windowMs : last.atMs - container.startedAt;
  const tooYoung = new Set(last.containers.filter((one) => spanOf(one) < shortestMs).map(podOf));
  return {
    atMs: last.atMs,
    windowMs,
    usage: usageBetween(first, last, windowMs),
    containers: last.containers
      .filter((container) => !tooYoung.has(podOf(container)))
      .map((container) => {
        const { namespace, pod, container: name } = container;
        const from = before.get(keyOf(container)) ?? { cpuSeconds: 0 };
        return { namespace, pod, container: name, usage: usageBetween(from, container, spanOf(container)) };
      }),
  };
}

const podOf = ({ namespace, pod }: ContainerCounters) => `${namespace}/${pod}`;
// Another run of the container counts from zero.
const keyOf = ({ namespace, pod, container, startedAt }: ContainerCounters) =>
  `${namespace}/${pod}/${container}/${startedAt}`;

function usageBetween(first: Pick<Counters, "cpuSeconds">, last: Counters, spanMs: number): Usage {
  // What an orphan used is no longer counted once it has ended.
  const cores = Math.max(0, last.cpuSeconds - first.cpuSeconds) / (spanMs / 1000);
  return {
    cpu: formatQuantity(Math.round(cores * 1e9) / 1e9, "decimal"),
    memory: formatQuantity(Math.round(last.memoryBytes / 1024) * 1024, "binary"),
  };
}
