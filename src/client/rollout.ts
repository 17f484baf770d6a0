// Rollouts as `kubectl rollout` sees them: whether one is finished and what it waits for, and the patches that restart, pause and undo it.
// The decisions are pure; whoever asks does the reading and writing.
import type { ContainerStatus, Deployment, PodTemplateSpec, ReplicaSet } from "../api/generated/types.ts";
import { POD_TEMPLATE_HASH, REVISION } from "../api/names.ts";
import { controllerOf, type KubeObject } from "../api/object.ts";
import { timestamp } from "../base/clock.ts";

export interface RolloutProgress {
  readonly done: boolean;
  /** In kubectl's words. */
  readonly message: string;
  /** It will not finish by itself. */
  readonly failed?: boolean;
}

/** What is read of an object that rolls out: Deployment, StatefulSet and DaemonSet have most of it in common. */
interface Rolling extends KubeObject {
  readonly spec?: {
    readonly replicas?: number;
    readonly updateStrategy?: {
      readonly type?: string;
      readonly rollingUpdate?: { readonly partition?: number };
    };
  };
  readonly status?: {
    readonly observedGeneration?: number;
    readonly updatedReplicas?: number;
    readonly readyReplicas?: number;
    readonly currentRevision?: string;
    readonly updateRevision?: string;
    readonly desiredNumberScheduled?: number;
    readonly updatedNumberScheduled?: number;
    readonly numberAvailable?: number;
  };
}

/** How far the rollout of a Deployment, StatefulSet or DaemonSet is. Throws for what has no rollouts. */
export function rolloutProgress(kind: string, object: KubeObject): RolloutProgress {
  if (kind === "Deployment") return deploymentProgress(object as Deployment);
  if (kind === "StatefulSet") return statefulSetProgress(object);
  if (kind === "DaemonSet") return daemonSetProgress(object);
  throw new Error(`no status viewer has been implemented for ${kind}`);
}

const waiting = (message: string): RolloutProgress => ({ done: false, message });

function deploymentProgress({ metadata, spec, status }: Deployment): RolloutProgress {
  const name = JSON.stringify(metadata.name);
  if ((metadata.generation ?? 0) > (status?.observedGeneration ?? 0))
    return waiting("Waiting for deployment spec update to be observed...");
  const progressing = status?.conditions?.find(({ type }) => type === "Progressing");
  if (progressing?.reason === "ProgressDeadlineExceeded")
    return { done: false, failed: true, message: `deployment ${name} exceeded its progress deadline` };
  const { updatedReplicas = 0, replicas = 0, availableReplicas = 0 } = status ?? {};
  const wanted = spec.replicas ?? 1;
  const prefix = `Waiting for deployment ${name} rollout to finish:`;
  if (updatedReplicas < wanted)
    return waiting(`${prefix} ${updatedReplicas} out of ${wanted} new replicas have been updated...`);
  if (replicas > updatedReplicas)
    return waiting(`${prefix} ${replicas - updatedReplicas} old replicas are pending termination...`);
  if (availableReplicas < updatedReplicas)
    return waiting(`${prefix} ${availableReplicas} of ${updatedReplicas} updated replicas are available...`);
  return { done: true, message: `deployment ${name} successfully rolled out` };
}

function statefulSetProgress({ metadata, spec, status }: Rolling): RolloutProgress {
  if (spec?.updateStrategy?.type === "OnDelete")
    throw new Error(`rollout status is only available for RollingUpdate strategy type`);
  if ((status?.observedGeneration ?? 0) < (metadata.generation ?? 0))
    return waiting("Waiting for statefulset spec update to be observed...");
  const wanted = spec?.replicas ?? 1;
  const { readyReplicas = 0, updatedReplicas = 0, currentRevision, updateRevision } = status ?? {};
  if (readyReplicas < wanted) return waiting(`Waiting for ${wanted - readyReplicas} pods to be ready...`);
  const partition = spec?.updateStrategy?.rollingUpdate?.partition ?? 0;
  if (partition > 0) {
    if (updatedReplicas < wanted - partition)
      return waiting(
        `Waiting for partitioned roll out to finish: ${updatedReplicas} out of ${wanted - partition} new pods have been updated...`,
      );
    return {
      done: true,
      message: `partitioned roll out complete: ${updatedReplicas} new pods have been updated...`,
    };
  }
  if (updateRevision !== currentRevision)
    return waiting(
      `waiting for statefulset rolling update to complete ${updatedReplicas} pods at revision ${updateRevision}...`,
    );
  return {
    done: true,
    message: `statefulset rolling update complete ${wanted} pods at revision ${currentRevision}...`,
  };
}

