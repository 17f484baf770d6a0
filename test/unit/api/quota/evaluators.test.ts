import { describe, expect, it, test } from "vitest";
import type { Pod, PodSpec, ResourceQuotaSpec } from "../../../../src/api/generated/types.ts";
import { configMaps } from "../../../../src/api/kinds/config-map.ts";
import { deployments } from "../../../../src/api/kinds/deployment.ts";
import { events } from "../../../../src/api/kinds/event.ts";
import { nodes } from "../../../../src/api/kinds/node.ts";
import { persistentVolumeClaims } from "../../../../src/api/kinds/persistent-volume-claim.ts";
import { pods } from "../../../../src/api/kinds/pod.ts";
import { services } from "../../../../src/api/kinds/service.ts";
import type { KubeObject } from "../../../../src/api/object.ts";
import { amountsField, amountsText } from "../../../../src/api/quota/amounts.ts";
import { evaluatorOf, isCharged } from "../../../../src/api/quota/evaluators.ts";
import { unsaidAmounts } from "../../../../src/api/quota/pod-amounts.ts";
import type { Resource } from "../../../../src/api/resource.ts";
import { countedBy, planUsage } from "../../../../src/controllers/resource-quota/plan.ts";

const NOW = Date.parse("2026-01-01T00:10:00Z");
const metadata = {
  name: "x",
  namespace: "default",
  uid: "x",
  resourceVersion: "1",
  creationTimestamp: "2026-01-01T00:00:00Z",
};
const made = (more: object) => ({ metadata, ...more }) as KubeObject;
const usage = (resource: Resource, object: object) =>
  amountsField(evaluatorOf(resource)!.usage(made(object), NOW));
const container = (
  requests: Record<string, string>,
  limits: Record<string, string> = {},
  more: object = {},
) => ({
  name: "c",
  image: "nginx",
  resources: { requests, limits },
  ...more,
});
const quota = (spec: ResourceQuotaSpec) => ({ metadata, spec });

describe("what an object takes of a quota", () => {
  it.each<[string, Resource, object, Record<string, string>]>([
    [
      "a pod: all containers together, and its initialisation where that needs more",
      pods,
      {
        spec: {
          containers: [
            container({ cpu: "100m", memory: "64Mi" }, { cpu: "1" }),
            container({ cpu: "200m", "example.com/gpu": "1" }),
          ],
          initContainers: [container({ cpu: "250m", memory: "1Gi" })],
        },
      },
      {
        "count/pods": "1",
        pods: "1",
        cpu: "300m",
        "requests.cpu": "300m",
        memory: "1Gi",
        "requests.memory": "1Gi",
        "requests.example.com/gpu": "1",
        "limits.cpu": "1",
      },
    ],
    [
      "a pod with a sidecar and an overhead",
      pods,
      {
        spec: {
          containers: [container({ cpu: "100m" }, { cpu: "1" })],
          initContainers: [
            container({ cpu: "50m" }, {}, { restartPolicy: "Always" }),
            container({ cpu: "90m" }),
          ],
          overhead: { cpu: "10m", memory: "1Mi" },
        },
      },
      {
        "count/pods": "1",
        pods: "1",
        cpu: "160m",
        "requests.cpu": "160m",
        memory: "1Mi",
        "requests.memory": "1Mi",
        "limits.cpu": "1010m",
      },
    ],
    [
      "a pod that has ended",
      pods,
      { spec: { containers: [container({ cpu: "1" })] }, status: { phase: "Failed" } },
      { "count/pods": "1" },
    ],
    [
      "a pod that should have ended by now",
      pods,
      {
        metadata: { ...metadata, deletionTimestamp: "2026-01-01T00:09:00Z", deletionGracePeriodSeconds: 30 },
        spec: { containers: [container({ cpu: "1" })] },
      },
      { "count/pods": "1" },
    ],
    [
      "a Service of type ClusterIP",
      services,
      { spec: { ports: [{ port: 80 }] } },
      { "count/services": "1", services: "1", "services.loadbalancers": "0", "services.nodeports": "0" },
    ],
    [
      "a Service of type NodePort",
      services,
      { spec: { type: "NodePort", ports: [{ port: 80 }, { port: 81 }] } },
      { "count/services": "1", services: "1", "services.loadbalancers": "0", "services.nodeports": "2" },
    ],
    [
      "a load balancer with one node port of its own choice",
      services,
      {
        spec: {
          type: "LoadBalancer",
          allocateLoadBalancerNodePorts: false,
          ports: [{ port: 80, nodePort: 30080 }, { port: 81 }],
        },
      },
      { "count/services": "1", services: "1", "services.loadbalancers": "1", "services.nodeports": "1" },
    ],
    [
      "a claim with a class",
      persistentVolumeClaims,
      { spec: { storageClassName: "gold", resources: { requests: { storage: "2Gi" } } } },
      {
        "count/persistentvolumeclaims": "1",
        persistentvolumeclaims: "1",
        "gold.storageclass.storage.k8s.io/persistentvolumeclaims": "1",
        "requests.storage": "2Gi",
        "gold.storageclass.storage.k8s.io/requests.storage": "2Gi",
      },
    ],
    ["a ConfigMap", configMaps, {}, { "count/configmaps": "1", configmaps: "1" }],
    ["a Deployment", deployments, {}, { "count/deployments.apps": "1" }],
  ])("%s", (_, resource, object, expected) => {
    expect(usage(resource, object)).toEqual(expected);
    const evaluator = evaluatorOf(resource)!;
    expect(Object.keys(expected).filter((name) => !evaluator.counts(name))).toEqual([]);
  });

  it("is nothing for Events and for what is in no namespace", () => {
    expect(evaluatorOf(events)).toBeUndefined();
    expect(evaluatorOf(nodes)).toBeUndefined();
  });
});

