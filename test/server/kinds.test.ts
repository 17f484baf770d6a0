// Every kind through the real server: stored as given, unchanged when put back as it was read, shown as a table.
import { afterAll, beforeAll, expect, it } from "vitest";
import type { KubeObject } from "../../src/api/object.ts";
import { builtinKinds } from "../../src/api/registry.ts";
import { apiVersionOf, pathOf } from "../../src/api/resource.ts";
import { startTestServer, type TestServer } from "./harness.ts";

const template = {
  metadata: { labels: { app: "a" } },
  spec: {
    containers: [{ name: "a", image: "nginx", resources: { limits: { cpu: 0.5, memory: "1024Mi" } } }],
  },
};
const runOnce = { template: { spec: { ...template.spec, restartPolicy: "Never" } } };
const EXAMPLES: Readonly<Record<string, object>> = {
  Namespace: {},
  Node: { status: { capacity: { cpu: "4" } } },
  Lease: { spec: { holderIdentity: "node-1", leaseDurationSeconds: 40 } },
  Pod: { spec: template.spec },
  ReplicationController: { spec: { template } },
  ReplicaSet: { spec: { selector: { matchLabels: { app: "a" } }, template } },
  Deployment: { spec: { selector: { matchLabels: { app: "a" } }, template } },
  StatefulSet: { spec: { serviceName: "a", selector: { matchLabels: { app: "a" } }, template } },
  DaemonSet: { spec: { selector: { matchLabels: { app: "a" } }, template } },
  Job: { spec: runOnce },
  CronJob: { spec: { schedule: "*/5 * * * *", jobTemplate: { spec: runOnce } } },
  HorizontalPodAutoscaler: { spec: { maxReplicas: 4, scaleTargetRef: { kind: "Deployment", name: "a" } } },
  Service: { spec: { type: "LoadBalancer", selector: { app: "a" }, ports: [{ port: 80 }] } },
  Endpoints: { subsets: [{ addresses: [{ ip: "127.16.1.2" }], ports: [{ port: 80 }] }] },
  EndpointSlice: { addressType: "IPv4", endpoints: [{ addresses: ["127.16.1.2"] }], ports: [{ port: 80 }] },
  ConfigMap: { data: { a: "1" } },
  Secret: { stringData: { a: "1" } },
  ServiceAccount: {},
  Event: { involvedObject: { kind: "Pod", name: "a", namespace: "default" }, reason: "Started" },
  ControllerRevision: { data: { spec: {} }, revision: 1 },
  PersistentVolume: {
    spec: { capacity: { storage: "1024Mi" }, accessModes: ["ReadWriteOnce"], hostPath: { path: "/data" } },
  },
  PersistentVolumeClaim: {
    spec: { accessModes: ["ReadWriteMany"], resources: { requests: { storage: "1024Mi" } } },
  },
  StorageClass: { provisioner: "example.com/disk" },
  VolumeAttachment: {
    spec: { attacher: "csi.example.com", nodeName: "node-1", source: { persistentVolumeName: "a" } },
  },
  CSIDriver: { spec: { attachRequired: false } },
  CSINode: { spec: { drivers: [{ name: "csi.example.com", nodeID: "1" }] } },
  PriorityClass: { value: 5 },
  PodTemplate: { template },
  PodDisruptionBudget: { spec: { minAvailable: "50%", selector: { matchLabels: { app: "a" } } } },
  ResourceQuota: { spec: { hard: { pods: 4, "requests.cpu": 1.5, "count/deployments.apps": "2" } } },
  LimitRange: { spec: { limits: [{ type: "Container", max: { memory: "1024Mi" }, min: { cpu: 0.1 } }] } },
  Ingress: {
    spec: {
      ingressClassName: "kubemu",
      rules: [
        {
          host: "a.example.com",
          http: {
            paths: [
              { path: "/", pathType: "Prefix", backend: { service: { name: "a", port: { number: 80 } } } },
            ],
          },
        },
      ],
    },
  },
  IngressClass: { spec: { controller: "example.com/ingress" } },
  NetworkPolicy: {
    spec: { podSelector: {}, ingress: [{ from: [{ podSelector: {} }], ports: [{ port: 80 }] }] },
  },
  RuntimeClass: { handler: "runc" },
  Image: { spec: { names: ["app:*"], command: ["node", "app.js"], pull: { delayMs: 5 } } },
  Fault: { spec: { service: "web", latency: "50ms", loss: 0.25 } },
  ProxyWorker: { status: { pid: 7, released: ["8a4c1f0e"] } },
};

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server.stop());

it.each(builtinKinds.map((kind) => [kind.resource.kind, kind] as const))("%s", async (name, kind) => {
  const { resource } = kind;
  const example = EXAMPLES[name];
  expect(example, "an example in this file").toBeDefined();
  const namespace = resource.namespaced ? { namespace: "default" } : {};
  const metadata = { name: "kind-test", ...namespace };
  const draft = { apiVersion: apiVersionOf(resource), kind: name, metadata, ...example };
  const made = await server.client.create(resource, draft as unknown as KubeObject, {
    fieldValidation: "Strict",
  });
  const again = await server.client.update(resource, structuredClone(made));
  expect(again).toEqual(made);

  const accept = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json";
  const answer = await server.https("GET", pathOf(resource, metadata), { headers: { accept } });
  const table = answer.json() as {
    kind: string;
    columnDefinitions: { name: string }[];
    rows: { cells: unknown[] }[];
  };
  expect(table.kind).toBe("Table");
  expect(table.columnDefinitions.map((column) => column.name)).toEqual(
    kind.columns.map((column) => column.name),
  );
  expect(table.rows[0]?.cells).toHaveLength(kind.columns.length);
  expect(table.rows[0]?.cells).toContain("kind-test");

  await server.client.delete(resource, metadata, { gracePeriodSeconds: 0 });
  expect(server.errors).toEqual([]);
});
