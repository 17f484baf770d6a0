// Gives pods their nodes: informers feed the cache and the queue, one loop takes pod after pod, picks a node (pick-node.ts, pure),
// counts it there at once and binds in the background. Invariant: a pod is picked for against everything placed before it.
// Pods that name another scheduler, have scheduling gates or are on their way out are left alone.
import type { Node, Pod } from "../api/generated/types.ts";
import { namespaces } from "../api/kinds/namespace.ts";
import { nodes } from "../api/kinds/node.ts";
import { pods } from "../api/kinds/pod.ts";
import { hasReason } from "../api/status-error.ts";
import { createRecorder } from "../client/recorder.ts";
import type { ControllerContext, RunningController } from "../controllers/runtime/context.ts";
import { bindPod, planUnschedulable, writeCondition } from "./bind.ts";
import { ClusterCache } from "./cluster-cache.ts";
import type { ClusterView } from "./cluster-view.ts";
import { assigned, FAILED_SCHEDULING, SCHEDULED } from "./events.ts";
import { pickNode } from "./pick-node.ts";
import { type PodInfo, podInfo } from "./pod-info.ts";
import { type QueuedPod, SchedulingQueue } from "./queue.ts";
import { createSiblings } from "./siblings.ts";

export const SCHEDULER_NAME = "default-scheduler";

// After this long the loop lets others have the thread: bindings go out and watches come in while a large burst is placed.
const SLICE_MS = 10;

export interface SchedulerOptions {
  /** Numbers in [0, 1); decides between equally good nodes. */
  readonly random?: () => number;
}

/** Starts scheduling as soon as all informers have their first list. `stop` resolves when the last binding has been answered. */
export function startScheduler(
  context: ControllerContext,
  { random = Math.random }: SchedulerOptions = {},
): RunningController {
  const { client, clock, informers, timing } = context;
  const log = context.log.child({ controller: "scheduler" });
  const recorder = createRecorder(client, { component: SCHEDULER_NAME, clock });
  const cache = new ClusterCache();
  const busy = new Set<Promise<void>>();
  let ready = false;
  let stopped = false;
  let planned = false;

  const wake = () => {
    if (planned || stopped || !ready) return;
    planned = true;
    setImmediate(run);
  };
  const queue = new SchedulingQueue({
    clock,
    firstMs: timing.scheduleBackoffMs,
    maxMs: timing.scheduleBackoffMaxMs,
    flushMs: timing.scheduleFlushMs,
    wake,
  });
  const inBackground = (work: Promise<void>) => {
    const done = work.finally(() => busy.delete(done));
    busy.add(done);
  };

  const siblings = createSiblings(informers);
  const namespaceList = informers.of(namespaces);
  const view: ClusterView = {
    get nodes() {
      return cache.nodes;
    },
    namespaceLabels: (name) => namespaceList.get(name)?.metadata.labels,
    siblings,
  };

  function run() {
    planned = false;
    const startedAt = performance.now();
    for (let next = stopped ? undefined : queue.pop(); next; next = queue.pop()) {
      place(next);
      if (performance.now() - startedAt > SLICE_MS) return wake();
    }
  }

  function place(queued: QueuedPod) {
    const { info } = queued;
    const pick = pickNode(info, view, random);
    if (pick.node) {
      cache.assume(info, pick.node.name);
      inBackground(bind(queued, pick.node.name));
      return;
    }
    queue.park(queued, pick.rejectedBy);
    recorder.event(info.pod, "Warning", FAILED_SCHEDULING, pick.message);
    const condition = planUnschedulable(info.pod, pick.message, clock.now());
    if (condition) inBackground(explain(info, condition));
  }

  async function bind(queued: QueuedPod, node: string) {
    const { info } = queued;
    try {
      await bindPod(client, info, node);
      recorder.event(info.pod, "Normal", SCHEDULED, assigned(info.key, node));
    } catch (error) {
      cache.forget(info.uid);
      queue.changed("pod-removed");
      if (stopped || hasReason(error, "NotFound")) return;
      const current = podList.get(info.key);
      if (current?.metadata.uid !== info.uid || !isWaiting(current)) return;
      log.warn({ pod: info.key, node, error: messageOf(error) }, "binding failed; trying again");
      queued.info = podInfo(current);
      queue.backOff(queued);
    }
  }

  async function explain({ key, pod }: PodInfo, condition: Parameters<typeof writeCondition>[2]) {
    try {
      await writeCondition(client, pod, condition);
    } catch (error) {
      // Gone, or replaced by one of the same name: nobody is left to be told.
      if (stopped || hasReason(error, "NotFound") || hasReason(error, "Conflict")) return;
      log.warn({ pod: key, error: messageOf(error) }, "writing why a pod waits failed");
    }
  }

  const nodeList = informers.of(nodes);
  const podList = informers.of(pods);
  const unwatch = [
    nodeList.onChange((after, before) => {
      if (after) cache.setNode(after);
      else if (before) cache.removeNode(before.metadata.name);
      if (after && !before) queue.changed("node-added");
      else if (after && before && matters(after, before)) queue.changed("node-changed");
    }),
    podList.onChange((after, before) => notePod({ cache, queue }, after, before)),
  ];
  void informers.synced().then(() => {
    ready = true;
    wake();
  });

  return {
    async stop() {
      stopped = true;
      for (const end of unwatch) end();
      queue.stop();
      await Promise.all(busy);
    },
  };
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

const isOver = (pod: Readonly<Pod>): boolean =>
  pod.status?.phase === "Succeeded" || pod.status?.phase === "Failed";

/** True for a pod that this scheduler should find a node for now. */
function isWaiting(pod: Readonly<Pod>): boolean {
  return (
    !pod.spec.nodeName &&
    !pod.metadata.deletionTimestamp &&
    !isOver(pod) &&
    (pod.spec.schedulerName ?? SCHEDULER_NAME) === SCHEDULER_NAME &&
    (pod.spec.schedulingGates ?? []).length === 0
  );
}

/** Keeps cache and queue in step with one change of a pod. A pod that is over takes nothing from its node any more. */
function notePod(
  { cache, queue }: { cache: ClusterCache; queue: SchedulingQueue },
  after: Readonly<Pod> | undefined,
  before: Readonly<Pod> | undefined,
): void {
  // Deleted and made again under one name between two looks: two different pods.
  if (after && before && after.metadata.uid !== before.metadata.uid)
    notePod({ cache, queue }, undefined, before);
  const uid = (after ?? before)?.metadata.uid ?? "";
  if (after?.spec.nodeName && !isOver(after)) {
    queue.remove(uid);
    const wasCounted = before?.metadata.uid === uid && before.spec.nodeName && !isOver(before);
    cache.setPod(after);
    if (!wasCounted) queue.changed("pod-added");
    else if (podMatters(after, before)) queue.changed("pod-changed");
    return;
  }
  if (after && isWaiting(after)) {
    // Assumed: its binding is on its way, and the informer shows an older state.
    if (!cache.isAssumed(uid)) queue.set(after);
    return;
  }
  queue.remove(uid);
  // A relist may never have shown the pod on the node where it was bound; what is gone is gone wherever it was.
  if (!after || after.spec.nodeName) cache.removePod(uid);
  if (before?.spec.nodeName && !isOver(before)) queue.changed("pod-removed");
}

/** True when a change of a node, heartbeats aside, may let another pod in. */
function matters(after: Readonly<Node>, before: Readonly<Node>): boolean {
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