describe("the scopes of a quota", () => {
  const plain: PodSpec = { containers: [container({})] };
  const charged = (spec: Partial<PodSpec>, scoped: ResourceQuotaSpec) =>
    isCharged(
      quota({ hard: { pods: "1" }, ...scoped }),
      evaluatorOf(pods)!,
      made({ spec: { ...plain, ...spec } }),
    );
  const priority = (operator: string, values?: string[]) => ({
    scopeSelector: {
      matchExpressions: [{ scopeName: "PriorityClass", operator, ...(values ? { values } : {}) }],
    },
  });
  const elsewhere = {
    podAntiAffinity: {
      requiredDuringSchedulingIgnoredDuringExecution: [{ topologyKey: "zone", namespaces: ["other"] }],
    },
  };

  it.each<[Partial<PodSpec>, ResourceQuotaSpec, boolean]>([
    [{}, {}, true],
    [{}, { scopes: ["BestEffort"] }, true],
    [{}, { scopes: ["NotBestEffort"] }, false],
    [{ containers: [container({ cpu: "1" })] }, { scopes: ["BestEffort"] }, false],
    [{ activeDeadlineSeconds: 5 }, { scopes: ["Terminating"] }, true],
    [{ activeDeadlineSeconds: 5 }, { scopes: ["NotTerminating"] }, false],
    [{}, { scopes: ["NotTerminating", "BestEffort"] }, true],
    [{}, { scopes: ["NotTerminating", "NotBestEffort"] }, false],
    [{ priorityClassName: "high" }, priority("In", ["high"]), true],
    [{ priorityClassName: "low" }, priority("In", ["high"]), false],
    [{ priorityClassName: "low" }, priority("NotIn", ["high"]), true],
    [{}, priority("NotIn", ["high"]), true],
    [{}, priority("Exists"), false],
    [{}, priority("DoesNotExist"), true],
    [{ affinity: elsewhere }, { scopes: ["CrossNamespacePodAffinity"] }, true],
    [{}, { scopes: ["CrossNamespacePodAffinity"] }, false],
  ])("%j in %j: %s", (spec, scoped, expected) => {
    expect(charged(spec, scoped)).toBe(expected);
  });

  it("are about pods: nothing else is in one", () => {
    const scoped = quota({ hard: { services: "1" }, scopes: ["NotTerminating"] });
    expect(isCharged(scoped, evaluatorOf(services)!, made({ spec: { ports: [] } }))).toBe(false);
  });
});

test("a quota on cpu or memory wants every container to say how much", () => {
  const spec = { containers: [container({ cpu: "1" }, { memory: "1Gi" }), { ...container({}), name: "b" }] };
  const unsaid = (...names: string[]) => unsaidAmounts(made({ spec }) as Pod, names);
  expect(unsaid("requests.cpu", "limits.memory", "memory", "pods", "requests.ephemeral-storage")).toBe(
    "must specify limits.memory for: b; memory for: b,c; requests.cpu for: b",
  );
  expect(unsaid("pods", "count/pods")).toBeUndefined();
});

test("a quota's status lists what is counted, with zeros, and leaves out what nothing counts", () => {
  const spec = { hard: { pods: "2", "requests.cpu": "1.5", "count/gizmos.example.com": "1", services: "3" } };
  const known = [pods, services, configMaps];
  expect(countedBy(quota(spec), known)).toEqual([pods, services]);
  const running = made({ spec: { containers: [container({ cpu: "250m" })] } });
  const status = planUsage(
    quota(spec),
    [
      [pods, [running, running]],
      [services, []],
    ],
    NOW,
  );
  expect(status).toEqual({
    hard: { pods: "2", "requests.cpu": "1500m", "count/gizmos.example.com": "1", services: "3" },
    used: { pods: "2", "requests.cpu": "500m", services: "0" },
  });
});

test("amounts are told in the order of their names", () => {
  const amounts = evaluatorOf(pods)!.usage(
    made({ spec: { containers: [container({ memory: "1024Mi" })] } }),
    NOW,
  );
  expect(amountsText(amounts)).toBe("count/pods=1,memory=1Gi,pods=1,requests.memory=1Gi");
});
