// Pure: what an autoscaler makes of its target's scale and of what the pods use. Source of the rules: Kubernetes' horizontal controller.
import type {
  HorizontalPodAutoscaler,
  HorizontalPodAutoscalerCondition,
  HorizontalPodAutoscalerStatus,
  MetricStatus,
  Pod,
} from "../../api/generated/types.ts";
import type { PodMetrics } from "../../api/metrics.ts";
import { timestamp } from "../../base/clock.ts";
import type { Timing } from "../../base/timing.ts";
import type { EventText } from "../shared/pod-events.ts";
import * as events from "./events.ts";
import { type Answer, answerMetric, isUnknown, type Unknown } from "./metrics.ts";
import { firstHistory, type History, normalize, withChange } from "./normalize.ts";

/** What the target's scale subresource says, and what its selector finds. */
export interface Scaled {
  readonly replicas: number;
  /** Empty where the scale has none. */
  readonly selector: string;
  readonly pods: readonly Readonly<Pod>[];
  readonly usages: readonly PodMetrics[] | Error;
  /** NAMESPACE/NAME of every autoscaler whose target's selector finds one of these pods, sorted; itself among them. */
  readonly autoscalers: readonly string[];
}

export interface AutoscalePlan {
  readonly status: HorizontalPodAutoscalerStatus;
  readonly events: readonly EventText[];
  readonly history: History;
  /** The target is to have another size; what becomes of it goes to `afterRescale`. */
  readonly rescale?: { readonly to: number; readonly why: string };
}

export interface Moment {
  readonly nowMs: number;
  readonly timing: Timing;
}

type Conditions = readonly HorizontalPodAutoscalerCondition[];
type SetCondition = Omit<HorizontalPodAutoscalerCondition, "status"> & { readonly is: boolean };

export function planAutoscaler(
  autoscaler: Readonly<HorizontalPodAutoscaler>,
  scaled: Scaled,
  { history: known, ...moment }: Moment & { readonly history: History | undefined },
): AutoscalePlan {
  const { nowMs } = moment;
  const { minReplicas: min = 1, maxReplicas: max } = autoscaler.spec;
  const { replicas: current } = scaled;
  const history = known ?? firstHistory(current, nowMs);
  const able = {
    type: "AbleToScale",
    is: true,
    reason: "SucceededGetScale",
    message: "the HPA controller was able to get the target's current scale",
  };
  const conditions = setCondition(autoscaler.status?.conditions, able, nowMs);
  const here: Here = { autoscaler, scaled, ...moment, history, conditions };
  if (current === 0 && min !== 0) {
    const message = "scaling is disabled since the replica count of the target is zero";
    const disabled = { type: "ScalingActive", is: false, reason: "ScalingDisabled", message };
    const set = setCondition(conditions, disabled, nowMs);
    return { status: statusOf(here, { desired: 0, conditions: set }), events: [], history };
  }
  if (current > max) return planBound(here, max, "Current number of replicas above Spec.MaxReplicas");
  if (current < min) return planBound(here, min, "Current number of replicas below Spec.MinReplicas");
  return planByMetrics(here, { current, min, max });
}

interface Here extends Moment {
  readonly autoscaler: Readonly<HorizontalPodAutoscaler>;
  readonly scaled: Scaled;
  readonly history: History;
  readonly conditions: Conditions;
}

const planBound = (here: Here, to: number, why: string): AutoscalePlan => ({
  status: statusOf(here, { desired: to }),
  events: [],
  history: here.history,
  rescale: { to, why },
});

function planByMetrics(here: Here, bounds: { current: number; min: number; max: number }): AutoscalePlan {
  const { autoscaler, scaled, nowMs, timing, history } = here;
  const { current } = bounds;
  if (scaled.selector === "") return planWithoutSelector(here);
  if (scaled.autoscalers.length > 1) return planAmbiguous(here);
  const { metrics = [], behavior } = autoscaler.spec;
  const observed = { ...scaled, currentReplicas: current, nowMs, timing };
  const answers = metrics.map((metric) => answerMetric(autoscaler, metric, observed));
  const { replicas, name, said } = combine(answers);
  const [unknown] = said;
  const currentMetrics = answers.map(
    (answer): MetricStatus => (isUnknown(answer) ? { type: "" } : answer.status),
  );
  const told = said.map(({ reason, message }) => events.warning(reason, message));
  const whole = unknown && wholeMessage(said, answers.length);
  if (whole !== undefined) told.push(events.failedCompute(whole));
  // What is not known might have asked for more.
  if (unknown && (said.length === answers.length || replicas < current)) {
    const message = `the HPA was unable to compute the replica count: ${unknown.message}`;
    const inactive = { type: "ScalingActive", is: false, reason: unknown.reason, message };
    const conditions = setCondition(here.conditions, inactive, nowMs);
    const seen = said.length === answers.length ? {} : { currentMetrics };
    const desired = autoscaler.status?.desiredReplicas ?? 0;
    return { status: statusOf(here, { desired, conditions, ...seen }), events: told, history };
  }
  const verdict = normalize(replicas, bounds, history, {
    behavior,
    stabilizationMs: timing.downscaleStabilizationMs,
    nowMs,
  });
  const message = `the HPA was able to successfully calculate a replica count from ${name}`;
  const { limited, able } = verdict;
  const conditions = [
    { type: "ScalingActive", is: true, reason: "ValidMetricFound", message },
    { type: "AbleToScale", is: true, ...textOf(able) },
    { type: "ScalingLimited", is: limited.is, ...textOf(limited) },
  ].reduce<Conditions>((set, each) => setCondition(set, each, nowMs), here.conditions);
  const desired = verdict.replicas;
  const why = replicas > current ? `${name} above target` : "All metrics below target";
  return {
    status: statusOf(here, { desired, conditions, currentMetrics }),
    events: told,
    history: verdict.history,
    ...(desired === current ? {} : { rescale: { to: desired, why } }),
  };
}

