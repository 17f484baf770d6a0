// The descriptions of the kinds that have one of their own; every other kind is shown field by field (fields.ts).
import type {
  ConfigMap,
  Deployment,
  EndpointSlice,
  Node,
  NodeSystemInfo,
  Pod,
  ReplicaSet,
  Secret,
  Service,
} from "../../api/generated/types.ts";
import { endpointSlices } from "../../api/kinds/endpoint-slice.ts";
import { leases } from "../../api/kinds/lease.ts";
import { pods } from "../../api/kinds/pod.ts";
import { replicaSets } from "../../api/kinds/replica-set.ts";
import { SERVICE_NAME } from "../../api/names.ts";
import { controllerOf, type KubeObject } from "../../api/object.ts";
import { isPodOver } from "../../api/pod-status.ts";
import { selectorText } from "../../api/selectors.ts";
import type { Client } from "../../client/client.ts";
import { annotationsLines, conditionLines, dateText, head, indent, labelsLines, mapLines } from "./common.ts";
import { describeLimits, describeNamespace, describeQuota } from "./limits.ts";
import { containerLines, templateLines, tolerationLines, volumeLines } from "./pod-template.ts";

/** Lines with tabs, without the events. */
type Describe<T extends KubeObject> = (object: T, client: Client) => string | Promise<string>;

const describePod: Describe<Pod> = (pod) => {
  const { spec, status } = pod;
  const owner = controllerOf(pod);
  const ips = status?.podIPs ?? [];
  return [
    head(pod),
    `Priority:\t${spec.priority ?? 0}\n`,
    ...(spec.priorityClassName ? [`Priority Class Name:\t${spec.priorityClassName}\n`] : []),
    `Service Account:\t${spec.serviceAccountName ?? ""}\n`,
    `Node:\t${spec.nodeName ? `${spec.nodeName}/${status?.hostIP ?? ""}` : "<none>"}\n`,
    ...(status?.startTime ? [`Start Time:\t${dateText(status.startTime)}\n`] : []),
    labelsLines(pod),
    annotationsLines(pod),
    pod.metadata.deletionTimestamp
      ? `Status:\tTerminating (lasts <invalid>)\nTermination Grace Period:\t${pod.metadata.deletionGracePeriodSeconds}s\n`
      : `Status:\t${status?.phase ?? ""}\n`,
    ...(status?.reason ? [`Reason:\t${status.reason}\n`] : []),
    ...(status?.message ? [`Message:\t${status.message}\n`] : []),
    `IP:\t${status?.podIP ?? ""}\n`,
    ips.length > 0 ? `IPs:\n${ips.map(({ ip }) => `  IP:\t${ip}\n`).join("")}` : "IPs:\t<none>\n",
    ...(owner ? [`Controlled By:\t${owner.kind}/${owner.name}\n`] : []),
    ...(spec.initContainers?.length
      ? [containerLines("Init Containers", spec.initContainers, status?.initContainerStatuses ?? [])]
      : []),
    containerLines("Containers", spec.containers, status?.containerStatuses ?? []),
    conditionLines(status?.conditions, false),
    volumeLines(spec.volumes),
    `QoS Class:\t${status?.qosClass ?? ""}\n`,
    mapLines("Node-Selectors", spec.nodeSelector),
    tolerationLines(spec.tolerations),
  ].join("");
};

const describeDeployment: Describe<Deployment> = async (deployment, client) => {
  const { spec, status, metadata } = deployment;
  const { replicas = 0, updatedReplicas = 0, availableReplicas = 0, unavailableReplicas = 0 } = status ?? {};
  const rolling = spec.strategy?.rollingUpdate;
  const { items } = await client.list<ReplicaSet>(replicaSets, { namespace: metadata.namespace ?? "" });
  const owned = items.filter((set) => controllerOf(set)?.uid === metadata.uid);
  const text = (set: ReplicaSet) =>
    `${set.metadata.name} (${set.status?.replicas ?? 0}/${set.spec.replicas ?? 0} replicas created)`;
  const revision = metadata.annotations?.["deployment.kubernetes.io/revision"];
  const isNew = (set: ReplicaSet) =>
    set.metadata.annotations?.["deployment.kubernetes.io/revision"] === revision;
  const old = owned.filter((set) => !isNew(set)).map(text);
  return [
    head(deployment),
    `CreationTimestamp:\t${dateText(metadata.creationTimestamp)}\n`,
    labelsLines(deployment),
    annotationsLines(deployment),
    `Selector:\t${selectorText(spec.selector)}\n`,
    `Replicas:\t${spec.replicas ?? 1} desired | ${updatedReplicas} updated | ${replicas} total | ${availableReplicas} available | ${unavailableReplicas} unavailable\n`,
    `StrategyType:\t${spec.strategy?.type ?? ""}\n`,
    `MinReadySeconds:\t${spec.minReadySeconds ?? 0}\n`,
    ...(rolling
      ? [`RollingUpdateStrategy:\t${rolling.maxUnavailable} max unavailable, ${rolling.maxSurge} max surge\n`]
      : []),
    templateLines(spec.template),
    conditionLines(status?.conditions, true),
    `OldReplicaSets:\t${old.join(", ") || "<none>"}\n`,
    `NewReplicaSet:\t${owned.filter(isNew).map(text).join(", ") || "<none>"}\n`,
  ].join("");
};

