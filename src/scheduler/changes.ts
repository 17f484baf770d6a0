// What a change of a pod or a node means for the scheduler's picture and for the pods that wait.
import type { Node, Pod } from "../api/generated/types.ts";
import type { ClusterCache } from "./cluster-cache.ts";
import type { Nominations } from "./nominations.ts";
import { podInfo } from "./pod-info.ts";
import type { SchedulingQueue } from "./queue.ts";

export const SCHEDULER_NAME = "default-scheduler";

export interface Picture {
  readonly cache: ClusterCache;
  readonly queue: SchedulingQueue;
  readonly nominations: Nominations;
}

const isOver = (pod: Readonly<Pod>): boolean =>
  pod.status?.phase === "Succeeded" || pod.status?.phase === "Failed";

/** True for a pod that this scheduler should find a node for now. */
export function isWaiting(pod: Readonly<Pod>): boolean {
  return (
    !pod.spec.nodeName &&
    !pod.metadata.deletionTimestamp &&
    !isOver(pod) &&
    (pod.spec.schedulerName ?? SCHEDULER_NAME) === SCHEDULER_NAME &&
    (pod.spec.schedulingGates ?? []).length === 0
  );
}

/** Keeps cache and queue in step with one change of a pod. A pod that is over takes nothing from its node any more. */
export function notePod(
  picture: Picture,
  after: Readonly<Pod> | undefined,
  before: Readonly<Pod> | undefined,
): void {
  const { cache, queue, nominations } = picture;
  // Deleted and made again under one name between two looks: two different pods.
  if (after && before && after.metadata.uid !== before.metadata.uid) notePod(picture, undefined, before);
  const uid = (after ?? before)?.metadata.uid ?? "";
  if (after?.spec.nodeName && !isOver(after)) {
    queue.remove(uid);
    nominations.delete(uid);
    const wasCounted = before?.metadata.uid === uid && before.spec.nodeName && !isOver(before);
    cache.setPod(after);
    if (!wasCounted) queue.changed("pod-added");
    else if (podMatters(after, before)) queue.changed("pod-changed");
    return;
  }
  if (after && isWaiting(after)) {
    // Later only this scheduler's own word counts: what the informer shows of it may be older.
    const { nominatedNodeName } = after.status ?? {};
    if (nominatedNodeName && !before) nominations.set(podInfo(after), nominatedNodeName);
    // Assumed: its binding is on its way, and the informer shows an older state.
    if (!cache.isAssumed(uid)) queue.set(after);
    return;
  }
  queue.remove(uid);
  const freed = nominations.delete(uid);
  // A relist may never have shown the pod on the node where it was bound; what is gone is gone wherever it was.
  if (!after || after.spec.nodeName) cache.removePod(uid);
  if (freed || (before?.spec.nodeName && !isOver(before))) queue.changed("pod-removed");
}

/** True when a change of a node, heartbeats aside, may let another pod in. */
export function matters(after: Readonly<Node>, before: Readonly<Node>): boolean {
  const relevant = ({ metadata, spec, status }: Readonly<Node>) =>
    JSON.stringify([metadata.labels, spec?.taints, spec?.unschedulable, status?.allocatable]);
  return relevant(after) !== relevant(before);
}

function podMatters(after: Readonly<Pod>, before: Readonly<Pod> | undefined): boolean {
  return (
    after.metadata.deletionTimestamp !== before?.metadata.deletionTimestamp ||
    JSON.stringify(after.metadata.labels) !== JSON.stringify(before?.metadata.labels) ||
    JSON.stringify(after.spec) !== JSON.stringify(before?.spec)
  );
}
