// For each kind an object with several things wrong at once: 422, and every one of them told with its field and its reason.
import { afterAll, beforeAll, expect, it } from "vitest";
import type { Status } from "../../src/api/generated/types.ts";
import { builtinKinds } from "../../src/api/registry.ts";
import { apiVersionOf, pathOf } from "../../src/api/resource.ts";
import { startTestServer, type TestServer } from "./harness.ts";

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(async () => {
  expect(server.errors).toEqual([]);
  await server.stop();
});

const container = { name: "Bad_Name", image: "", ports: [{ containerPort: 0, protocol: "ICMP" }] };
const template = {
  metadata: { labels: { "a b": "c" } },
  spec: { containers: [{ name: "c" }], restartPolicy: "Maybe" },
};
const selector = { matchLabels: { app: "a" } };

const RULES = "requiredDuringSchedulingIgnoredDuringExecution";
const WISHES = "preferredDuringSchedulingIgnoredDuringExecution";

const ofNoTerm = (path: string) =>
  ["Invalid", "Invalid", "Required"].map((why) => `${path}.topologyKey: ${why}`);

/** Kind, what is sent, and `field: reason` of all that is wrong with it, sorted. */
const CASES: readonly (readonly [string, object, readonly string[]])[] = [
  [
    "Namespace",
    { metadata: { name: "Not_A_Label", labels: { "-": "x" } } },
    ["metadata.labels: Invalid", "metadata.name: Invalid"],
  ],
  [
    "Node",
    { spec: { taints: [{ key: "", effect: "Never" }] } },
    ["spec.taints[0].effect: NotSupported", "spec.taints[0].key: Invalid", "spec.taints[0].key: Invalid"],
  ],
  [
    "Pod",
    { spec: { containers: [container], restartPolicy: "Maybe", dnsPolicy: "Mine" } },
    [
      "spec.containers[0].image: Required",
      "spec.containers[0].name: Invalid",
      "spec.containers[0].ports[0].containerPort: Required",
      "spec.containers[0].ports[0].protocol: NotSupported",
      "spec.dnsPolicy: NotSupported",
      "spec.restartPolicy: NotSupported",
    ],
  ],
  [
    "Pod",
    {
      spec: {
        containers: [{ name: "c", image: "i" }],
        affinity: {
          podAffinity: { [WISHES]: [{}], [RULES]: [{}] },
          podAntiAffinity: { [WISHES]: [{}] },
          nodeAffinity: { [WISHES]: [{}], [RULES]: {} },
        },
        topologySpreadConstraints: [{}],
        tolerations: [{}],
        volumes: [{}],
      },
    },
    [
      `spec.affinity.nodeAffinity.${RULES}.nodeSelectorTerms: Required`,
      `spec.affinity.nodeAffinity.${WISHES}[0].weight: Invalid`,
      ...ofNoTerm(`spec.affinity.podAffinity.${RULES}[0]`),
      ...ofNoTerm(`spec.affinity.podAffinity.${WISHES}[0].podAffinityTerm`),
      `spec.affinity.podAffinity.${WISHES}[0].weight: Invalid`,
      ...ofNoTerm(`spec.affinity.podAntiAffinity.${WISHES}[0].podAffinityTerm`),
      `spec.affinity.podAntiAffinity.${WISHES}[0].weight: Invalid`,
      "spec.tolerations[0].operator: Invalid",
      "spec.topologySpreadConstraints[0].maxSkew: Invalid",
      "spec.topologySpreadConstraints[0].topologyKey: Required",
      "spec.topologySpreadConstraints[0].whenUnsatisfiable: NotSupported",
      "spec.volumes[0].name: Required",
    ],
  ],
  [
    "ReplicationController",
    { spec: { replicas: -1, selector: {}, template } },
    [
      "metadata.labels: Invalid",
      "spec.replicas: Invalid",
      "spec.template.labels: Invalid",
      "spec.template.spec.containers[0].image: Required",
      "spec.template.spec.restartPolicy: NotSupported",
      "spec.template.spec.restartPolicy: NotSupported",
    ],
  ],
  [
    "ReplicaSet",
    { spec: { replicas: -1, selector, template } },
    [
      "spec.replicas: Invalid",
      "spec.template.labels: Invalid",
      "spec.template.metadata.labels: Invalid",
      "spec.template.spec.containers[0].image: Required",
      "spec.template.spec.restartPolicy: NotSupported",
      "spec.template.spec.restartPolicy: NotSupported",
    ],
  ],
  [
    "Deployment",
    { spec: { replicas: -1, selector, template, strategy: { type: "Sudden" } } },
    [
      "spec.replicas: Invalid",
      "spec.strategy: NotSupported",
      "spec.template.labels: Invalid",
      "spec.template.metadata.labels: Invalid",
      "spec.template.spec.containers[0].image: Required",
      "spec.template.spec.restartPolicy: NotSupported",
      "spec.template.spec.restartPolicy: NotSupported",
    ],
  ],
  [
    "StatefulSet",
    { spec: { replicas: -1, selector, template, podManagementPolicy: "Any" } },
    [
      "spec.podManagementPolicy: Invalid",
      "spec.replicas: Invalid",
      "spec.template.labels: Invalid",
      "spec.template.metadata.labels: Invalid",
      "spec.template.spec.containers[0].image: Required",
      "spec.template.spec.restartPolicy: NotSupported",
      "spec.template.spec.restartPolicy: NotSupported",
    ],
  ],
  [
    "DaemonSet",
    { spec: { minReadySeconds: -1, selector, template } },
    [
      "spec.minReadySeconds: Invalid",
      "spec.template.labels: Invalid",
      "spec.template.metadata.labels: Invalid",
      "spec.template.spec.containers[0].image: Required",
      "spec.template.spec.restartPolicy: NotSupported",
      "spec.template.spec.restartPolicy: NotSupported",
    ],
  ],
  [
    "Job",
    { spec: { parallelism: -1, backoffLimit: -2, template } },
    [
      "metadata.labels: Invalid",
      "spec.backoffLimit: Invalid",
      "spec.parallelism: Invalid",
      "spec.template.labels: Invalid",
      "spec.template.spec.containers[0].image: Required",
      "spec.template.spec.restartPolicy: NotSupported",
      "spec.template.spec.restartPolicy: NotSupported",
    ],
  ],
  [
    "Deployment",
    { spec: {} },
    [
      "spec.selector: Required",
      "spec.template.metadata.labels: Invalid",
      "spec.template.spec.containers: Required",
    ],
  ],
  [
    "Deployment",
    { spec: { selector: { matchLabels: { app: "a b" } }, template: { spec: { containers: [] } } } },
    ["spec.selector.matchLabels: Invalid", "spec.selector: Invalid"],
  ],
  [
    "StatefulSet",
    { spec: { selector: { matchExpressions: [{ key: "app", operator: "Is" }] } } },
    ["spec.selector.matchExpressions[0].operator: Invalid", "spec.selector: Invalid"],
  ],
  [
    "DaemonSet",
    { spec: {} },
    ["spec.template.metadata.labels: Invalid", "spec.template.spec.containers: Required"],
  ],
  [
    "DaemonSet",
    { spec: { selector: { matchLabels: { app: "a b" } } } },
    ["spec.selector.matchLabels: Invalid", "spec.template.spec.containers: Required"],
  ],
  [
    "Job",
    { spec: {} },
    ["spec.template.spec.containers: Required", "spec.template.spec.restartPolicy: Required"],
  ],
  [
    "CronJob",
    { spec: { schedule: "@daily" } },
    [
      "spec.jobTemplate.spec.template.spec.containers: Required",
      "spec.jobTemplate.spec.template.spec.restartPolicy: Required",
    ],
  ],
  [
    "Namespace",
    { metadata: { name: "x", finalizers: ["A b"] }, spec: { finalizers: ["plain", "example.com/kept"] } },
    ["metadata.finalizers: Invalid", "metadata.finalizers[0]: Invalid", "spec.finalizers: Invalid"],
  ],
  [
    "Pod",
    {
      spec: {
        securityContext: {
          sysctls: [{ name: "kernel.a" }, { name: "kernel.a" }, { name: "A b" }, {}],
          seccompProfile: { type: "Localhost", localhostProfile: "/x/../y" },
        },
        affinity: {
          nodeAffinity: {
            [RULES]: {
              nodeSelectorTerms: [
                { matchFields: [{ key: "metadata.name", operator: "In", values: ["A_b"] }] },
              ],
            },
          },
        },
        containers: [
          {
            name: "c",
            image: "i",
            livenessProbe: { httpGet: { port: 80, httpHeaders: [{ value: "v" }] } },
          },
        ],
      },
    },
    [
      `spec.affinity.nodeAffinity.${RULES}.nodeSelectorTerms[0].matchFields[0].values[0]: Invalid`,
      "spec.containers[0].livenessProbe.httpGet.httpHeaders: Invalid",
      "spec.securityContext.seccompProfile.localhostProfile: Invalid",
      "spec.securityContext.seccompProfile.localhostProfile: Invalid",
      "spec.securityContext.sysctls[1].name: Duplicate",
      "spec.securityContext.sysctls[2].name: Invalid",
      "spec.securityContext.sysctls[3].name: Required",
    ],
  ],
  [
    "Service",
    {
      spec: { ports: [{ port: 80, appProtocol: "" }], loadBalancerSourceRanges: ["10.0.0.0/8", "10.0.0.0"] },
    },
    [
      "spec.LoadBalancerSourceRanges: Forbidden",
      "spec.LoadBalancerSourceRanges[1]: Invalid",
      "spec.ports[0].appProtocol: Invalid",
      "spec.ports[0].appProtocol: Invalid",
    ],
  ],
  [
    "Service",
    {
      metadata: {
        name: "x",
        annotations: { "service.beta.kubernetes.io/load-balancer-source-ranges": "10.0.0.0/8, ten" },
      },
      spec: { ports: [{ port: 80 }] },
    },
    [
      "metadata.annotations[service.beta.kubernetes.io/load-balancer-source-ranges]: Forbidden",
      "metadata.annotations[service.beta.kubernetes.io/load-balancer-source-ranges]: Invalid",
    ],
  ],
  [
    "Ingress",
    { spec: { defaultBackend: { resource: { apiGroup: "A_b", kind: "..", name: "a/b" } } } },
    ["apiGroup", "kind", "name"].map((field) => `spec.defaultBackend.resource.${field}: Invalid`),
  ],
  [
    "IngressClass",
    { spec: { controller: "a.b/c", parameters: { apiGroup: "A_b", kind: "..", name: "a/b" } } },
    ["apiGroup", "kind", "name"].map((field) => `spec.parameters.${field}: Invalid`),
  ],
  [
    "Endpoints",
    {
      subsets: [
        { addresses: [{ ip: "1.2.3.4", nodeName: "A_b" }], ports: [{ port: 80, appProtocol: "a b" }] },
      ],
    },
    ["subsets[0].addresses[0].nodeName: Invalid", "subsets[0].ports[0].appProtocol: Invalid"],
  ],
  [
    "EndpointSlice",
    {
      addressType: "IPv4",
      endpoints: [{ addresses: ["1.2.3.4"], hostname: "" }],
      ports: [{ port: 80, appProtocol: "a b" }],
    },
    ["endpoints[0].hostname: Invalid", "ports[0].appProtocol: Invalid"],
  ],
  [
    "Service",
    { spec: { type: "Sometimes", ports: [{ port: 0, protocol: "ICMP" }] } },
    [
      "spec.ports[0].port: Invalid",
      "spec.ports[0].protocol: NotSupported",
      "spec.ports[0].targetPort: Invalid",
      "spec.type: NotSupported",
    ],
  ],
  ["ConfigMap", { data: { "a b": "1", "..": "2" } }, ["data[..]: Invalid", "data[a b]: Invalid"]],
  [
    "PersistentVolumeClaim",
    { spec: { accessModes: ["Sometimes"], resources: { requests: {} } } },
    ["spec.accessModes: NotSupported", "spec.resources[storage]: Required"],
  ],
  [
    "PersistentVolume",
    { spec: { capacity: {}, accessModes: [] } },
    [
      "spec.accessModes: Required",
      "spec.capacity: NotSupported",
      "spec.capacity: Required",
      "spec: Required",
    ],
  ],
  [
    "StorageClass",
    { provisioner: "", reclaimPolicy: "Burn", volumeBindingMode: "Later" },
    ["provisioner: Required", "reclaimPolicy: NotSupported", "volumeBindingMode: NotSupported"],
  ],
  [
    "PodDisruptionBudget",
    { spec: { minAvailable: -1, maxUnavailable: "200%", unhealthyPodEvictionPolicy: "Never" } },
    [
      "spec.maxUnavailable: Invalid",
      "spec.minAvailable: Invalid",
      "spec.unhealthyPodEvictionPolicy: NotSupported",
      "spec: Invalid",
    ],
  ],
  [
    "ResourceQuota",
    { spec: { hard: { gizmos: "1", pods: "1500m" }, scopes: ["Odd"] } },
    ["spec.hard[gizmos]: Invalid", "spec.hard[pods]: Invalid", "spec.scopes: Invalid"],
  ],
  [
    "LimitRange",
    { spec: { limits: [{ type: "Thing", max: { bytes: "1" } }] } },
    ["spec.limits[0].max[bytes]: Invalid", "spec.limits[0].type: Invalid"],
  ],
  [
    "Ingress",
    { spec: { ingressClassName: "A_b", rules: [{ host: "1.2.3.4", http: { paths: [] } }] } },
    ["spec.ingressClassName: Invalid", "spec.rules[0].host: Invalid", "spec.rules[0].http.paths: Required"],
  ],
  [
    "NetworkPolicy",
    { spec: { podSelector: {}, policyTypes: ["Sideways"], ingress: [{ from: [{}], ports: [{ port: 0 }] }] } },
    [
      "spec.ingress[0].from[0]: Required",
      "spec.ingress[0].ports[0].port: Invalid",
      "spec.policyTypes[0]: NotSupported",
    ],
  ],
  [
    "IngressClass",
    { spec: { controller: "plain", parameters: { scope: "Odd" } } },
    [
      "spec.controller: Invalid",
      "spec.parameters.kind: Required",
      "spec.parameters.name: Required",
      "spec.parameters.scope: NotSupported",
    ],
  ],
  [
    "CronJob",
    {
      spec: {
        schedule: "every day",
        timeZone: "Mars/Base",
        concurrencyPolicy: "Perhaps",
        successfulJobsHistoryLimit: -1,
        startingDeadlineSeconds: -1,
        jobTemplate: { spec: { parallelism: -1, template } },
      },
    },
    [
      "spec.concurrencyPolicy: NotSupported",
      "spec.jobTemplate.spec.parallelism: Invalid",
      "spec.jobTemplate.spec.template.labels: Invalid",
      "spec.jobTemplate.spec.template.spec.containers[0].image: Required",
      "spec.jobTemplate.spec.template.spec.restartPolicy: NotSupported",
      "spec.jobTemplate.spec.template.spec.restartPolicy: NotSupported",
      "spec.schedule: Invalid",
      "spec.startingDeadlineSeconds: Invalid",
      "spec.successfulJobsHistoryLimit: Invalid",
      "spec.timeZone: Invalid",
    ],
  ],
  [
    "HorizontalPodAutoscaler",
    {
      spec: {
        minReplicas: 5,
        maxReplicas: 0,
        scaleTargetRef: { kind: "", name: "A/b" },
        metrics: [{ type: "Resource" }, { type: "Odd" }],
        behavior: {
          scaleDown: {
            stabilizationWindowSeconds: -1,
            policies: [{ type: "Odd", value: 0, periodSeconds: 0 }],
          },
        },
      },
    },
    [
      "spec.behavior.scaleDown.policies[0].periodSeconds: Invalid",
      "spec.behavior.scaleDown.policies[0].type: NotSupported",
      "spec.behavior.scaleDown.policies[0].value: Invalid",
      "spec.behavior.scaleDown.stabilizationWindowSeconds: Invalid",
      "spec.maxReplicas: Invalid",
      "spec.maxReplicas: Invalid",
      "spec.metrics[0].resource: Required",
      "spec.metrics[1].type: NotSupported",
      "spec.scaleTargetRef.kind: Required",
      "spec.scaleTargetRef.name: Invalid",
    ],
  ],
  [
    "EndpointSlice",
    {
      addressType: "Pigeon",
      endpoints: [{ addresses: [] }],
      ports: [{ name: "A b", port: 0, protocol: "ICMP" }, { name: "A b" }],
    },
    [
      "addressType: NotSupported",
      "endpoints[0].addresses: Required",
      "ports[0].name: Invalid",
      "ports[0].port: Invalid",
      "ports[0].protocol: NotSupported",
      "ports[1].name: Duplicate",
      "ports[1].name: Invalid",
    ],
  ],
  [
    "Endpoints",
    {
      subsets: [
        {
          addresses: [{ ip: "127.0.0.1" }, { ip: "one" }],
          ports: [{ port: 0, protocol: "ICMP" }, { port: 99999 }],
        },
        {},
      ],
    },
    [
      "subsets[0].addresses[1].ip: Invalid",
      "subsets[0].ports[0].name: Required",
      "subsets[0].ports[0].port: Invalid",
      "subsets[0].ports[0].protocol: NotSupported",
      "subsets[0].ports[1].name: Required",
      "subsets[0].ports[1].port: Invalid",
      "subsets[1]: Required",
    ],
  ],
  [
    "Event",
    { involvedObject: { namespace: "other" }, metadata: { name: "x_Y", namespace: "default" } },
    ["involvedObject.namespace: Invalid", "metadata.name: Invalid"],
  ],
  [
    "Lease",
    { spec: { holderIdentity: "", leaseDurationSeconds: 0, leaseTransitions: -1 } },
    ["spec.leaseDurationSeconds: Invalid", "spec.leaseTransitions: Invalid"],
  ],
  [
    "ControllerRevision",
    { revision: -1, metadata: { name: "A_b", namespace: "default" } },
    ["data: Required", "metadata.name: Invalid", "revision: Invalid"],
  ],
  [
    "Secret",
    { type: "kubernetes.io/tls", data: { "a b": "eA==" } },
    ["data[a b]: Invalid", "data[tls.crt]: Required", "data[tls.key]: Required"],
  ],
  [
    "ServiceAccount",
    { metadata: { name: "A_b", namespace: "default", labels: { "-": "x" } } },
    ["metadata.labels: Invalid", "metadata.name: Invalid"],
  ],
  [
    "PriorityClass",
    { metadata: { name: "system-mine" }, value: 2000000001, preemptionPolicy: "Perhaps" },
    ["metadata.name: Forbidden", "preemptionPolicy: NotSupported"],
  ],
  [
    "RuntimeClass",
    { handler: "A_b", overhead: { podFixed: { gizmos: "1" } }, scheduling: { nodeSelector: { "a b": "c" } } },
    [
      "handler: Invalid",
      "overhead.podFixed[gizmos]: Invalid",
      "overhead.podFixed[gizmos]: Invalid",
      "scheduling.nodeSelector: Invalid",
    ],
  ],
  [
    "PodTemplate",
    { template },
    [
      "template.labels: Invalid",
      "template.spec.containers[0].image: Required",
      "template.spec.restartPolicy: NotSupported",
    ],
  ],
  [
    "CSIDriver",
    { metadata: { name: "A_b" }, spec: { volumeLifecycleModes: ["Odd"], fsGroupPolicy: "Odd" } },
    ["metadata.name: Invalid", "spec.fsGroupPolicy: NotSupported", "spec.volumeLifecycleModes: NotSupported"],
  ],
  [
    "CSINode",
    {
      spec: {
        drivers: [
          { name: "A_b", nodeID: "" },
          { name: "A_b", nodeID: "n", topologyKeys: ["a b"] },
        ],
      },
    },
    [
      "spec.drivers[0].name: Invalid",
      "spec.drivers[0].nodeID: Required",
      "spec.drivers[1].name: Duplicate",
      "spec.drivers[1].name: Invalid",
      "spec.drivers[1].topologyKeys: Invalid",
    ],
  ],
  [
    "VolumeAttachment",
    { spec: { attacher: "A_b", nodeName: "A_b", source: {} } },
    ["spec.attacher: Invalid", "spec.nodeName: Invalid", "spec.source: Required"],
  ],
  [
    "Image",
    { spec: { names: ["a", "a"], builtin: "nginx", command: ["x"] } },
    ["spec.command: Invalid", "spec.names[1]: Duplicate"],
  ],
  ["Fault", { spec: { latency: "soon", loss: 2 } }, ["spec.latency: Invalid", "spec.loss: Invalid"]],
];

it.each(CASES)("%s", async (name, body, expected) => {
  const kind = builtinKinds.find(({ resource }) => resource.kind === name)!;
  const { resource } = kind;
  const at = resource.namespaced ? { namespace: "default" } : {};
  const { status, body: answer } = await server.transport.request({
    method: "POST",
    path: pathOf(resource, at),
    body: { apiVersion: apiVersionOf(resource), kind: name, metadata: { name: "x", ...at }, ...body },
  });
  const { reason, details, message } = answer as Status;
  expect({ status, reason, kind: details?.kind }).toEqual({ status: 422, reason: "Invalid", kind: name });
  const causes = details?.causes ?? [];
  expect(causes.length).toBeGreaterThan(1);
  // The message names each of them, and names no field twice for the same reason.
  for (const cause of causes) expect(message).toContain(`${cause.field}: ${cause.message}`);
  expect(new Set(causes.map((cause) => `${cause.field} ${cause.message}`)).size).toBe(causes.length);
  const told = causes.map((cause) => `${cause.field}: ${cause.reason?.replace(/^FieldValue/, "")}`);
  expect(told.sort()).toEqual([...expected].sort());
});
