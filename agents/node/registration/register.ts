// Keeps this node's Node object: makes it or takes it over at the start, looks at its status every nodeStatusMs and
// its images when they change. Labels, taints and annotations of others are left alone.

import { readFileSync, statfsSync } from "node:fs";
import type {
  ContainerImage,
  Node,
  NodeCondition,
  NodeStatus,
  Taint,
} from "../../../src/api/generated/types.ts";
import { nodes } from "../../../src/api/kinds/node.ts";
import { TAINT_OUT_OF_SERVICE } from "../../../src/api/names.ts";
import { isNodeReady } from "../../../src/api/node-status.ts";
import { hasReason } from "../../../src/api/status-error.ts";
import { runForever } from "../../../src/base/run-forever.ts";
import { startInformer } from "../../../src/client/start-informer.ts";
import type { NodeContext } from "../context.ts";
import { type Machine, nodeConditions, nodeLabels, nodeStatus, thisMachine } from "./node-object.ts";

export interface Registration {
  /** Writes Ready False, `node is shutting down`. */
  shutDown(): Promise<void>;
  readonly uid: string;
  /** Resolves when the loop has ended. */
  readonly done: Promise<void>;
}

// The kubelet's --node-status-max-images.
const MAX_IMAGES = 50;

export function readMachine(directory: string): Machine {
  const read = (path: string) => {
    try {
      return readFileSync(path, "utf8");
    } catch {
      return undefined;
    }
  };
  const disk = statfsSync(directory);
  return thisMachine(read, disk.blocks * disk.bsize);
}

/** Resolves once the Node is written with Ready True. */
export async function registerNode(
  context: NodeContext,
  { machine, port, signal }: { machine: Machine; port: number; signal: AbortSignal },
): Promise<Registration> {
  const { settings, client, clock, timing, log } = context;
  const name = settings.node;
  let shuttingDown = false;
  let conditions: NodeCondition[] | undefined;

  const status = (): NodeStatus => {
    conditions = nodeConditions(conditions, { now: clock.now(), shuttingDown });
    const images = pulledImages(context.pulled);
    return nodeStatus({ name, address: context.network.nodeIP, port, machine, images, conditions });
  };
  let written = { text: "", atMs: 0 };
  const noteWritten = (wanted: NodeStatus) => {
    written = { text: withoutHeartbeats(wanted), atMs: clock.now() };
  };
  const write = async (wanted = status()) => {
    await client.patch(nodes, { name }, "strategic", { status: wanted }, { subresource: "status" });
    noteWritten(wanted);
  };

  const first = status();
  const { node, isNew } = await ensureNode(context, first);
  recordStart(context, node, !isNew && isNodeReady(node));
  if (isNew) noteWritten(first);
  else {
    conditions = node.status?.conditions;
    await write();
  }
  // Whoever wrote otherwise (the node lifecycle controller, while this node was paused or cut off) is corrected at once.
  const own = startInformer(client, nodes, { fieldSelector: `metadata.name=${name}`, log, clock });
  own.onChange((now, before) => {
    const reason = schedulableReason(now, before);
    if (now && reason) recordStatus(context, now, reason);
    const ready = now?.status?.conditions?.find(({ type }) => type === "Ready");
    const isOurs = ready?.status === (shuttingDown ? "False" : "True");
    if (now && !isOurs && !signal.aborted)
      write().catch((error: unknown) => log.warn({ error: String(error) }, "node status not written"));
  });
  signal.addEventListener("abort", () => void own.stop(), { once: true });
  const done = runForever(
    "node status",
    async (ended) => {
      for (;;) {
        await clock.sleep(timing.nodeStatusMs, ended);
        if (ended.aborted) return;
        const now = status();
        const isDue = clock.now() - written.atMs >= timing.nodeStatusReportMs;
        if (isDue || withoutHeartbeats(now) !== written.text) await write(now);
      }
    },
    { log, clock, signal },
  );
  return {
    uid: node.metadata.uid,
    done,
    async shutDown() {
      shuttingDown = true;
      await write();
    },
  };
}

/** The kubelet's comparison: a status that only says when it was looked at is not worth a write. */
const withoutHeartbeats = (status: NodeStatus): string =>
  JSON.stringify(status, (name, value) => (name === "lastHeartbeatTime" ? undefined : value));

