import { join } from "node:path";
import type { Invocation } from "../command.ts";
import { runningSupervisor } from "../connect.ts";
import { quoted } from "../quoted.ts";

export async function env(invocation: Invocation): Promise<number> {
  runningSupervisor(invocation);
  process.stdout.write(`export KUBECONFIG=${quoted(join(invocation.dataDir, "kubeconfig"))}\n`);
  return 0;
}
