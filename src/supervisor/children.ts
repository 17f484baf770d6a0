// The programs that make up a cluster, as files beside this one, and the environment they start with.
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

export type ProgramName = "control-plane" | "node-agent" | "proxy" | "container" | "supervisor";

/** Where the built program lies: all of them are in one folder, chunks in a folder of it. */
export function programFile(name: ProgramName): string {
  const here = dirname(fileURLToPath(import.meta.url));
  const beside = join(here, `${name}.js`);
  return existsSync(beside) ? beside : join(here, "..", `${name}.js`);
}

const PASSED_ON = ["PATH", "HOME", "TMPDIR", "TZ", "LANG", "DEBUG"] as const;

/** What every process of the cluster starts with: nothing of the user's secrets, and the marker by which it can be found. */
export function childEnvironment(from: NodeJS.ProcessEnv, dataDir: string): Record<string, string> {
  const env: Record<string, string> = { KUBEMU_CLUSTER: dataDir };
  for (const name of PASSED_ON) {
    const value = from[name];
    if (value !== undefined) env[name] = value;
  }
  return env;
}
