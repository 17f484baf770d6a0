import { join } from "node:path";
import type { Invocation } from "../command.ts";
import { runningSupervisor } from "../connect.ts";

// A path in single quotes is safe from the shell that evaluates the line; plain ones stay readable.
const quoted = (path: string) =>
  /^[\w@%+=:,./-]+$/.test(path) ? path : `'${path.replaceAll("'", `'\\''`)}'`;

export async function env(invocation: Invocation): Promise<number> {
  runningSupervisor(invocation);
  process.stdout.write(`export KUBECONFIG=${quoted(join(invocation.dataDir, "kubeconfig"))}\n`);
  return 0;
}
