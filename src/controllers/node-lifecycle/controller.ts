// Notices nodes that have gone silent or say that they are not ready, and lets the cluster know: conditions, taints, pods that are
// no longer ready. Who leaves such a node, and when, is taint-eviction.ts. A change of a node's Ready condition by anyone else
// (the supervisor reports a dead agent that way) is acted on at once; silence is found by a tick.
import type { Lease, Node, Pod } from "../../api/generated/types.ts";
import { leases } from "../../api/kinds/lease.ts";
import { nodes } from "../../api/kinds/node.ts";
import { pods } from "../../api/kinds/pod.ts";
import type { KubeObject } from "../../api/object.ts";
import { isPodReady } from "../../api/pod-status.ts";
import { hasReason } from "../../api/status-error.ts";
import { timestamp } from "../../base/clock.ts";
import { createRecorder } from "../../client/recorder.ts";
import type { ControllerContext, RunningController } from "../runtime/context.ts";
import { type Enqueue, startController, type Writes } from "../runtime/start-controller.ts";
import { type EventText, nodeNotReady, podNodeNotReady, registeredNode, removingNode } from "./events.ts";
import {
  conditionOf,
  isFullyDisrupted,
  isReady,
  type Pulse,
  planSilence,
  planTaints,
  takePulse,
} from "./plan.ts";
import { BY_NODE, startTaintEviction } from "./taint-eviction.ts";

const LEASES = "kube-node-lease";

