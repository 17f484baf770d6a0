// Gives pods their nodes: informers feed the cache and the queue, one loop takes pod after pod, picks a node (pick-node.ts, pure),
// counts it there at once and binds in the background. Invariant: a pod is picked for against everything placed before it.
// Pods that name another scheduler, have scheduling gates or are on their way out are left alone.
import { namespaces } from "../api/kinds/namespace.ts";
import { nodes } from "../api/kinds/node.ts";
import { pods } from "../api/kinds/pod.ts";
import { podDisruptionBudgets } from "../api/kinds/pod-disruption-budget.ts";
import { hasReason } from "../api/status-error.ts";
import { createRecorder } from "../client/recorder.ts";
import type { ControllerContext, RunningController } from "../controllers/runtime/context.ts";
import { bindPod, planUnschedulable, type WaitingStatus, writeWaiting } from "./bind.ts";
import { isWaiting, matters, notePod, SCHEDULER_NAME } from "./changes.ts";
import { ClusterCache } from "./cluster-cache.ts";
import type { ClusterView } from "./cluster-view.ts";
import { assigned, FAILED_SCHEDULING, SCHEDULED, volumesNotBound } from "./events.ts";
import { Nominations } from "./nominations.ts";
import { pickNode } from "./pick-node.ts";
import { type PodInfo, podInfo } from "./pod-info.ts";
import { evictVictims } from "./preemption/apply.ts";
import type { Victims } from "./preemption/victims.ts";
import { type QueuedPod, SchedulingQueue } from "./queue.ts";
import { createSiblings } from "./siblings.ts";
import { startingNodesReady } from "./starting-nodes.ts";
import { createStorage, type VolumeReservation } from "./storage.ts";

// After this long the loop lets others have the thread: bindings go out and watches come in while a large burst is placed.
const SLICE_MS = 10;

export interface SchedulerOptions {
  /** Numbers in [0, 1); decides between equally good nodes. */
  readonly random?: () => number;
  /** Nodes that start at this moment; nothing is placed before they are Ready. */
  readonly startingNodes?: readonly string[];
}

/**
 * Starts scheduling as soon as all informers have their first list, and the nodes that start with the cluster are there. `stop` resolves when
 * the last binding has been answered.
 */
export function startScheduler(
  context: ControllerContext,
  { random = Math.random, startingNodes = [] }: SchedulerOptions = {},
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
  const storage = createStorage(context);
  const ending = new AbortController();
  const nominations = new Nominations();
  const namespaceList = informers.of(namespaces);
  const budgetList = informers.of(podDisruptionBudgets);
  const view: ClusterView = {
    get nodes() {
      return cache.nodes;
    },
    namespaceLabels: (name) => namespaceList.get(name)?.metadata.labels,
    siblings,
    storage: storage.view,
    nominations,
    budgets: (namespace) => budgetList.inNamespace(namespace),
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
      const volumes = storage.reserve(info, pick.node);
      cache.assume(info, pick.node.name);
      nominations.delete(info.uid);
      inBackground(bind(queued, pick.node.name, volumes));
      return;
    }
    const { message, preemption } = pick;
    queue.park(queued, pick.rejectedBy);
    recorder.event(info.pod, "Warning", FAILED_SCHEDULING, message);
    const condition = planUnschedulable(info.pod, message, clock.now());
    if (preemption.node) {
      nominations.set(info, preemption.node.name, preemption.pods);
      inBackground(makeWay(info, preemption, { condition, nominatedNodeName: preemption.node.name }));
      return;
    }
    if (preemption.withdraw) nominations.delete(info.uid);
    inBackground(explain(info, { condition, nominatedNodeName: preemption.withdraw ? null : undefined }));
  }

  async function makeWay(info: PodInfo, victims: Victims, status: WaitingStatus) {
    // Those of lower priority that had this node in mind look again: it is taken.
    const displaced = nominations.on(victims.node.name).filter(({ priority }) => priority < info.priority);
    for (const { uid } of displaced) nominations.delete(uid);
    await explain(info, status);
    for (const other of displaced) await explain(other, { nominatedNodeName: null });
    try {
      await evictVictims({ client, clock, recorder }, info, victims);
    } catch (error) {
      nominations.delete(info.uid);
      if (!stopped)
        log.warn({ pod: info.key, error: messageOf(error) }, "preempting failed; it is tried again");
    }
  }

  async function bindVolumes({ pod }: PodInfo, volumes: VolumeReservation) {
    try {
      await volumes.bind(ending.signal);
    } catch (error) {
      if (!stopped) recorder.event(pod, "Warning", FAILED_SCHEDULING, volumesNotBound(messageOf(error)));
      throw error;
    }
  }

  async function bind(queued: QueuedPod, node: string, volumes: VolumeReservation | undefined) {
    const { info } = queued;
    try {
      if (volumes) await bindVolumes(info, volumes);
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
    } finally {
      volumes?.release();
    }
  }

  async function explain({ key, pod }: PodInfo, status: WaitingStatus) {
    try {
      await writeWaiting(client, pod, status);
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
    podList.onChange((after, before) => notePod({ cache, queue, nominations }, after, before)),
    storage.onChange(() => queue.changed("storage-changed")),
  ];
  void informers
    .synced()
    .then(() => startingNodesReady({ names: startingNodes, list: nodeList, clock }, ending.signal))
    .then(() => {
      ready = true;
      wake();
    });

  return {
    async stop() {
      stopped = true;
      ending.abort();
      for (const end of unwatch) end();
      queue.stop();
      await Promise.all(busy);
    },
  };
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
