// One kubectl version in one namespace of a cluster.
import type { Cluster, Finished } from "./harness.ts";
import { kubectlVersions } from "./harness.ts";

export interface Kubectl {
  /** Rejects unless it exits 0; gives the standard output. */
  (...args: string[]): Promise<string>;
  /** The same, whatever its exit code. */
  attempt(...args: string[]): Promise<Finished>;
  apply(manifest: string): Promise<string>;
}

/** Makes the namespace. */
export async function kubectlIn(cluster: Cluster, namespace: string, version?: string): Promise<Kubectl> {
  await cluster.kubectl("create", "namespace", namespace);
  const run = (args: readonly string[], input?: string) =>
    cluster.tryKubectl(["-n", namespace, ...args], {
      ...(version ? { version } : {}),
      ...(input === undefined ? {} : { input }),
    });
  const orFail = async (args: readonly string[], input?: string) => {
    const { code, stdout, stderr } = await run(args, input);
    if (code !== 0) throw new Error(`kubectl ${args.join(" ")}: exit ${code}\n${stdout}${stderr}`);
    return stdout;
  };
  return Object.assign((...args: string[]) => orFail(args), {
    attempt: (...args: string[]) => run(args),
    apply: (manifest: string) => orFail(["apply", "-f", "-"], manifest),
  });
}

/** The oldest and the newest kubectl that are there; undefined stands for the one on the PATH. */
export function oldestAndNewest(): (string | undefined)[] {
  const versions = kubectlVersions();
  const [oldest, newest] = [versions[0], versions.at(-1)];
  return oldest === newest ? [oldest] : [oldest, newest];
}
