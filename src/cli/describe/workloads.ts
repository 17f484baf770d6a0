// What keeps pods running, in words: Deployment, ReplicaSet, ReplicationController, StatefulSet and DaemonSet.
import type {
  DaemonSet,
  Deployment,
  PersistentVolumeClaim,
  Pod,
  ReplicaSet,
  ReplicationController,
  StatefulSet,
} from "../../api/generated/types.ts";
import { pods } from "../../api/kinds/pod.ts";
import { replicaSets } from "../../api/kinds/replica-set.ts";
import { controllerOf, type KubeObject } from "../../api/object.ts";
import { formatLabelSelector, labelsText, selectorText } from "../../api/selectors.ts";
import type { Client } from "../../client/client.ts";
import {
  annotationsLines,
  conditionLines,
  type Describe,
  dateText,
  head,
  indent,
  labelsLines,
  mapLines,
  ownerLine,
} from "./common.ts";
import { templateLines } from "./pod-template.ts";

export const describeDeployment: Describe<Deployment> = async (deployment, client) => {
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

export const describeReplicaSet: Describe<ReplicaSet> = async (set, client) => {
  return [
    head(set),
    `Selector:\t${selectorText(set.spec.selector)}\n`,
    labelsLines(set),
    annotationsLines(set),
    ownerLine(set),
    `Replicas:\t${set.status?.replicas ?? 0} current / ${set.spec.replicas ?? 1} desired\n`,
    await podCounts(client, set, selectorText(set.spec.selector)),
    ...(set.spec.template ? [templateLines(set.spec.template)] : []),
    conditionLines(set.status?.conditions, true),
  ].join("");
};

export const describeReplicationController: Describe<ReplicationController> = async (old, client) => {
  const { spec, status } = old;
  const selector = labelsText(spec?.selector);
  return [
    head(old),
    `Selector:\t${selector}\n`,
    labelsLines(old),
    annotationsLines(old),
    `Replicas:\t${status?.replicas ?? 0} current / ${spec?.replicas ?? 1} desired\n`,
    await podCounts(client, old, selector),
    spec?.template ? templateLines(spec.template) : "Pod Template:\t<unset>\n",
    conditionLines(status?.conditions, true),
  ].join("");
};

export const describeStatefulSet: Describe<StatefulSet> = async (set, client) => {
  const { spec, status, metadata } = set;
  const selector = selectorText(spec.selector);
  const { type = "", rollingUpdate } = spec.updateStrategy ?? {};
  const { partition, maxUnavailable } = rollingUpdate ?? {};
  return [
    head(set),
    `CreationTimestamp:\t${dateText(metadata.creationTimestamp)}\n`,
    `Selector:\t${selector}\n`,
    labelsLines(set),
    annotationsLines(set),
    `Replicas:\t${spec.replicas ?? 1} desired | ${status?.replicas ?? 0} total\n`,
    `Update Strategy:\t${type}\n`,
    partition === undefined ? "" : `  Partition:\t${partition}\n`,
    maxUnavailable === undefined ? "" : `  MaxUnavailable:\t${maxUnavailable}\n`,
    await podCounts(client, set, selector),
    templateLines(spec.template),
    claimTemplateLines(spec.volumeClaimTemplates),
  ].join("");
};

function claimTemplateLines(claims: readonly PersistentVolumeClaim[] = []): string {
  if (claims.length === 0) return "Volume Claims:\t<none>\n";
  const each = claims.map(({ metadata, spec }) => [
    `Name:\t${metadata.name}\n`,
    `StorageClass:\t${spec?.storageClassName ?? ""}\n`,
    mapLines("Labels", metadata.labels),
    mapLines("Annotations", metadata.annotations),
    `Capacity:\t${spec?.resources?.requests?.["storage"] ?? "<default>"}\n`,
    `Access Modes:\t[${spec?.accessModes?.join(" ") ?? ""}]\n`,
  ]);
  return `Volume Claims:\n${indent(each.flat().join(""), "  ")}`;
}

export const describeDaemonSet: Describe<DaemonSet> = async (set, client) => {
  const { spec, status } = set;
  return [
    head(set),
    `Selector:\t${formatLabelSelector(spec.selector)}\n`,
    `Node-Selector:\t${labelsText(spec.template.spec?.nodeSelector) || "<none>"}\n`,
    labelsLines(set),
    annotationsLines(set),
    `Desired Number of Nodes Scheduled: ${status?.desiredNumberScheduled ?? 0}\n`,
    `Current Number of Nodes Scheduled: ${status?.currentNumberScheduled ?? 0}\n`,
    `Number of Nodes Scheduled with Up-to-date Pods: ${status?.updatedNumberScheduled ?? 0}\n`,
    `Number of Nodes Scheduled with Available Pods: ${status?.numberAvailable ?? 0}\n`,
    `Number of Nodes Misscheduled: ${status?.numberMisscheduled ?? 0}\n`,
    await podCounts(client, set, selectorText(spec.selector)),
    templateLines(spec.template),
  ].join("");
};
