// Objects for tests of the scheduler and the network and node controllers, as the server would have defaulted them.
import type { Node, Pod, Service } from "../../../src/api/generated/types.ts";

type Labels = Record<string, string>;

export interface PodOptions {
  readonly labels?: Labels;
  readonly annotations?: Labels;
  readonly requests?: Labels;
  readonly spec?: Partial<Pod["spec"]>;
  readonly node?: string;
  readonly ip?: string;
  readonly ready?: boolean;
  readonly terminating?: boolean;
  readonly phase?: string;
  readonly namespace?: string;
  readonly ports?: NonNullable<Pod["spec"]["containers"][number]["ports"]>;
}

export function makePod(name: string, options: PodOptions = {}): Pod {
  const { labels = {}, annotations, requests, node, ip, ready, ports, namespace = "default" } = options;
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: {
      name,
      namespace,
      labels,
      ...(annotations ? { annotations } : {}),
      uid: `uid-${namespace}-${name}`,
      creationTimestamp: "2026-01-01T00:00:00Z",
      resourceVersion: "1",
      ...(options.terminating ? { deletionTimestamp: "2026-01-01T00:00:09Z" } : {}),
    },
    spec: {
      containers: [
        {
          name: "c",
          image: "nginx",
          ...(requests ? { resources: { requests } } : {}),
          ...(ports ? { ports } : {}),
        },
      ],
      schedulerName: "default-scheduler",
      ...(node ? { nodeName: node } : {}),
      ...options.spec,
    },
    status: {
      phase: options.phase ?? (ready === undefined ? "Pending" : "Running"),
      ...(ip ? { podIP: ip } : {}),
      ...(ready === undefined
        ? {}
        : {
            conditions: [
              { type: "Ready", status: ready ? "True" : "False", lastTransitionTime: "2026-01-01T00:00:05Z" },
            ],
          }),
    },
  };
}

export interface NodeOptions {
  readonly labels?: Labels;
  readonly allocatable?: Labels;
  readonly spec?: Node["spec"];
  readonly ready?: string;
}

export function makeNode(
  name: string,
  { labels, allocatable, spec, ready = "True" }: NodeOptions = {},
): Node {
  const capacity = { cpu: "4", memory: "8Gi", pods: "110", "ephemeral-storage": "100Gi", ...allocatable };
  return {
    apiVersion: "v1",
    kind: "Node",
    metadata: {
      name,
      labels: { "kubernetes.io/hostname": name, ...labels },
      uid: `uid-${name}`,
      creationTimestamp: "2026-01-01T00:00:00Z",
      resourceVersion: "1",
    },
    spec: spec ?? {},
    status: {
      capacity,
      allocatable: capacity,
      conditions: [
        { type: "MemoryPressure", status: "False", lastHeartbeatTime: "2026-01-01T00:00:00Z" },
        { type: "DiskPressure", status: "False", lastHeartbeatTime: "2026-01-01T00:00:00Z" },
        { type: "PIDPressure", status: "False", lastHeartbeatTime: "2026-01-01T00:00:00Z" },
        { type: "Ready", status: ready, lastHeartbeatTime: "2026-01-01T00:00:00Z" },
      ],
    },
  };
}

export function makeService(name: string, spec: Partial<Service["spec"]> = {}, labels?: Labels): Service {
  return {
    apiVersion: "v1",
    kind: "Service",
    metadata: {
      name,
      namespace: "default",
      uid: `uid-${name}`,
      creationTimestamp: "2026-01-01T00:00:00Z",
      resourceVersion: "1",
      ...(labels ? { labels } : {}),
    },
    spec: {
      type: "ClusterIP",
      clusterIP: "127.20.192.20",
      selector: { app: name },
      ports: [{ port: 80, targetPort: 80, protocol: "TCP" }],
      ...spec,
    },
    status: { loadBalancer: {} },
  };
}
