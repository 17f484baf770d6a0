// What a drill sees of the cluster at one moment, and the pure questions about it.
import type { Pod } from "../../api/generated/types.ts";
import { controllerOf } from "../../api/object.ts";
import { isPodOver, isPodReady } from "../../api/pod-status.ts";

export interface PodSeen {
  readonly uid: string;
  readonly namespace: string;
  readonly name: string;
  readonly node: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly createdAt: string;
  /** Ready, and not about to end. */
  readonly isReady: boolean;
  readonly isEnding: boolean;
  readonly restarts: number;
  readonly isOfDaemonSet: boolean;
}

export interface WorkloadSeen {
  /** `deployment/web` */
  readonly name: string;
  readonly namespace: string;
  readonly wanted: number;
  matches(labels: Readonly<Record<string, string>>): boolean;
}

export interface World {
  readonly pods: readonly PodSeen[];
  /** UIDs of pods to which Services send new connections. */
  readonly endpoints: ReadonlySet<string>;
  readonly workloads: readonly WorkloadSeen[];
  readonly readyNodes: ReadonlySet<string>;
}

export function seePod(pod: Readonly<Pod>): PodSeen {
  const { metadata, spec, status } = pod;
  const isEnding = metadata.deletionTimestamp !== undefined || isPodOver(pod);
  return {
    uid: metadata.uid,
    namespace: metadata.namespace ?? "",
    name: metadata.name,
    node: spec.nodeName ?? "",
    labels: metadata.labels ?? {},
    createdAt: metadata.creationTimestamp,
    isReady: !isEnding && isPodReady(pod),
    isEnding,
    restarts: (status?.containerStatuses ?? []).reduce((all, each) => all + (each.restartCount ?? 0), 0),
    isOfDaemonSet: controllerOf(pod)?.kind === "DaemonSet",
  };
}

/** The pods of a workload that have not ended. */
export const podsOf = (world: World, workload: WorkloadSeen): PodSeen[] =>
  world.pods.filter(
    (pod) => pod.namespace === workload.namespace && !pod.isEnding && workload.matches(pod.labels),
  );

export const workloadsOf = (world: World, pod: PodSeen): WorkloadSeen[] =>
  world.workloads.filter(({ namespace, matches }) => namespace === pod.namespace && matches(pod.labels));

/** Every workload has as many Ready pods as it wants, and no others. */
export function isComplete(world: World): boolean {
  return world.workloads.every((workload) => {
    const pods = podsOf(world, workload);
    return pods.length === workload.wanted && pods.every(({ isReady }) => isReady);
  });
}

/** In an order that says nothing about names that the cluster made up: the same draw hits the same place. */
export const inPlace = (pods: readonly PodSeen[]): PodSeen[] =>
  [...pods].sort(
    (a, b) =>
      a.node.localeCompare(b.node) || a.createdAt.localeCompare(b.createdAt) || a.name.localeCompare(b.name),
  );