export function startNodeLifecycleController(context: ControllerContext): RunningController {
  const { client, clock, informers, timing } = context;
  const recorder = createRecorder(client, { component: "node-controller", clock });
  const nodeList = informers.of(nodes);
  const leaseList = informers.of(leases);
  const podList = informers.of(pods);
  podList.addIndex(BY_NODE, ({ spec }) => (spec.nodeName ? [spec.nodeName] : []));
  const pulses = new Map<string, Pulse>();
  /** The nodes whose silence the last tick found, still to be written: after a sleep of the machine every node looks so until the next one. */
  const silent = new Set<string>();
  /** The nodes that have been announced, with their uid, and whether their pods were last told that they are ready. */
  const known = new Map<string, { uid: string; ready: boolean }>();

  const say = (name: string, uid: string, { type, reason, message }: EventText) =>
    recorder.event(nodeReference(name, uid), type, reason, message);

  const look = (node: Readonly<Node>): Pulse => {
    const { name } = node.metadata;
    const lease = leaseList.get(`${LEASES}/${name}`);
    const pulse = takePulse(pulses.get(name), { node, lease, nowMs: clock.now() });
    pulses.set(name, pulse);
    return pulse;
  };
  const isSilent = (node: Readonly<Node>): boolean =>
    clock.now() - look(node).changedAt >= timing.nodeGraceMs;

  async function reconcile(name: string, _signal: AbortSignal, writes: Writes): Promise<void> {
    const node = nodeList.get(name);
    if (!node) {
      const gone = known.get(name);
      pulses.delete(name);
      known.delete(name);
      if (gone) say(name, gone.uid, removingNode(name));
      return;
    }
    const { uid } = node.metadata;
    if (known.get(name)?.uid !== uid) {
      known.set(name, { uid, ready: isReady(node) });
      say(name, uid, registeredNode(name));
    }
    const current = silent.has(name) && isSilent(node) ? await writeSilence(node, writes) : node;
    await followReadiness(current);
    await writeTaints(current, writes);
  }

  async function writeSilence(node: Readonly<Node>, writes: Writes): Promise<Readonly<Node>> {
    const conditions = planSilence(node, clock.now());
    if (!conditions) return node;
    const { name, resourceVersion } = node.metadata;
    const patch = { metadata: { resourceVersion }, status: { conditions } };
    const written = await client.patch(nodes, { name }, "strategic", patch, { subresource: "status" });
    writes.wrote(nodes, written);
    return written;
  }

  /** Before the taints: what matters most is that the endpoints of a lost node leave. */
  async function followReadiness(node: Readonly<Node>): Promise<void> {
    const { name, uid } = node.metadata;
    const ready = isReady(node);
    const wasReady = known.get(name)?.ready ?? ready;
    const lost = conditionOf(node, "Ready")?.status === "Unknown";
    if (!ready && wasReady) say(name, uid, nodeNotReady(name));
    known.set(name, { uid, ready });
    if (ready || !(wasReady || lost)) return;
    await Promise.all(podList.byIndex(BY_NODE, name).filter(isPodReady).map(markNotReady));
  }

  async function markNotReady(pod: Readonly<Pod>): Promise<void> {
    const { namespace, name, uid } = pod.metadata;
    const condition = {
      type: "Ready",
      status: "False",
      reason: podNodeNotReady.reason,
      message: podNodeNotReady.message,
      lastTransitionTime: timestamp(clock.now()),
    };
    try {
      const patch = { metadata: { uid }, status: { conditions: [condition] } };
      await client.patch(pods, { namespace, name }, "strategic", patch, { subresource: "status" });
    } catch (error) {
      // Gone, or another pod of that name by now.
      if (hasReason(error, "NotFound") || hasReason(error, "Conflict")) return;
      throw error;
    }
    const { type, reason, message } = podNodeNotReady;
    recorder.event(pod, type, reason, message);
  }

  async function writeTaints(node: Readonly<Node>, writes: Writes): Promise<void> {
    const { name, resourceVersion } = node.metadata;
    const others = nodeList.list().filter((other) => other.metadata.name !== name);
    const evict = !isFullyDisrupted([...others, node]);
    const taints = planTaints(node, { evict, nowMs: clock.now() });
    if (!taints) return;
    // The whole list, guarded: users, the supervisor and the node itself write taints too.
    const patch = { metadata: { resourceVersion }, spec: { taints } };
    writes.wrote(nodes, await client.patch(nodes, { name }, "merge", patch));
  }

  const lifecycle = startController(context, {
    name: "node-lifecycle",
    watch: (enqueue) => [watchNodes(enqueue), leaseList.onChange(noteRenewal), startTick(enqueue)],
    reconcile,
  });
  const eviction = startTaintEviction(context);

  /** No more than that: silence is the tick's business. */
  function noteRenewal(lease: Readonly<Lease> | undefined): void {
    const node = lease?.metadata.namespace === LEASES ? nodeList.get(lease.metadata.name) : undefined;
    if (node) look(node);
  }

  function watchNodes(enqueue: Enqueue): () => void {
    let disrupted = false;
    return nodeList.onChange((after, before) => {
      if (!after || !before || shown(after) !== shown(before))
        enqueue((after ?? before)?.metadata.name ?? "");
      const disruptedNow = isFullyDisrupted(nodeList.list());
      if (disruptedNow !== disrupted) for (const node of nodeList.list()) enqueue(node.metadata.name);
      disrupted = disruptedNow;
    });
  }

  /** Looks when a node could have gone silent by then, and not before: an idle cluster is left alone. */
  function startTick(enqueue: Enqueue): () => void {
    let dueAt = 0;
    let cancel = () => {};
    const wait = () => {
      const nowMs = clock.now();
      const signs = nodeList
        .list()
        .filter((node) => planSilence(node, nowMs))
        .map((node) => look(node).changedAt);
      // From a period before that on at every period: one of these looks may itself be held up.
      const suspectAt = Math.min(nowMs, ...signs) + timing.nodeGraceMs - timing.nodeMonitorMs;
      const delayMs = Math.max(suspectAt - nowMs, timing.nodeMonitorMs);
      dueAt = nowMs + delayMs;
      cancel = clock.after(delayMs, tick);
    };
    const tick = () => {
      const nowMs = clock.now();
      const lateMs = nowMs - dueAt;
      // This process itself was away (laptop asleep, machine starved): no node could have been heard meanwhile.
      if (lateMs > timing.nodeGraceMs / 2)
        for (const [name, pulse] of pulses) pulses.set(name, { ...pulse, changedAt: nowMs });
      silent.clear();
      // One that was held up proves nothing: renewals may have come that are not read yet.
      const candidates = lateMs <= timing.nodeMonitorMs ? nodeList.list() : [];
      for (const node of candidates) {
        if (!isSilent(node) || !planSilence(node, nowMs)) continue;
        silent.add(node.metadata.name);
        enqueue(node.metadata.name);
      }
      wait();
    };
    wait();
    return () => cancel();
  }

  return {
    async stop() {
      await Promise.all([lifecycle.stop(), eviction.stop()]);
    },
  };
}

const nodeReference = (name: string, uid: string): KubeObject => ({
  apiVersion: "v1",
  kind: "Node",
  metadata: { name, uid, resourceVersion: "", creationTimestamp: "" },
});

/** What of a node, heartbeats aside, this controller acts on. */
function shown({ metadata, spec, status }: Readonly<Node>): string {
  const states = (status?.conditions ?? []).map((condition) => [condition.type, condition.status]);
  return JSON.stringify([metadata.uid, spec?.taints, spec?.unschedulable, states]);
}
