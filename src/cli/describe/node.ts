// Nodes, in words, with what the pods on them ask for.
import type { Node, NodeSystemInfo, Pod } from "../../api/generated/types.ts";
import { humanDuration } from "../../api/kind.ts";
import { leases } from "../../api/kinds/lease.ts";
import { pods } from "../../api/kinds/pod.ts";
import { isPodOver } from "../../api/pod-status.ts";
import { type Amounts, addTo, ZERO } from "../../api/quota/amounts.ts";
import { podAmounts } from "../../api/quota/pod-amounts.ts";
import { systemClock } from "../../base/clock.ts";
import { milliValue, type Quantity, quantityText } from "../../base/quantity.ts";
import { annotationsLines, type Describe, dateText, labelsLines } from "./common.ts";

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

export const describeNode: Describe<Node> = async (node, client) => {
  const { spec, status, metadata } = node;
  const { items } = await client.list<Pod>(pods, { fieldSelector: `spec.nodeName=${metadata.name}` });
  const active = items.filter((pod) => !isPodOver(pod));
  const available = status?.allocatable ?? status?.capacity ?? {};
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
    podLines(active, available),
    allocatedLines(active, available),
  ].join("");
};

type Available = Readonly<Record<string, unknown>>;

/** `100m (5%)`: the part of what the node has, rounded down as kubectl rounds it. */
function shareText(amount: Quantity | undefined, available: unknown): string {
  const text = quantityText(amount ?? ZERO);
  const all = milliValue(String(available ?? "0"));
  return `${text} (${all === 0 ? 0 : Math.trunc((milliValue(text) / all) * 100)}%)`;
}

function podLines(active: readonly Pod[], available: Available): string {
  const rows = active.map((pod) => {
    const [requests, limits] = [podAmounts(pod, "requests"), podAmounts(pod, "limits")];
    const shares = ["cpu", "memory"].flatMap((name) =>
      [requests, limits].map((amounts) => shareText(amounts.get(name), available[name])),
    );
    const age = humanDuration(systemClock.now() - Date.parse(pod.metadata.creationTimestamp ?? ""));
    return `  ${pod.metadata.namespace}\t${pod.metadata.name}\t\t${shares.join("\t")}\t${age}\n`;
  });
  return [
    `Non-terminated Pods:\t(${active.length} in total)\n`,
    "  Namespace\tName\t\tCPU Requests\tCPU Limits\tMemory Requests\tMemory Limits\tAge\n",
    "  ---------\t----\t\t------------\t----------\t---------------\t-------------\t---\n",
    ...rows,
  ].join("");
}

// These are always shown; of the others a node has, huge pages with their share, devices without.
const USUAL = ["cpu", "memory", "ephemeral-storage"];

function allocatedLines(active: readonly Pod[], available: Available): string {
  const sum = (side: "requests" | "limits"): Amounts =>
    active.reduce((total, pod) => addTo(total, podAmounts(pod, side)), new Map<string, Quantity>());
  const [requests, limits] = [sum("requests"), sum("limits")];
  const others = Object.keys(available).filter((name) => name !== "pods" && !USUAL.includes(name));
  const huge = others.filter((name) => name.startsWith("hugepages-")).sort();
  const devices = others.filter((name) => !name.startsWith("hugepages-")).sort();
  const row = (name: string, text: (amount: Quantity | undefined) => string) =>
    `  ${name}\t${text(requests.get(name))}\t${text(limits.get(name))}\n`;
  return [
    "Allocated resources:\n  (Total limits may be over 100 percent, i.e., overcommitted.)\n",
    "  Resource\tRequests\tLimits\n  --------\t--------\t------\n",
    ...[...USUAL, ...huge].map((name) => row(name, (amount) => shareText(amount, available[name]))),
    ...devices.map((name) => row(name, (amount = ZERO) => quantityText(amount))),
  ].join("");
}
