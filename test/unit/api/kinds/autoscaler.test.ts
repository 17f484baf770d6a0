import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type {
  AutoscalingV1HorizontalPodAutoscaler,
  HorizontalPodAutoscaler,
  HorizontalPodAutoscalerSpec,
  MetricSpec,
} from "../../../../src/api/generated/types.ts";
import { autoscalerV1Form } from "../../../../src/api/kinds/autoscaler/v1.ts";
import { horizontalPodAutoscalerKind } from "../../../../src/api/kinds/horizontal-pod-autoscaler.ts";
import type { Draft } from "../../../../src/api/object.ts";
import { cells, stored, told } from "./examples.ts";

const target = { apiVersion: "apps/v1", kind: "Deployment", name: "web" };
const autoscaler = (spec: Draft<HorizontalPodAutoscalerSpec> = {}): HorizontalPodAutoscaler =>
  stored(horizontalPodAutoscalerKind, "web", { spec: { scaleTargetRef: target, maxReplicas: 3, ...spec } });
const cpu = (averageUtilization = 50): MetricSpec => ({
  type: "Resource",
  resource: { name: "cpu", target: { type: "Utilization", averageUtilization } },
});
const memory: MetricSpec = {
  type: "ContainerResource",
  containerResource: {
    name: "memory",
    container: "c",
    target: { type: "AverageValue", averageValue: "1Gi" },
  },
};
const rps: MetricSpec = {
  type: "Pods",
  pods: { metric: { name: "rps" }, target: { type: "AverageValue", averageValue: "10" } },
};

describe("HorizontalPodAutoscaler", () => {
  it("is defaulted as Kubernetes does", () => {
    expect(autoscaler().spec).toMatchObject({ minReplicas: 1, metrics: [cpu(80)] });
    expect(autoscaler().spec.behavior).toBeUndefined();
    const { behavior } = autoscaler({ behavior: { scaleDown: { policies: [] } } }).spec;
    expect(behavior?.scaleUp).toMatchObject({ stabilizationWindowSeconds: 0, selectPolicy: "Max" });
    expect(behavior?.scaleUp?.policies).toHaveLength(2);
    expect(behavior?.scaleDown).toEqual({ selectPolicy: "Max", policies: [] });
    expect(told(horizontalPodAutoscalerKind, autoscaler())).toEqual([]);
  });

  it.each<[string, Draft<HorizontalPodAutoscalerSpec>, string[]]>([
    [
      "bounds that are none",
      { minReplicas: 0, maxReplicas: 0 },
      [
        "spec.minReplicas: Invalid value: 0: must be greater than or equal to 1",
        "spec.maxReplicas: Invalid value: 0: must be greater than 0",
      ],
    ],
    [
      "fewer at most than at least",
      { minReplicas: 4 },
      ["spec.maxReplicas: Invalid value: 3: must be greater than or equal to `minReplicas`"],
    ],
    [
      "no target",
      { scaleTargetRef: {} },
      ["spec.scaleTargetRef.kind: Required value", "spec.scaleTargetRef.name: Required value"],
    ],
    [
      "a metric without its source",
      { metrics: [{ type: "Resource", pods: rps.pods! }] },
      [
        "spec.metrics[0].pods: Forbidden: must populate the given metric source only",
        "spec.metrics[0].resource: Required value: must populate information for the given metric source",
      ],
    ],
    [
      "a metric without a target",
      { metrics: [{ type: "Resource", resource: { name: "cpu", target: { type: "Utilization" } } }] },
      [
        "spec.metrics[0].resource.target.averageUtilization: Required value: must set either a target raw value or a target utilization",
      ],
    ],
    [
      "a behavior out of range",
      {
        behavior: {
          scaleUp: {
            stabilizationWindowSeconds: 3601,
            selectPolicy: "Any",
            policies: [{ type: "Pods", value: 0, periodSeconds: 1801 }],
          },
        },
      },
      [
        "spec.behavior.scaleUp.stabilizationWindowSeconds: Invalid value: 3601: must be less than or equal to 3600",
        'spec.behavior.scaleUp.selectPolicy: Unsupported value: "Any": supported values: "Disabled", "Max", "Min"',
        "spec.behavior.scaleUp.policies[0].value: Invalid value: 0: must be greater than zero",
        "spec.behavior.scaleUp.policies[0].periodSeconds: Invalid value: 1801: must be less than or equal to 1800",
      ],
    ],
  ])("refuses %s", (_what, spec, errors) => {
    expect(told(horizontalPodAutoscalerKind, autoscaler(spec))).toEqual(errors);
  });

  it("is shown as kubectl shows it", () => {
    const shown = autoscaler({ metrics: [cpu(), memory, rps] });
    expect(cells(horizontalPodAutoscalerKind, shown)).toMatchObject({
      Reference: "Deployment/web",
      Targets: "cpu: <unknown>/50%, memory: <unknown>/1Gi + 1 more...",
      MinPods: "1",
      MaxPods: 3,
      Replicas: 0,
    });
    shown.status = {
      currentReplicas: 2,
      desiredReplicas: 2,
      currentMetrics: [{ type: "Resource", resource: { name: "cpu", current: { averageUtilization: 7 } } }],
    };
    expect(cells(horizontalPodAutoscalerKind, shown)["Targets"]).toMatch(/^cpu: 7%\/50%, /);
  });

  it("warns of metrics that it cannot read", () => {
    expect(horizontalPodAutoscalerKind.warnings?.(autoscaler({ metrics: [cpu(), rps] }), undefined)).toEqual([
      "spec.metrics[1]: kubemu serves no custom or external metrics; a metric of type Pods cannot be read",
    ]);
  });
});

