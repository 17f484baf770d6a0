import { constants } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import type { Invocation } from "../command.ts";
import { runningSupervisor } from "../connect.ts";

/** Runs kubectl with this terminal's input and output; its exit code, or 128 and the signal's number, is ours. */
export async function kubectl(invocation: Invocation): Promise<number> {
  runningSupervisor(invocation);
  // The terminal sends Ctrl-C to both; kubectl decides what it means.
  process.on("SIGINT", () => {});
  const result = await execa("kubectl", [...invocation.arguments], {
    stdio: "inherit",
    env: { KUBECONFIG: join(invocation.dataDir, "kubeconfig") },
    reject: false,
  });
  if (result.code === "ENOENT") throw new Error("there is no kubectl on the PATH");
  if (result.signal) return 128 + constants.signals[result.signal as NodeJS.Signals];
  return result.exitCode ?? 1;
}
