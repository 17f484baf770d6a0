import { describe, expect, test } from "vitest";
import type { HorizontalPodAutoscaler, MetricSpec } from "../../../../src/api/generated/types.ts";
import { timestamp } from "../../../../src/base/clock.ts";
import { timingOf } from "../../../../src/base/timing.ts";
import {
  afterRescale,
  planAutoscaler,
  type Scaled,
  withoutScale,
} from "../../../../src/controllers/horizontal-pod-autoscaler/plan.ts";
import { makeAutoscaler, makePod, NOW, usage } from "./autoscalers.ts";

const moment = { nowMs: NOW, timing: timingOf("kubernetes"), history: { proposals: [], changes: [] } };
const scaled = (cpus: readonly string[], more: Partial<Scaled> = {}): Scaled => ({
  replicas: cpus.length,
  selector: "app=web",
  pods: cpus.map((_, index) => makePod(`web-${index}`)),
  usages: cpus.map((cpu, index) => usage(`web-${index}`, cpu)),
  autoscalers: ["default/web"],
  ...more,
});
const plan = (autoscaler: HorizontalPodAutoscaler, target: Scaled) =>
  planAutoscaler(autoscaler, target, moment);
const conditions = ({ conditions: all = [] }: NonNullable<HorizontalPodAutoscaler["status"]>) =>
  all.map(({ type, status, reason }) => `${type} ${status} ${reason}`);
const cpu = (name = "cpu"): MetricSpec => ({
  type: "Resource",
  resource: { name, target: { type: "Utilization", averageUtilization: 50 } },
});

test("more load asks for more, and the status says what was seen", () => {
  const { status, rescale, events } = plan(makeAutoscaler(), scaled(["900m", "900m"]));
  expect(rescale).toEqual({ to: 4, why: "cpu resource utilization (percentage of request) above target" });
  expect(status).toMatchObject({
    currentReplicas: 2,
    desiredReplicas: 4,
    currentMetrics: [
      {
        type: "Resource",
        resource: { name: "cpu", current: { averageUtilization: 90, averageValue: "900m" } },
      },
    ],
  });
  expect(conditions(status)).toEqual([
    "AbleToScale True ReadyForNewScale",
    "ScalingActive True ValidMetricFound",
    "ScalingLimited False DesiredWithinRange",
  ]);
  expect(events).toEqual([]);
});

describe("several metrics", () => {
  const inContainer: MetricSpec = {
    type: "ContainerResource",
    containerResource: {
      name: "memory",
      container: "c",
      target: { type: "AverageValue", averageValue: "5Mi" },
    },
  };
  const pods: MetricSpec = {
    type: "Pods",
    pods: { metric: { name: "rps" }, target: { type: "AverageValue", averageValue: "10" } },
  };

  test("the one that asks for most decides", () => {
    const { rescale, status } = plan(
      makeAutoscaler({ metrics: [cpu(), inContainer] }),
      scaled(["400m", "400m"]),
    );
    expect(rescale).toEqual({ to: 4, why: "memory container resource above target" });
    expect(status.currentMetrics?.[1]).toMatchObject({
      containerResource: { current: { averageValue: "10485760" } },
    });
  });

  test("one that cannot be read is told of; it does not keep others from asking for more", () => {
    const { rescale, events } = plan(makeAutoscaler({ metrics: [pods, cpu()] }), scaled(["900m"]));
    expect(rescale?.to).toBe(2);
    expect(events.map(({ reason }) => reason)).toEqual([
      "FailedGetPodsMetric",
      "FailedComputeMetricsReplicas",
    ]);
    expect(events[1]?.message).toMatch(
      /^invalid metrics \(1 invalid out of 2\), first error is: failed to get pods metric value: unable to get metric rps: /,
    );
  });

  test("but it keeps them from asking for less", () => {
    const { rescale, status } = plan(makeAutoscaler({ metrics: [pods, cpu()] }), scaled(["100m", "100m"]));
    expect(rescale).toBeUndefined();
    expect(conditions(status)).toContain("ScalingActive False FailedGetPodsMetric");
  });
});

