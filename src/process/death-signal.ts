// How a program is tied to the life of the one that starts it: what the kernel does when a parent dies.
import { spawn } from "node:child_process";

/** The prefix that makes the kernel kill a child with this process; empty where the system has none. */
export async function probeDeathSignal(): Promise<readonly string[]> {
  if (process.platform !== "linux") return [];
  const prefix = ["setpriv", "--pdeathsig", "KILL", "--"];
  return await new Promise((resolve) => {
    const probe = spawn("setpriv", [...prefix.slice(1), "true"], {
      stdio: "ignore",
      // Without the cluster's mark: it is none of its processes.
      env: { PATH: process.env["PATH"] },
    });
    probe.once("error", () => resolve([]));
    probe.once("exit", (code) => resolve(code === 0 ? prefix : []));
  });
}
