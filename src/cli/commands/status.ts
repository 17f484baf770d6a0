import { join } from "node:path";
import { type ClusterStatus, readCluster, type SupervisorFile } from "../../supervisor/state.ts";
import type { Invocation } from "../command.ts";
import { command, print, runningSupervisor } from "../connect.ts";
import { formatTable } from "../table.ts";

export async function status(invocation: Invocation): Promise<number> {
  print(invocation, await ask(invocation), describe);
  return 0;
}

async function ask(invocation: Invocation): Promise<ClusterStatus> {
  const supervisor = runningSupervisor(invocation);
  if (supervisor.phase !== "Running") return passing(invocation, supervisor);
  try {
    return await command<ClusterStatus>(invocation, { command: "status" });
  } catch (error) {
    // It may have begun to stop since the look.
    const now = runningSupervisor(invocation);
    if (now.phase === "Running") throw error;
    return passing(invocation, now);
  }
}

/** What is known of a cluster that starts or stops: its supervisor takes no commands then. */
function passing({ name, dataDir }: Invocation, { phase, pid, apiServer }: SupervisorFile): ClusterStatus {
  const cluster = readCluster(dataDir);
  return {
    name: cluster?.name ?? name,
    phase,
    apiServer,
    kubeconfig: join(dataDir, "kubeconfig"),
    dataDir,
    profile: cluster?.profile ?? "fast",
    supervisor: { pid },
    controlPlane: { pid: 0 },
    proxy: { pid: 0, workers: [], mode: "userspace" },
    nodes: [],
  };
}

function describe(cluster: ClusterStatus): string {
  const head = formatTable([
    ["cluster", `${cluster.name} (${cluster.phase}, profile ${cluster.profile})`],
    ["API server", cluster.apiServer || "-"],
    ["kubeconfig", cluster.kubeconfig],
    ["data", cluster.dataDir],
    ["supervisor", `pid ${cluster.supervisor.pid}`],
    ["control plane", cluster.controlPlane.pid ? `pid ${cluster.controlPlane.pid}` : "-"],
    ["proxy", proxyLine(cluster.proxy)],
  ]);
  return `${head}\n${nodeTable(cluster.nodes)}`;
}

function proxyLine({ workers, mode, note }: ClusterStatus["proxy"]): string {
  return workers.length > 0 ? `pids ${workers.join(", ")} (${[mode, note].filter(Boolean).join(": ")})` : "-";
}

/** Also what `kubemu node list` prints. */
export function nodeTable(nodes: ClusterStatus["nodes"]): string {
  return formatTable([
    ["NODE", "PID", "STATE", "ADDRESS", "PODS"],
    ...nodes.map(({ name, pid, state, address, pods }) => [
      name,
      pid ? String(pid) : "-",
      state,
      address,
      pods === undefined ? "-" : String(pods),
    ]),
  ]);
}