describe("what keeps it from scaling", () => {
  test.each<[string, Scaled, string, string]>([
    [
      "no measurements",
      scaled(["1"], { usages: [] }),
      "FailedGetResourceMetric",
      "the HPA was unable to compute the replica count: failed to get cpu utilization: unable to get metrics for resource cpu: no metrics returned from resource metrics API",
    ],
    [
      "no metrics API",
      scaled(["1"], { usages: new Error("connection refused") }),
      "FailedGetResourceMetric",
      "the HPA was unable to compute the replica count: failed to get cpu utilization: unable to get metrics for resource cpu: unable to fetch metrics from resource metrics API: connection refused",
    ],
    [
      "no request",
      scaled(["1"], { pods: [makePod("web-0", { request: "" })] }),
      "FailedGetResourceMetric",
      "the HPA was unable to compute the replica count: failed to get cpu utilization: missing request for cpu in container c of Pod web-0",
    ],
    [
      "no selector",
      scaled(["1"], { selector: "" }),
      "InvalidSelector",
      "the HPA target's scale is missing a selector",
    ],
    [
      "a target of size 0",
      scaled([]),
      "ScalingDisabled",
      "scaling is disabled since the replica count of the target is zero",
    ],
  ])("%s", (_what, target, reason, message) => {
    const { status, rescale } = plan(makeAutoscaler(), target);
    expect(rescale).toBeUndefined();
    expect(status.conditions).toContainEqual({
      type: "ScalingActive",
      status: "False",
      reason,
      message,
      lastTransitionTime: timestamp(NOW),
    });
  });
});

test.each([
  [12, 10, "Current number of replicas above Spec.MaxReplicas"],
  [1, 3, "Current number of replicas below Spec.MinReplicas"],
])("%s replicas out of bounds become %s whatever the metrics say", (replicas, to, why) => {
  const target = scaled([], { replicas, usages: new Error("down") });
  expect(plan(makeAutoscaler({ minReplicas: 3 }), target).rescale).toEqual({ to, why });
});

describe("after the attempt", () => {
  const wanted = plan(makeAutoscaler(), scaled(["900m", "900m"]));
  const rescale = wanted.rescale ?? { to: 0, why: "" };

  test("success is noted with its time, and remembered", () => {
    const { status, events, history } = afterRescale({ ...wanted, rescale }, { nowMs: NOW });
    expect(status.lastScaleTime).toBe(timestamp(NOW));
    expect(conditions(status)[0]).toBe("AbleToScale True SucceededRescale");
    expect(events).toMatchObject([
      {
        reason: "SuccessfulRescale",
        message: "New size: 4; reason: cpu resource utilization (percentage of request) above target",
      },
    ]);
    expect(history.changes).toEqual([{ by: 2, atMs: NOW }]);
  });

  test("failure is told", () => {
    const { status, events, history } = afterRescale(
      { ...wanted, rescale },
      { nowMs: NOW, failure: "quota" },
    );
    expect(status.lastScaleTime).toBeUndefined();
    expect(conditions(status)[0]).toBe("AbleToScale False FailedUpdateScale");
    expect(events).toMatchObject([{ type: "Warning", reason: "FailedRescale" }]);
    expect(history.changes).toEqual([]);
  });
});

test("a condition keeps its time while its status stays", () => {
  const first = withoutScale(makeAutoscaler(), "gone", NOW).status;
  const later = withoutScale(makeAutoscaler({}, first), "still gone", NOW + 60_000).status;
  expect(later.conditions).toEqual([
    {
      type: "AbleToScale",
      status: "False",
      reason: "FailedGetScale",
      message: "the HPA controller was unable to get the target's current scale: still gone",
      lastTransitionTime: timestamp(NOW),
    },
  ]);
});

test("two autoscalers of the same pods: neither acts, and both say so", () => {
  const both = scaled(["900m", "900m"], { autoscalers: ["default/other", "default/web"] });
  const { status, rescale, events } = plan(makeAutoscaler(), both);
  const message = "pods by selector app=web are controlled by multiple HPAs: [default/other default/web]";
  expect(rescale).toBeUndefined();
  expect(status.conditions).toContainEqual(
    expect.objectContaining({ type: "ScalingActive", status: "False", reason: "AmbiguousSelector", message }),
  );
  expect(events.map(({ reason, message }) => [reason, message])).toEqual([
    ["AmbiguousSelector", message],
    ["FailedComputeMetricsReplicas", message],
  ]);
});
