// Autoscalers, their pods and what these use, for tests.
import type {
  HorizontalPodAutoscaler,
  HorizontalPodAutoscalerSpec,
  Pod,
} from "../../../../src/api/generated/types.ts";
import type { PodMetrics } from "../../../../src/api/metrics.ts";
import { timestamp } from "../../../../src/base/clock.ts";

export const NOW = Date.UTC(2026, 0, 2, 3, 4, 5);
const LONG_AGO = timestamp(NOW - 3_600_000);

export function makePod(
  name: string,
  {
    phase = "Running",
    ready = true,
    going = false,
    startedAt = LONG_AGO,
    changedAt = LONG_AGO,
    request = "1",
  } = {},
): Pod {
  return {
    metadata: {
      name,
      namespace: "default",
      uid: `uid-${name}`,
      resourceVersion: "1",
      creationTimestamp: LONG_AGO,
      labels: { app: "web" },
      ...(going ? { deletionTimestamp: LONG_AGO } : {}),
    },
    spec: {
      containers: [
        { name: "c", image: "nginx", ...(request ? { resources: { requests: { cpu: request } } } : {}) },
      ],
    },
    status: {
      phase,
      startTime: startedAt,
      conditions: [{ type: "Ready", status: ready ? "True" : "False", lastTransitionTime: changedAt }],
    },
  };
}

export const usage = (pod: string, cpu: string, memory = "10Mi"): PodMetrics => ({
  metadata: { name: pod, namespace: "default", uid: "", resourceVersion: "", creationTimestamp: LONG_AGO },
  timestamp: timestamp(NOW),
  window: "15s",
  containers: [{ name: "c", usage: { cpu, memory } }],
});

export function makeAutoscaler(
  spec: Partial<HorizontalPodAutoscalerSpec> = {},
  status: Partial<HorizontalPodAutoscaler["status"]> = {},
): HorizontalPodAutoscaler {
  return {
    apiVersion: "autoscaling/v2",
    kind: "HorizontalPodAutoscaler",
    metadata: {
      name: "web",
      namespace: "default",
      uid: "uid-hpa",
      generation: 1,
      resourceVersion: "1",
      creationTimestamp: LONG_AGO,
    },
    spec: {
      scaleTargetRef: { apiVersion: "apps/v1", kind: "Deployment", name: "web" },
      minReplicas: 1,
      maxReplicas: 10,
      metrics: [
        {
          type: "Resource",
          resource: { name: "cpu", target: { type: "Utilization", averageUtilization: 50 } },
        },
      ],
      ...spec,
    },
    status: { currentReplicas: 0, desiredReplicas: 0, ...status },
  };
}
