// Pure: what each metric of an autoscaler proposes, or why it cannot. Source of the rules and words: Kubernetes' horizontal controller.
import type {
  HorizontalPodAutoscaler,
  MetricSpec,
  MetricStatus,
  MetricTarget,
  MetricValueStatus,
  Pod,
} from "../../api/generated/types.ts";
import type { PodMetrics } from "../../api/metrics.ts";
import { formatQuantity, milliValue, quantityToNumber } from "../../base/quantity.ts";
import type { Timing } from "../../base/timing.ts";
import { type PodUsage, type Proposal, proposeReplicas, type Target } from "./replicas.ts";

/** What the metrics are answered from. */
export interface Observed {
  readonly pods: readonly Readonly<Pod>[];
  /** Of the selected pods; an Error where metrics.k8s.io gave none. */
  readonly usages: readonly PodMetrics[] | Error;
  readonly currentReplicas: number;
  readonly nowMs: number;
  readonly timing: Timing;
}

export type Answer = Known | Unknown;

interface Known {
  readonly replicas: number;
  /** As Events name it: `cpu resource utilization (percentage of request)`. */
  readonly name: string;
  readonly status: MetricStatus;
}

export interface Unknown {
  readonly reason: string;
  readonly message: string;
  /** What the whole's message says of it. */
  readonly summary: string;
}

// kube-controller-manager --horizontal-pod-autoscaler-tolerance.
const TOLERANCE = 0.1;

export function answerMetric(
  autoscaler: Readonly<HorizontalPodAutoscaler>,
  metric: MetricSpec,
  observed: Observed,
): Answer {
  const { resource, containerResource } = metric;
  const source = resource ?? containerResource;
  if (!source) return cannotBeRead(autoscaler, metric);
  const { name, target } = source;
  const container = containerResource?.container;
  const kind = container === undefined ? "resource" : "container resource";
  const isPercent = target.averageValue === undefined;
  try {
    const proposal = propose(autoscaler, { name, target, container }, observed);
    const current = currentOf(proposal);
    return {
      replicas: proposal.replicas,
      name: isPercent ? `${name} ${kind} utilization (percentage of request)` : `${name} ${kind}`,
      status:
        container === undefined
          ? { type: "Resource", resource: { name, current } }
          : { type: "ContainerResource", containerResource: { name, container, current } },
    };
  } catch (error) {
    const message = `failed to get ${name} ${isPercent ? "utilization" : "usage"}: ${(error as Error).message}`;
    const of = container === undefined ? "resource" : "container";
    return {
      reason: container === undefined ? "FailedGetResourceMetric" : "FailedGetContainerResourceMetric",
      message,
      summary: `failed to get ${name} ${of} metric value: ${message}`,
    };
  }
}

export const isUnknown = (answer: Answer): answer is Unknown => "reason" in answer;

const currentOf = ({ averageMilli, percent }: Proposal): MetricValueStatus => ({
  ...(percent === undefined ? {} : { averageUtilization: percent }),
  averageValue: formatQuantity(averageMilli / 1000, "decimal"),
});

interface ResourceSource {
  readonly name: string;
  readonly target: MetricTarget;
  readonly container: string | undefined;
}

function propose(
  { spec }: Readonly<HorizontalPodAutoscaler>,
  { name, target, container }: ResourceSource,
  { pods, usages: given, currentReplicas, nowMs, timing }: Observed,
): Proposal {
  const unable = `unable to get metrics for resource ${name}`;
  if (given instanceof Error)
    throw new Error(`${unable}: unable to fetch metrics from resource metrics API: ${given.message}`);
  const usages = usagesOf(given, name, container);
  if (usages.size === 0) throw new Error(`${unable}: no metrics returned from resource metrics API`);
  const { scaleUp, scaleDown } = spec.behavior ?? {};
  const toleranceOf = (text: string | undefined) => (text === undefined ? TOLERANCE : quantityToNumber(text));
  return proposeReplicas({
    pods,
    usages,
    isCpu: name === "cpu",
    target: targetOf(target, () => requestsOf(pods, name, container)),
    currentReplicas,
    tolerance: { up: toleranceOf(scaleUp?.tolerance), down: toleranceOf(scaleDown?.tolerance) },
    nowMs,
    timing,
  });
}

function targetOf(target: MetricTarget, requests: () => ReadonlyMap<string, number>): Target {
  const { averageValue, averageUtilization = 0 } = target;
  return averageValue === undefined
    ? { percent: averageUtilization, requests: requests() }
    : { milli: milliValue(averageValue) };
}

function usagesOf(
  metrics: readonly PodMetrics[],
  name: string,
  container: string | undefined,
): Map<string, PodUsage> {
  const usages = new Map<string, PodUsage>();
  for (const { metadata, timestamp, window, containers } of metrics) {
    const counted = containers.filter((one) => container === undefined || one.name === container);
    const amounts = counted.map(({ usage }) => (usage as unknown as Record<string, string>)[name]);
    if (amounts.length === 0 || amounts.includes(undefined)) continue;
    const milli = amounts.reduce((sum, amount) => sum + milliValue(amount ?? "0"), 0);
    const windowMs = Number.parseFloat(window) * 1000;
    usages.set(metadata.name, { milli, atMs: Date.parse(timestamp), windowMs });
  }
  return usages;
}

/** In thousandths by pod. Throws where a container says nothing. */
function requestsOf(
  pods: readonly Readonly<Pod>[],
  name: string,
  container: string | undefined,
): Map<string, number> {
  const requests = new Map<string, number>();
  for (const { metadata, spec } of pods) {
    const sidecars = (spec.initContainers ?? []).filter(({ restartPolicy }) => restartPolicy === "Always");
    let sum = 0;
    for (const one of [...spec.containers, ...sidecars]) {
      if (container !== undefined && one.name !== container) continue;
      const request = one.resources?.requests?.[name];
      if (request === undefined)
        throw new Error(`missing request for ${name} in container ${one.name} of Pod ${metadata.name}`);
      sum += milliValue(request);
    }
    requests.set(metadata.name, sum);
  }
  return requests;
}

const NO_API = "the server could not find the requested resource";

/** Custom and external metrics come from adapters that somebody installs; this is what a cluster without one says. */
function cannotBeRead({ metadata }: Readonly<HorizontalPodAutoscaler>, metric: MetricSpec): Unknown {
  const { namespace = "default" } = metadata;
  const custom = "unable to fetch metrics from custom metrics API";
  const of = metric.type.toLowerCase();
  const name = (metric.pods ?? metric.object ?? metric.external)?.metric.name ?? "";
  const why: Readonly<Record<string, string>> = {
    Pods: `unable to get metric ${name}: ${custom}: ${NO_API} (get pods.custom.metrics.k8s.io *)`,
    Object: `unable to get metric ${name}: ${metric.object?.describedObject.kind} on ${namespace} ${metric.object?.describedObject.name}/${custom}: ${NO_API}`,
    External: `unable to get external metric ${namespace}/${name}: unable to fetch metrics from external metrics API: ${NO_API} (get ${name}.external.metrics.k8s.io)`,
  };
  const message = why[metric.type] ?? `unknown metric source type ${JSON.stringify(metric.type)}`;
  return {
    reason: `FailedGet${metric.type}Metric`,
    message,
    summary: `failed to get ${of} metric value: ${message}`,
  };
}