describe("autoscaling/v1", () => {
  const v1 = (object: HorizontalPodAutoscaler): AutoscalingV1HorizontalPodAutoscaler =>
    autoscalerV1Form.fromStored(object) as AutoscalingV1HorizontalPodAutoscaler;

  it("has one CPU target, and keeps the rest in annotations", () => {
    const object = autoscaler({ metrics: [cpu(), memory], behavior: {} });
    object.status = {
      currentReplicas: 2,
      desiredReplicas: 2,
      currentMetrics: [{ type: "Resource", resource: { name: "cpu", current: { averageUtilization: 7 } } }],
    };
    const { metadata, spec, status } = v1(object);
    expect(spec).toEqual({
      scaleTargetRef: target,
      minReplicas: 1,
      maxReplicas: 3,
      targetCPUUtilizationPercentage: 50,
    });
    expect(status).toEqual({ currentReplicas: 2, desiredReplicas: 2, currentCPUUtilizationPercentage: 7 });
    expect(JSON.parse(metadata.annotations?.["autoscaling.alpha.kubernetes.io/metrics"] ?? "")).toEqual([
      memory,
    ]);
  });

  it("says nothing of what is broken in an annotation", () => {
    const object = v1(autoscaler({ metrics: [cpu()] }));
    object.metadata.annotations = { "autoscaling.alpha.kubernetes.io/metrics": "{", mine: "kept" };
    const back = autoscalerV1Form.toStored(object) as HorizontalPodAutoscaler;
    expect(back.spec.metrics).toEqual([cpu()]);
    expect(back.metadata.annotations).toEqual({ mine: "kept" });
  });

  it("loses nothing on the way there and back", () => {
    const metrics = fc.uniqueArray(fc.constantFrom(memory, rps), { maxLength: 2 });
    const behavior = fc.option(fc.constant({ scaleUp: { selectPolicy: "Min" } }), { nil: undefined });
    fc.assert(
      fc.property(metrics, behavior, fc.boolean(), (others, rules, annotated) => {
        const object = autoscaler({ metrics: [cpu(), ...others], ...(rules ? { behavior: rules } : {}) });
        if (annotated) object.metadata.annotations = { mine: "kept" };
        object.status = {
          currentReplicas: 1,
          desiredReplicas: 2,
          conditions: [{ type: "a", status: "True" }],
        };
        expect(autoscalerV1Form.toStored(v1(object))).toEqual(object);
      }),
    );
  });
});