async function podCounts(client: Client, object: KubeObject, selector: string): Promise<string> {
  const { items } = await client.list<Pod>(pods, {
    namespace: object.metadata.namespace ?? "",
    labelSelector: selector,
  });
  const count = (phase: string) =>
    items.filter((pod) => controllerOf(pod)?.uid === object.metadata.uid && pod.status?.phase === phase)
      .length;
  return `Pods Status:\t${count("Running")} Running / ${count("Pending")} Waiting / ${count("Succeeded")} Succeeded / ${count("Failed")} Failed\n`;
}

const describeReplicaSet: Describe<ReplicaSet> = async (set, client) => {
  const owner = controllerOf(set);
  return [
    head(set),
    `Selector:\t${selectorText(set.spec.selector)}\n`,
    labelsLines(set),
    annotationsLines(set),
    ...(owner ? [`Controlled By:\t${owner.kind}/${owner.name}\n`] : []),
    `Replicas:\t${set.status?.replicas ?? 0} current / ${set.spec.replicas ?? 1} desired\n`,
    await podCounts(client, set, selectorText(set.spec.selector)),
    ...(set.spec.template ? [templateLines(set.spec.template)] : []),
    conditionLines(set.status?.conditions, true),
  ].join("");
};

const describeService: Describe<Service> = async (service, client) => {
  const { spec, status, metadata } = service;
  const { items } = await client.list<EndpointSlice>(endpointSlices, {
    namespace: metadata.namespace ?? "",
    labelSelector: `${SERVICE_NAME}=${metadata.name}`,
  });
  const ports = (spec.ports ?? []).flatMap(({ name, port, protocol = "TCP", targetPort, nodePort }) => [
    `Port:\t${name || "<unset>"}\t${port}/${protocol}\n`,
    `TargetPort:\t${targetPort}/${protocol}\n`,
    ...(nodePort ? [`NodePort:\t${name || "<unset>"}\t${nodePort}/${protocol}\n`] : []),
    `Endpoints:\t${endpointsText(items, name ?? "")}\n`,
  ]);
  const ingress = (status?.loadBalancer?.ingress ?? []).map(({ ip, hostname }) => ip ?? hostname ?? "");
  return [
    head(service),
    labelsLines(service),
    annotationsLines(service),
    mapLines("Selector", spec.selector).replaceAll("\n\t", ","),
    `Type:\t${spec.type ?? ""}\n`,
    ...(spec.ipFamilyPolicy ? [`IP Family Policy:\t${spec.ipFamilyPolicy}\n`] : []),
    ...(spec.ipFamilies ? [`IP Families:\t${spec.ipFamilies.join(",")}\n`] : []),
    `IP:\t${spec.clusterIP ?? ""}\n`,
    `IPs:\t${spec.clusterIPs?.join(",") || "<none>"}\n`,
    ...(ingress.length > 0
      ? [
          `LoadBalancer Ingress:\t${ingress.join(", ")} (${status?.loadBalancer?.ingress?.[0]?.ipMode ?? "VIP"})\n`,
        ]
      : []),
    ...ports,
    `Session Affinity:\t${spec.sessionAffinity ?? ""}\n`,
    ...(spec.externalTrafficPolicy ? [`External Traffic Policy:\t${spec.externalTrafficPolicy}\n`] : []),
    ...(spec.internalTrafficPolicy ? [`Internal Traffic Policy:\t${spec.internalTrafficPolicy}\n`] : []),
  ].join("");
};

// kubectl shows three and counts the rest.
const ENDPOINTS_SHOWN = 3;

function endpointsText(slices: readonly EndpointSlice[], portName: string): string {
  const all = slices.flatMap(({ endpoints, ports }) => {
    const port = ports?.find(({ name = "" }) => name === portName)?.port;
    return (endpoints ?? [])
      .filter(({ conditions }) => conditions?.ready !== false)
      .flatMap(({ addresses }) => addresses.map((address) => `${address}:${port}`));
  });
  const more = all.length > ENDPOINTS_SHOWN ? ` + ${all.length - ENDPOINTS_SHOWN} more...` : "";
  return `${all.slice(0, ENDPOINTS_SHOWN).join(",")}${more}`;
}

const SYSTEM: readonly (readonly [keyof NodeSystemInfo, string])[] = [
  ["machineID", "Machine ID"],
  ["systemUUID", "System UUID"],
  ["bootID", "Boot ID"],
  ["kernelVersion", "Kernel Version"],
  ["osImage", "OS Image"],
  ["operatingSystem", "Operating System"],
  ["architecture", "Architecture"],
  ["containerRuntimeVersion", "Container Runtime Version"],
  ["kubeletVersion", "Kubelet Version"],
  ["kubeProxyVersion", "Kube-Proxy Version"],
];

