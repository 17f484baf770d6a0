// The Node object as its kubelet writes it. Pure: what the machine is goes in.
import os from "node:os";
import type { ContainerImage, NodeCondition, NodeStatus } from "../../../src/api/generated/types.ts";
import { HOSTNAME } from "../../../src/api/names.ts";
import { timestamp } from "../../../src/base/clock.ts";
import { formatQuantity } from "../../../src/base/quantity.ts";

export const KUBELET_VERSION = "v1.36.0";

export interface Machine {
  readonly cpus: number;
  readonly memoryBytes: number;
  readonly diskBytes: number;
  readonly osImage: string;
  readonly kernelVersion: string;
  readonly machineID: string;
  readonly bootID: string;
}

const ARCHITECTURES: Readonly<Record<string, string>> = { x64: "amd64", ia32: "386" };
export const architecture = ARCHITECTURES[process.arch] ?? process.arch;

export function nodeLabels(name: string): Record<string, string> {
  return {
    "beta.kubernetes.io/arch": architecture,
    "beta.kubernetes.io/os": process.platform,
    "kubernetes.io/arch": architecture,
    [HOSTNAME]: name,
    "kubernetes.io/os": process.platform,
  };
}

/** What pods can ask for. Unlike Kubernetes nothing is set aside for the system: capacity is allocatable. */
export function nodeCapacity({ cpus, memoryBytes, diskBytes }: Machine): Record<string, string> {
  return {
    cpu: String(cpus),
    "ephemeral-storage": formatQuantity(Math.floor(diskBytes / 1024) * 1024, "binary"),
    memory: formatQuantity(Math.floor(memoryBytes / 1024) * 1024, "binary"),
    pods: "110",
  };
}

type Condition = Pick<NodeCondition, "type" | "status" | "reason" | "message">;

const HEALTHY: readonly Condition[] = [
  {
    type: "MemoryPressure",
    status: "False",
    reason: "KubeletHasSufficientMemory",
    message: "kubelet has sufficient memory available",
  },
  {
    type: "DiskPressure",
    status: "False",
    reason: "KubeletHasNoDiskPressure",
    message: "kubelet has no disk pressure",
  },
  {
    type: "PIDPressure",
    status: "False",
    reason: "KubeletHasSufficientPID",
    message: "kubelet has sufficient PID available",
  },
];
const READY: Condition = {
  type: "Ready",
  status: "True",
  reason: "KubeletReady",
  message: "kubelet is posting ready status",
};
const SHUTTING_DOWN: Condition = {
  type: "Ready",
  status: "False",
  reason: "KubeletNotReady",
  message: "node is shutting down",
};

/** Heartbeats are `now`; a transition time is kept where the status is the same. */
export function nodeConditions(
  before: readonly NodeCondition[] | undefined,
  { now, shuttingDown }: { now: number; shuttingDown: boolean },
): NodeCondition[] {
  return [...HEALTHY, shuttingDown ? SHUTTING_DOWN : READY].map((condition) => {
    const old = before?.find(({ type }) => type === condition.type);
    const same = old?.status === condition.status ? old.lastTransitionTime : undefined;
    return { ...condition, lastHeartbeatTime: timestamp(now), lastTransitionTime: same ?? timestamp(now) };
  });
}

export function nodeStatus(options: {
  name: string;
  address: string;
  port: number;
  machine: Machine;
  images: readonly ContainerImage[];
  conditions: NodeCondition[];
}): NodeStatus {
  const { name, address, port, machine, images, conditions } = options;
  const capacity = nodeCapacity(machine);
  return {
    addresses: [
      { type: "InternalIP", address },
      { type: "Hostname", address: name },
    ],
    allocatable: capacity,
    capacity,
    conditions,
    daemonEndpoints: { kubeletEndpoint: { Port: port } },
    images: [...images],
    nodeInfo: {
      architecture,
      bootID: machine.bootID,
      containerRuntimeVersion: "process://0.1.0",
      kernelVersion: machine.kernelVersion,
      kubeProxyVersion: "",
      kubeletVersion: KUBELET_VERSION,
      machineID: machine.machineID,
      operatingSystem: process.platform,
      osImage: machine.osImage,
      systemUUID: machine.machineID,
    },
  };
}

/** What this host says of itself. `read` reads a small file, undefined where there is none. */
export function thisMachine(read: (path: string) => string | undefined, diskBytes: number): Machine {
  const release = read("/etc/os-release") ?? "";
  return {
    cpus: os.availableParallelism(),
    memoryBytes: os.totalmem(),
    diskBytes,
    osImage: /^PRETTY_NAME="?([^"\n]*)/m.exec(release)?.[1] ?? `${os.type()} ${os.release()}`,
    kernelVersion: os.release(),
    machineID: read("/etc/machine-id")?.trim() ?? "",
    bootID: read("/proc/sys/kernel/random/boot_id")?.trim() ?? "",
  };
}
