import { spawn } from "node:child_process";
import { constants } from "node:os";
import { join } from "node:path";
import type { Invocation } from "../command.ts";
import { runningSupervisor } from "../connect.ts";

/** Runs kubectl with this terminal's input and output; its exit code, or 128 and the signal's number, is ours. */
export async function kubectl(invocation: Invocation): Promise<number> {
  runningSupervisor(invocation);
  const child = spawn("kubectl", [...invocation.arguments], {
    stdio: "inherit",
    env: { ...process.env, KUBECONFIG: join(invocation.dataDir, "kubeconfig") },
  });
  // The terminal sends Ctrl-C to both; kubectl decides what it means.
  process.on("SIGINT", () => {});
  process.on("SIGTERM", () => child.kill("SIGTERM"));
  return new Promise((resolve, reject) => {
    child.on("error", (error: NodeJS.ErrnoException) =>
      reject(error.code === "ENOENT" ? new Error("there is no kubectl on the PATH") : error),
    );
    child.on("exit", (code, signal) => resolve(code ?? 128 + (signal ? constants.signals[signal] : 0)));
  });
}
