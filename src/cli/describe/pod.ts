// Pods, in words.
import type { Pod } from "../../api/generated/types.ts";
import {
  annotationsLines,
  conditionLines,
  type Describe,
  dateText,
  head,
  labelsLines,
  mapLines,
  ownerLine,
} from "./common.ts";
import { containerLines, tolerationLines, volumeLines } from "./pod-template.ts";

export const describePod: Describe<Pod> = (pod) => {
  const { spec, status } = pod;
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
    ownerLine(pod),
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