const textOf = ({ reason, message }: { reason: string; message: string }) => ({ reason, message });

/** Nothing is computed: the condition and the Events say why. */
function planInactive(here: Here, unable: { reason: string; message: string }, told: Told): AutoscalePlan {
  const { autoscaler, nowMs, history } = here;
  const conditions = setCondition(here.conditions, { type: "ScalingActive", is: false, ...unable }, nowMs);
  const desired = autoscaler.status?.desiredReplicas ?? 0;
  return {
    status: statusOf(here, { desired, conditions }),
    events: [events.warning(told.reason, told.message), events.failedCompute(told.message)],
    history,
  };
}

type Told = { readonly reason: string; readonly message: string };

const planWithoutSelector = (here: Here): AutoscalePlan =>
  planInactive(
    here,
    { reason: "InvalidSelector", message: "the HPA target's scale is missing a selector" },
    { reason: "SelectorRequired", message: "selector is required" },
  );

/** Two autoscalers of the same pods would undo each other's work: none of them acts. */
function planAmbiguous(here: Here): AutoscalePlan {
  const { selector, autoscalers } = here.scaled;
  const message = `pods by selector ${selector} are controlled by multiple HPAs: [${autoscalers.join(" ")}]`;
  const ambiguous = { reason: "AmbiguousSelector", message };
  return planInactive(here, ambiguous, ambiguous);
}

/** The metric that asks for most decides. */
function combine(answers: readonly Answer[]): {
  replicas: number;
  name: string;
  said: readonly Unknown[];
} {
  let most: { replicas: number; name: string } = { replicas: 0, name: "" };
  for (const answer of answers)
    if (!isUnknown(answer) && (most.name === "" || answer.replicas > most.replicas)) most = answer;
  return { replicas: most.replicas, name: most.name, said: answers.filter(isUnknown) };
}

const wholeMessage = ([first, ...more]: readonly Unknown[], count: number) =>
  `invalid metrics (${more.length + 1} invalid out of ${count}), first error is: ${first?.summary}`;

function statusOf(
  { autoscaler, scaled, conditions: known }: Here,
  {
    desired,
    conditions = known,
    currentMetrics,
  }: { desired: number; conditions?: Conditions; currentMetrics?: MetricStatus[] },
): HorizontalPodAutoscalerStatus {
  const { lastScaleTime } = autoscaler.status ?? {};
  return {
    currentReplicas: scaled.replicas,
    desiredReplicas: desired,
    ...(lastScaleTime ? { lastScaleTime } : {}),
    ...(currentMetrics && currentMetrics.length > 0 ? { currentMetrics } : {}),
    conditions: [...conditions],
  };
}

/** The rest of the plan, once the target has been given its size, or refused it with `failure`. */
export function afterRescale(
  { status, history, rescale }: AutoscalePlan & Required<Pick<AutoscalePlan, "rescale">>,
  { nowMs, failure }: { nowMs: number; failure?: string },
): Omit<AutoscalePlan, "rescale"> {
  const { to, why } = rescale;
  const able = { type: "AbleToScale", is: failure === undefined };
  if (failure !== undefined) {
    const message = `the HPA controller was unable to update the target scale: ${failure}`;
    const conditions = setCondition(
      status.conditions,
      { ...able, reason: "FailedUpdateScale", message },
      nowMs,
    );
    return { status: { ...status, conditions }, events: [events.failedRescale(to, why, failure)], history };
  }
  const message = `the HPA controller was able to update the target scale to ${to}`;
  const conditions = setCondition(status.conditions, { ...able, reason: "SucceededRescale", message }, nowMs);
  return {
    status: { ...status, lastScaleTime: timestamp(nowMs), conditions },
    events: [events.successfulRescale(to, why)],
    history: withChange(history, to - (status.currentReplicas ?? 0), nowMs),
  };
}

/** The target's scale cannot be read. */
export function withoutScale(
  { status }: Readonly<HorizontalPodAutoscaler>,
  why: string,
  nowMs: number,
): Pick<AutoscalePlan, "status" | "events"> {
  const reason = "FailedGetScale";
  const message = `the HPA controller was unable to get the target's current scale: ${why}`;
  const conditions = setCondition(
    status?.conditions,
    { type: "AbleToScale", is: false, reason, message },
    nowMs,
  );
  return {
    status: { desiredReplicas: 0, ...status, conditions },
    events: [events.warning(reason, why)],
  };
}

function setCondition(
  conditions: Conditions = [],
  { is, ...wanted }: SetCondition,
  nowMs: number,
): HorizontalPodAutoscalerCondition[] {
  const status = is ? "True" : "False";
  const old = conditions.find(({ type }) => type === wanted.type);
  const kept = old?.status === status ? old.lastTransitionTime : undefined;
  const set = { ...wanted, status, lastTransitionTime: kept ?? timestamp(nowMs) };
  return old ? conditions.map((each) => (each === old ? set : each)) : [...conditions, set];
}
