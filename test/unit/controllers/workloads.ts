// Deployments, ReplicaSets and their pods for tests, and a stand-in for scheduler and kubelet that makes pods Ready.
import type {
  DaemonSet,
  Deployment,
  Pod,
  ReplicaSet,
  StatefulSet,
} from "../../../src/api/generated/types.ts";
import { timestamp } from "../../../src/base/clock.ts";
import type { TestContext } from "./context.ts";

const meta = (name: string) => ({
  name,
  namespace: "default",
  uid: `uid-${name}`,
  generation: 1,
  resourceVersion: "1",
  creationTimestamp: "2026-01-01T00:00:00Z",
});

const templateOf = (image: string, labels: Record<string, string>) => ({
  metadata: { labels } as Pod["metadata"],
  spec: { containers: [{ name: "web", image }] },
});

export function makeDeployment(
  name: string,
  spec: Partial<Deployment["spec"]> & { image?: string } = {},
): Deployment {
  const { image = "nginx:1", ...rest } = spec;
  return {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: meta(name),
    spec: {
      replicas: 3,
      selector: { matchLabels: { app: name } },
      strategy: { type: "RollingUpdate", rollingUpdate: { maxSurge: "25%", maxUnavailable: "25%" } },
      progressDeadlineSeconds: 600,
      revisionHistoryLimit: 10,
      template: templateOf(image, { app: name }),
      ...rest,
    },
  };
}

export function makeStatefulSet(
  name: string,
  spec: Partial<StatefulSet["spec"]> & { image?: string; partition?: number } = {},
): StatefulSet {
  const { image = "nginx:1", partition = 0, ...rest } = spec;
  return {
    apiVersion: "apps/v1",
    kind: "StatefulSet",
    metadata: meta(name),
    spec: {
      replicas: 3,
      serviceName: name,
      selector: { matchLabels: { app: name } },
      podManagementPolicy: "OrderedReady",
      updateStrategy: { type: "RollingUpdate", rollingUpdate: { partition, maxUnavailable: 1 } },
      revisionHistoryLimit: 10,
      template: templateOf(image, { app: name }),
      ...rest,
    },
  };
}

export function makeDaemonSet(
  name: string,
  spec: Partial<DaemonSet["spec"]> & { image?: string } = {},
): DaemonSet {
  const { image = "nginx:1", ...rest } = spec;
  return {
    apiVersion: "apps/v1",
    kind: "DaemonSet",
    metadata: meta(name),
    spec: {
      selector: { matchLabels: { app: name } },
      updateStrategy: { type: "RollingUpdate", rollingUpdate: { maxUnavailable: 1, maxSurge: 0 } },
      revisionHistoryLimit: 10,
      template: templateOf(image, { app: name }),
      ...rest,
    },
  };
}

export interface ReplicaSetOptions {
  readonly replicas?: number;
  readonly available?: number;
  readonly actual?: number;
  readonly annotations?: Record<string, string>;
  readonly image?: string;
  readonly created?: string;
  readonly minReadySeconds?: number;
}

export function makeReplicaSet(name: string, options: ReplicaSetOptions = {}): ReplicaSet {
  const { replicas = 3, available = 0, actual = replicas, annotations, image = "nginx:1" } = options;
  return {
    apiVersion: "apps/v1",
    kind: "ReplicaSet",
    metadata: {
      ...meta(name),
      ...(annotations ? { annotations } : {}),
      ...(options.created ? { creationTimestamp: options.created } : {}),
    },
    spec: {
      replicas,
      ...(options.minReadySeconds ? { minReadySeconds: options.minReadySeconds } : {}),
      selector: { matchLabels: { app: name } },
      template: templateOf(image, { app: name }),
    },
    status: {
      replicas: actual,
      availableReplicas: available,
      readyReplicas: available,
      observedGeneration: 1,
    },
  };
}

export const readyNow = (nowMs: number): Pod["status"] => ({
  phase: "Running",
  conditions: [{ type: "Ready", status: "True", lastTransitionTime: timestamp(nowMs) }],
});

export interface Kubelet {
  /** Runs each pod that is not held back, and finishes each that terminates; false when there was nothing to do. */
  step(): boolean;
  /** Images whose pods never become ready. */
  readonly broken: Set<string>;
}

/** `nodeOf` stands for the scheduler. */
export function createKubelet(
  { api, clock }: TestContext,
  nodeOf: (pod: Pod) => string | undefined = () => "n1",
): Kubelet {
  const broken = new Set<string>();
  const step = (): boolean => {
    let busy = false;
    for (const pod of api.list<Pod>("pods")) {
      const key = `${pod.metadata.namespace}/${pod.metadata.name}`;
      if (pod.metadata.deletionTimestamp) {
        api.remove("pods", key);
        busy = true;
      } else if (!pod.status?.phase && !broken.has(pod.spec.containers[0]?.image ?? "")) {
        api.put("pods", {
          ...pod,
          spec: { ...pod.spec, nodeName: nodeOf(pod) ?? "n1" },
          status: readyNow(clock.now()),
        });
        busy = true;
      }
    }
    return busy;
  };
  return { step, broken };
}
