import type { ClusterStatus } from "../../supervisor/state.ts";
import type { Invocation } from "../command.ts";
import { command, print } from "../connect.ts";
import { formatTable } from "../table.ts";

export async function status(invocation: Invocation): Promise<number> {
  print(invocation, await command<ClusterStatus>(invocation, { command: "status" }), describe);
  return 0;
}

function describe(cluster: ClusterStatus): string {
  const head = formatTable([
    ["cluster", `${cluster.name} (${cluster.phase}, profile ${cluster.profile})`],
    ["API server", cluster.apiServer],
    ["kubeconfig", cluster.kubeconfig],
    ["data", cluster.dataDir],
    ["supervisor", `pid ${cluster.supervisor.pid}`],
    ["control plane", `pid ${cluster.controlPlane.pid}`],
    ["proxy", `pids ${cluster.proxy.workers.join(", ")}`],
  ]);
  return `${head}\n${nodeTable(cluster.nodes)}`;
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
      String(pods),
    ]),
  ]);
}
