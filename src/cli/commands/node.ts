import { NODE_ACTIONS, type NodeAction } from "../../supervisor/command-socket.ts";
import type { ClusterStatus } from "../../supervisor/state.ts";
import { type Invocation, UsageError } from "../command.ts";
import { command, print } from "../connect.ts";
import { nodeTable } from "./status.ts";

const DONE: Record<NodeAction, string> = {
  kill: "killed",
  pause: "paused",
  resume: "resumed",
  partition: "partitioned",
  heal: "healed",
  start: "started",
  stop: "stopped",
  add: "added",
  remove: "removed",
};

export async function node(invocation: Invocation): Promise<number> {
  const [action, name, ...more] = invocation.arguments;
  if (more.length > 0) throw new UsageError("node takes one action and one name");
  if (action === "list") {
    if (name !== undefined) throw new UsageError("node list takes no name");
    const { nodes } = await command<ClusterStatus>(invocation, { command: "status" });
    print(invocation, nodes, nodeTable);
    return 0;
  }
  const known = NODE_ACTIONS.find((each) => each === action);
  if (!known)
    throw new UsageError(
      `unknown action ${JSON.stringify(action)}; allowed: list, ${NODE_ACTIONS.join(", ")}`,
    );
  const done = await command<{ name: string }>(invocation, {
    command: "node",
    action: known,
    ...(name === undefined ? {} : { name }),
  });
  print(invocation, { node: done.name, action: known }, () => `${done.name} ${DONE[known]}\n`);
  return 0;
}