/**
 * The Node object, made with `status` where there is none; kubemu's own labels and podCIDR brought up to date where there is one.
 * Tried again when others come between: a node that starts soon after it was lost does so while its loss is still being written.
 */
export async function ensureNode(
  context: Pick<NodeContext, "settings" | "client">,
  status: NodeStatus,
): Promise<EnsuredNode> {
  for (;;) {
    try {
      return await createOrTakeOver(context, status);
    } catch (error) {
      // Changed since it was read, or deleted: either way somebody got further, so this ends.
      if (!hasReason(error, "Conflict") && !hasReason(error, "NotFound")) throw error;
    }
  }
}

interface EnsuredNode {
  readonly node: Node;
  readonly isNew: boolean;
}

async function createOrTakeOver(
  context: Pick<NodeContext, "settings" | "client">,
  status: NodeStatus,
): Promise<EnsuredNode> {
  const { settings, client } = context;
  const { node: name, slot, index, singleAddress } = settings;
  const podCIDR = singleAddress ? undefined : `127.${slot}.${index}.0/24`;
  const spec = podCIDR ? { podCIDR, podCIDRs: [podCIDR] } : {};
  const metadata = {
    name,
    labels: nodeLabels(name),
    annotations: { "volumes.kubernetes.io/controller-managed-attach-detach": "true" },
  };
  try {
    return { node: await client.create(nodes, { metadata, spec, status }), isNew: true };
  } catch (error) {
    if (!hasReason(error, "AlreadyExists")) throw error;
  }
  const present = await client.get(nodes, { name });
  const taints = (present.spec?.taints ?? []).filter(({ key }: Taint) => key !== TAINT_OUT_OF_SERVICE);
  const sameTaints = taints.length === (present.spec?.taints ?? []).length;
  const labels = present.metadata.labels ?? {};
  const sameLabels = Object.entries(metadata.labels).every(([key, value]) => labels[key] === value);
  const sameRange = present.spec?.podCIDR === podCIDR;
  if (sameTaints && sameLabels && sameRange) return { node: present, isNew: false };
  const node = await client.patch(nodes, { name }, "merge", {
    metadata: { resourceVersion: present.metadata.resourceVersion, labels: metadata.labels },
    spec: { ...spec, ...(sameTaints ? {} : { taints }) },
  });
  return { node, isNew: false };
}

/** What happens now, and is written when the start of the cluster is over. */
function recordStart(context: NodeContext, node: Node, wasReady: boolean): void {
  const { recorder, settings } = context;
  const options = { writtenAfterMs: settings.startTakesMs };
  recorder.event(aboutNode(node), "Normal", "Starting", "Starting kubelet.", options);
  for (const reason of ["NodeHasSufficientMemory", "NodeHasNoDiskPressure", "NodeHasSufficientPID"])
    recordStatus(context, node, reason, options);
  if (!wasReady) recordStatus(context, node, "NodeReady", options);
}

const aboutNode = (node: Readonly<Node>): Node => ({ ...node, apiVersion: "v1", kind: "Node" });

function recordStatus(
  { recorder }: NodeContext,
  node: Readonly<Node>,
  reason: string,
  options: { writtenAfterMs?: number } = {},
): void {
  const message = `Node ${node.metadata.name} status is now: ${reason}`;
  recorder.event(aboutNode(node), "Normal", reason, message, options);
}

/** The kubelet's reason for the Event of a node that was cordoned or uncordoned; undefined where neither has happened. */
export function schedulableReason(
  now: Readonly<Node> | undefined,
  before: Readonly<Node> | undefined,
): "NodeNotSchedulable" | "NodeSchedulable" | undefined {
  if (!now || !before) return undefined;
  const isUnschedulable = now.spec?.unschedulable === true;
  if (isUnschedulable === (before.spec?.unschedulable === true)) return undefined;
  return isUnschedulable ? "NodeNotSchedulable" : "NodeSchedulable";
}

const pulledImages = (pulled: ReadonlyMap<string, number>): ContainerImage[] =>
  [...pulled]
    .sort(([, a], [, b]) => b - a)
    .slice(0, MAX_IMAGES)
    .map(([name, sizeBytes]) => ({ names: [name], sizeBytes }));
