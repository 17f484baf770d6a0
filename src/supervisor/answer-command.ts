// What the command socket answers.
import { systemClock } from "../base/clock.ts";
import { ensurePki } from "../pki/files.ts";
import {
  NODE_ACTIONS,
  type NodeAction,
  type SupervisorCommand,
  type SupervisorReply,
} from "./command-socket.ts";
import { countPods } from "./node-api.ts";
import { nextNode } from "./nodes.ts";
import type { Supervisor } from "./start.ts";
import { type ClusterOverview, type ClusterStatus, MOST_NODES, type Phase } from "./state.ts";

// Status must also be had while the control plane is away: then without numbers of pods.
const COUNT_TIMEOUT_MS = 1_000;
const DNS_LABEL = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/;

export async function answerCommand(
  supervisor: Supervisor | undefined,
  command: SupervisorCommand,
  life: { phase(): Phase; stop(): Promise<void> },
): Promise<SupervisorReply> {
  if (command.command === "stop") {
    await life.stop();
    return { ok: true, result: null };
  }
  if (!supervisor) return { ok: false, message: "the cluster is still starting; try again in a moment" };
  switch (command.command) {
    case "status":
      return { ok: true, result: await status(supervisor, life.phase()) };
    case "node":
      return answerNode(supervisor, command.action, command.name);
    default:
      return { ok: false, message: "unknown command" };
  }
}

/** The shape that `kubemu status -o json` prints. */
async function status(supervisor: Supervisor, phase: Phase): Promise<ClusterStatus> {
  const signal = AbortSignal.timeout(COUNT_TIMEOUT_MS);
  const pods = await countPods(await supervisor.client(), signal).catch(() => undefined);
  const { nodes, ...rest } = overview(supervisor, phase);
  return {
    ...rest,
    nodes: nodes.map((node) => ({ ...node, ...(pods ? { pods: pods.get(node.name) ?? 0 } : {}) })),
  };
}

export function overview(supervisor: Supervisor, phase: Phase): ClusterOverview {
  const { cluster, apiServer, kubeconfig, dataDir, agents } = supervisor;
  const workers = supervisor.proxyPids();
  return {
    name: cluster.name,
    phase,
    apiServer,
    kubeconfig,
    dataDir,
    profile: cluster.profile,
    supervisor: { pid: process.pid },
    controlPlane: { pid: supervisor.controlPlanePid() },
    proxy: { pid: workers[0] ?? 0, workers, ...supervisor.proxyMode },
    nodes: agents.list().map(({ name, index, pid, state }) => ({
      name,
      pid,
      state,
      address: cluster.singleAddress ? "127.0.0.1" : `127.${cluster.slot}.${index}.1`,
    })),
  };
}

async function answerNode(
  supervisor: Supervisor,
  action: NodeAction,
  name: string | undefined,
): Promise<SupervisorReply> {
  const { agents } = supervisor;
  const known = agents.list().map((machine) => machine.name);
  const usage = (message: string): SupervisorReply => ({ ok: false, usage: true, message });
  if (!NODE_ACTIONS.includes(action))
    return usage(`unknown action ${JSON.stringify(action)}; allowed: list, ${NODE_ACTIONS.join(", ")}`);
  if (action === "add") return addNode(supervisor, name, known, usage);
  if (name === undefined || !known.includes(name))
    return usage(
      `${name === undefined ? "the node's name is missing" : `there is no node ${JSON.stringify(name)}`}; allowed: ${known.join(", ")}`,
    );
  await agents[action](name);
  if (action === "remove") supervisor.saveNodes();
  return { ok: true, result: { name } };
}

async function addNode(
  supervisor: Supervisor,
  name: string | undefined,
  known: readonly string[],
  usage: (message: string) => SupervisorReply,
): Promise<SupervisorReply> {
  if (name !== undefined && !DNS_LABEL.test(name))
    return usage(
      `a node's name is a DNS label (lower case letters, digits and '-'), not ${JSON.stringify(name)}`,
    );
  if (name !== undefined && known.includes(name))
    return usage(`there is a node ${name} already; choose another name than ${known.join(", ")}`);
  const node = nextNode(supervisor.agents.list(), name);
  if (node.index > MOST_NODES) return usage(`a cluster has at most ${MOST_NODES} nodes`);
  const { cluster, dataDir } = supervisor;
  ensurePki({ dataDir, slot: cluster.slot, nodes: [node.name], nowMs: systemClock.now() });
  await supervisor.agents.add(node);
  supervisor.saveNodes();
  return { ok: true, result: { name: node.name } };
}
