// The programs that make up a cluster, as files beside this one, and the environment they start with.
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

export type ProgramName = "control-plane" | "node-agent" | "proxy" | "container" | "supervisor";

const here = dirname(fileURLToPath(import.meta.url));

/** Where the built program lies: all of them are in one folder, chunks in a folder of it. */
export function programFile(name: ProgramName): string {
  const beside = join(here, `${name}.js`);
  return existsSync(beside) ? beside : join(here, "..", `${name}.js`);
}

/**
 * How Node is started for a program. All of kubemu's TLS is between its own parts, with its own CA: without `--use-openssl-ca` Node would parse
 * the 140 roots of the public web first, a fifth of a program's start. Without V8's helper threads a program that does little
 * starts faster still and takes less memory; the control plane has use for them. With a flag of V8's own V8 refuses the compiled code of Node's
 * modules that comes with Node, so there is one only where it is worth 13 ms of each start: the proxy's garbage is of short life, and a young
 * generation that may not grow keeps two workers at 48 MB for hours, where V8's own choice doubles that in ten minutes of rollouts (bench/churn.ts).
 */
export function nodeFlags(program: ProgramName): readonly string[] {
  const trust = ["--use-openssl-ca"];
  if (program === "control-plane") return trust;
  return [...trust, "--v8-pool-size=0", ...(program === "proxy" ? ["--max-semi-space-size=2"] : [])];
}

const PASSED_ON = [
  "PATH",
  "HOME",
  "TMPDIR",
  "TZ",
  "LANG",
  "DEBUG",
  "XDG_CACHE_HOME",
  "KUBEMU_CACHE",
] as const;

/** What every process of the cluster starts with: nothing of the user's secrets, and the marker by which it can be found. */
export function childEnvironment(from: NodeJS.ProcessEnv, dataDir: string): Record<string, string> {
  // No file of roots either, where OpenSSL would find one.
  const env: Record<string, string> = { KUBEMU_CLUSTER: dataDir, SSL_CERT_FILE: "/dev/null" };
  for (const name of PASSED_ON) {
    const value = from[name];
    if (value !== undefined) env[name] = value;
  }
  return env;
}
