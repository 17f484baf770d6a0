// Steps on nodes: through the supervisor's command socket what is done to the machine, through the API what is done to its Node object. What is
// broken is remembered, so that the drill's end can take it back.
import type { Eviction } from "../../api/generated/types.ts";
import { nodes } from "../../api/kinds/node.ts";
import { pods } from "../../api/kinds/pod.ts";
import { hasReason } from "../../api/status-error.ts";
import type { NodeAction } from "../../supervisor/command-socket.ts";
import { insist } from "../cluster.ts";
import type { NodeVerb } from "../drill.ts";
import { faultAt } from "../observe/recovery.ts";
import type { PodSeen } from "../observe/world.ts";
import { preciseNow } from "../traffic/protocol.ts";
import { chooseNode } from "./choose.ts";
import type { StepContext } from "./context.ts";
import type { Performed } from "./perform.ts";

type Verb = NodeVerb | "kill";

const SAID: Readonly<Record<Verb, string>> = {
  kill: "killed",
  stop: "stopped",
  pause: "paused",
  partition: "partitioned",
  resume: "resumed",
  heal: "healed",
  start: "started",
  cordon: "cordoned",
  uncordon: "uncordoned",
  drain: "drained",
};
/** What takes a step back. */
const OPPOSITE: Readonly<Partial<Record<Verb, NodeVerb>>> = {
  kill: "start",
  stop: "start",
  pause: "resume",
  partition: "heal",
  cordon: "uncordon",
  drain: "uncordon",
};

export async function onNode(
  context: StepContext,
  { verb, node: wanted, draw }: { verb: Verb; node: string; draw: number },
): Promise<Performed> {
  const name = await chooseNode(context, wanted, draw);
  context.lastNode = name;
  const { observer } = context;
  const opposite = OPPOSITE[verb];
  if (!opposite) {
    await act(context, verb, name);
    takeBack(context, verb, name);
    return { text: `${SAID[verb]} ${name}` };
  }
  const world = observer.world();
  const victims = world.pods.filter((pod) => pod.node === name && !pod.isEnding && !pod.isOfDaemonSet);
  const loses = verb !== "cordon";
  context.broken.set(`${opposite} ${name}`, {
    healed: `${SAID[opposite]} ${name}`,
    heal: async () => {
      await act(context, opposite, name);
      takeBack(context, opposite, name);
    },
  });
  const tracked =
    loses && victims.length > 0 ? observer.track(faultAt(preciseNow(), world, victims)) : undefined;
  if (tracked) nodeFaults(context).set(name, [...(nodeFaults(context).get(name) ?? []), tracked]);
  if (verb === "drain") await drain(context, name);
  else await act(context, verb, name);
  return {
    text: `${SAID[verb]} ${name}`,
    ...(tracked ? { fault: tracked } : {}),
  };
}

const faultsOf = new WeakMap<StepContext, Map<string, { isOver: boolean }[]>>();
function nodeFaults(context: StepContext): Map<string, { isOver: boolean }[]> {
  const all = faultsOf.get(context) ?? new Map<string, { isOver: boolean }[]>();
  faultsOf.set(context, all);
  return all;
}

/** A victim that is Ready counts again from now on. */
function takeBack(context: StepContext, verb: Verb, name: string): void {
  context.broken.delete(`${verb} ${name}`);
  for (const fault of nodeFaults(context).get(name) ?? []) fault.isOver = true;
  context.observer.look();
}

async function act({ cluster }: StepContext, verb: Verb, name: string): Promise<void> {
  if (verb === "cordon" || verb === "uncordon") {
    const patch = { spec: { unschedulable: verb === "cordon" || null } };
    await insist(() => cluster.client.patch(nodes, { name }, "strategic", patch));
    return;
  }
  await cluster.command({ command: "node", action: verb as NodeAction, name });
}

/** As kubectl drain: no new pods, then every pod that is no DaemonSet's is evicted; resolves when they are gone. */
async function drain(context: StepContext, name: string): Promise<void> {
  await act(context, "cordon", name);
  const { observer, signal } = context;
  const left = () =>
    observer.world().pods.filter((pod) => pod.node === name && !pod.isOfDaemonSet && !pod.isEnding);
  await Promise.all(left().map((pod) => evict(context, pod)));
  await observer.until(
    () => !observer.world().pods.some((pod) => pod.node === name && !pod.isOfDaemonSet),
    signal,
  );
}

async function evict({ cluster, signal }: StepContext, { namespace, name }: PodSeen): Promise<void> {
  const eviction: Partial<Eviction> = {
    apiVersion: "policy/v1",
    kind: "Eviction",
    metadata: { name, namespace } as Eviction["metadata"],
  };
  await insist(async () => {
    try {
      await cluster.client.createSub(pods, { namespace, name }, "eviction", eviction);
    } catch (error) {
      if (!hasReason(error, "NotFound")) throw error;
    }
  }, signal);
}