function daemonSetProgress({ metadata, spec, status }: Rolling): RolloutProgress {
  const name = JSON.stringify(metadata.name);
  if (spec?.updateStrategy?.type === "OnDelete")
    throw new Error("rollout status is only available for RollingUpdate strategy type");
  if ((status?.observedGeneration ?? 0) < (metadata.generation ?? 0))
    return waiting("Waiting for daemon set spec update to be observed...");
  const {
    desiredNumberScheduled: wanted = 0,
    updatedNumberScheduled = 0,
    numberAvailable = 0,
  } = status ?? {};
  const prefix = `Waiting for daemon set ${name} rollout to finish:`;
  if (updatedNumberScheduled < wanted)
    return waiting(`${prefix} ${updatedNumberScheduled} out of ${wanted} new pods have been updated...`);
  if (numberAvailable < wanted)
    return waiting(`${prefix} ${numberAvailable} of ${wanted} updated pods are available...`);
  return { done: true, message: `daemon set ${name} successfully rolled out` };
}

/** A strategic merge patch. */
export const restartPatch = (nowMs: number) => ({
  spec: {
    template: { metadata: { annotations: { "kubectl.kubernetes.io/restartedAt": timestamp(nowMs) } } },
  },
});

/** One revision of a workload's template. */
export interface Revision {
  readonly number: number;
  readonly cause: string;
  readonly template: PodTemplateSpec;
}

/** The revisions of a Deployment, oldest first, from the ReplicaSets of its namespace. */
export function revisionsOf(deployment: KubeObject, replicaSets: readonly ReplicaSet[]): Revision[] {
  return replicaSets
    .filter((set) => controllerOf(set)?.uid === deployment.metadata.uid)
    .map(({ metadata, spec }) => ({
      number: Number(metadata.annotations?.[REVISION] ?? 0),
      cause: metadata.annotations?.["kubernetes.io/change-cause"] ?? "<none>",
      template: spec.template as PodTemplateSpec,
    }))
    .filter(({ number }) => number > 0)
    .sort((a, b) => a.number - b.number);
}

/**
 * The revision that an undo goes back to: `wanted`, or with 0 the one before the newest. Throws where there is none.
 */
export function revisionToUndo(revisions: readonly Revision[], wanted: number): Revision {
  const found = wanted > 0 ? revisions.find(({ number }) => number === wanted) : revisions.at(-2);
  if (found) return found;
  throw new Error(
    wanted > 0 ? `unable to find specified revision ${wanted} in history` : "no rollout history found",
  );
}

/** A JSON patch. */
export function undoPatch({ template }: Revision) {
  const { [POD_TEMPLATE_HASH]: _, ...labels } = template.metadata?.labels ?? {};
  return [
    {
      op: "replace",
      path: "/spec/template",
      value: { ...template, metadata: { ...template.metadata, labels } },
    },
  ];
}

type WithContainers = {
  readonly spec?: {
    readonly containers: readonly Pick<ContainerStatus, "name">[];
    readonly initContainers?: readonly Pick<ContainerStatus, "name">[];
  };
};

/**
 * A strategic merge patch that sets images by container (`*`: every one). undefined where nothing changes. Throws where a container is not
 * there.
 */
export function imagePatch(object: KubeObject, images: Readonly<Record<string, string>>) {
  const { spec } = object as KubeObject & { spec?: { template?: WithContainers; jobTemplate?: unknown } };
  const template = spec?.template ?? (object as unknown as WithContainers);
  const containers = template.spec?.containers ?? [];
  const initContainers = template.spec?.initContainers ?? [];
  for (const name of Object.keys(images))
    if (name !== "*" && ![...containers, ...initContainers].some((each) => each.name === name))
      throw new Error(`unable to find container named ${JSON.stringify(name)}`);
  const changed = (list: readonly { readonly name: string }[], all: boolean) =>
    list.flatMap(({ name }) => {
      const image = images[name] ?? (all ? images["*"] : undefined);
      return image === undefined ? [] : [{ name, image }];
    });
  const change = {
    containers: changed(containers, true),
    ...(initContainers.length > 0 ? { initContainers: changed(initContainers, false) } : {}),
  };
  return spec?.template ? { spec: { template: { spec: change } } } : { spec: change };
}