// Unlike kubectl: pods are listed without their requests, and there is no sum of them.
const describeNode: Describe<Node> = async (node, client) => {
  const { spec, status, metadata } = node;
  const { items } = await client.list<Pod>(pods, { fieldSelector: `spec.nodeName=${metadata.name}` });
  const active = items.filter((pod) => !isPodOver(pod));
  const lease = await client.find(leases, { namespace: "kube-node-lease", name: metadata.name });
  const roles = Object.keys(metadata.labels ?? {}).flatMap(
    (label) => /^node-role\.kubernetes\.io\/(.+)$/.exec(label)?.[1] ?? [],
  );
  const conditions = (status?.conditions ?? []).map(
    ({ type, status: value, lastHeartbeatTime, lastTransitionTime, reason = "", message = "" }) =>
      `  ${type} \t${value} \t${dateText(lastHeartbeatTime)} \t${dateText(lastTransitionTime)} \t${reason} \t${message}\n`,
  );
  const amounts = (map: Readonly<Record<string, unknown>> = {}) =>
    Object.entries(map)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, value]) => `  ${name}:\t${String(value)}\n`)
      .join("");
  const taints = (spec?.taints ?? []).map(
    ({ key, value, effect }) => `${key}${value ? `=${value}` : ""}:${effect}`,
  );
  return [
    `Name:\t${metadata.name}\n`,
    `Roles:\t${roles.join(",") || "<none>"}\n`,
    labelsLines(node),
    annotationsLines(node),
    `CreationTimestamp:\t${dateText(metadata.creationTimestamp)}\n`,
    `Taints:\t${taints.join("\n\t") || "<none>"}\n`,
    `Unschedulable:\t${spec?.unschedulable ?? false}\n`,
    "Lease:\n",
    `  HolderIdentity:\t${lease?.spec?.holderIdentity ?? "<unset>"}\n`,
    `  AcquireTime:\t${dateText(lease?.spec?.acquireTime)}\n`,
    `  RenewTime:\t${dateText(lease?.spec?.renewTime)}\n`,
    "Conditions:\n  Type\tStatus\tLastHeartbeatTime\tLastTransitionTime\tReason\tMessage\n",
    "  ----\t------\t-----------------\t------------------\t------\t-------\n",
    ...conditions,
    "Addresses:\n",
    ...(status?.addresses ?? []).map(({ type, address }) => `  ${type}:\t${address}\n`),
    `Capacity:\n${amounts(status?.capacity)}`,
    `Allocatable:\n${amounts(status?.allocatable)}`,
    `System Info:\n${SYSTEM.map(([field, title]) => `  ${title}:\t${status?.nodeInfo?.[field] ?? ""}\n`).join("")}`,
    `PodCIDR:\t${spec?.podCIDR ?? ""}\nPodCIDRs:\t${spec?.podCIDRs?.join(",") ?? ""}\n`,
    `Non-terminated Pods:\t(${active.length} in total)\n`,
    "  Namespace\tName\n  ---------\t----\n",
    indent(active.map((pod) => `${pod.metadata.namespace}\t${pod.metadata.name}\n`).join(""), "  "),
  ].join("");
};

const describeConfigMap: Describe<ConfigMap> = (map) => {
  const entries = Object.entries(map.data ?? {}).sort(([a], [b]) => (a < b ? -1 : 1));
  const bytes = Object.entries(map.binaryData ?? {}).map(
    ([name, value]) => `${name}: ${base64Bytes(value)} bytes\n`,
  );
  const data = entries.map(([name, value]) => `${name}:\n----\n${value}\n\n`).join("");
  return `${head(map)}${labelsLines(map)}${annotationsLines(map)}\nData\n====\n${data}\nBinaryData\n====\n${bytes.join("")}\n`;
};

const describeSecret: Describe<Secret> = (secret) => {
  const entries = Object.entries(secret.data ?? {}).sort(([a], [b]) => (a < b ? -1 : 1));
  const data = entries.map(([name, value]) => `${name}:\t${base64Bytes(value)} bytes\n`).join("");
  return `${head(secret)}${labelsLines(secret)}${annotationsLines(secret)}\nType:\t${secret.type ?? ""}\n\nData\n====\n${data}`;
};

const base64Bytes = (value: unknown): number => Buffer.from(String(value), "base64").length;

/** By kind; only built-in ones have an entry. */
export const descriptions: Readonly<Record<string, Describe<never> | undefined>> = {
  Pod: describePod,
  Deployment: describeDeployment,
  ReplicaSet: describeReplicaSet,
  Service: describeService,
  Node: describeNode,
  Namespace: describeNamespace,
  ConfigMap: describeConfigMap,
  Secret: describeSecret,
  ResourceQuota: describeQuota,
  LimitRange: describeLimits,
};
