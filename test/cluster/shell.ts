// A terminal before a cluster: command lines run by `sh` as a user types them, with one chosen kubectl as `kubectl`, a kubeconfig whose
// context names the namespace, and a scratch folder to stand in. Discovery is cached per kubectl and cluster, as it is for a user.
import { type ChildProcess, spawn } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { parse, stringify } from "yaml";
import { type Cluster, eventually, type Finished, kubectlPath, run } from "./harness.ts";

export interface Started {
  /** What it has printed to either output. */
  output(): string;
  /** Ends it with its children; resolves when it has exited. */
  stop(): Promise<void>;
}

export interface Shell {
  readonly folder: string;
  /** Environment variables of the commands to come. */
  readonly env: Record<string, string>;
  file(name: string, text: string): void;
  run(command: string, input?: string): Promise<Finished>;
  /** In the background, in a process group of its own. */
  start(command: string): Started;
  /** Stops what was started and removes the folder. */
  close(): Promise<void>;
}

export interface ShellOptions {
  namespace?: string;
  version?: string | undefined;
}

/** A home that the shells of one kubectl and cluster share: kubectl's discovery cache and the `kubectl` of that version. */
function homeOf(cluster: Cluster, version: string | undefined): string {
  const home = join(dirname(cluster.dataDir), `home-${version ?? "any"}`);
  const program = join(home, "bin/kubectl");
  mkdirSync(dirname(program), { recursive: true });
  const target = kubectlPath(version);
  if (target !== "kubectl" && !existsSync(program)) symlinkSync(target, program);
  return home;
}

interface KubeconfigShape {
  contexts: { context: { namespace?: string } }[];
}

/** The cluster's kubeconfig with its contexts in that namespace. */
function kubeconfigFor(cluster: Cluster, namespace: string): string {
  const config = parse(readFileSync(join(cluster.dataDir, "kubeconfig"), "utf8")) as KubeconfigShape;
  for (const { context } of config.contexts) context.namespace = namespace;
  return stringify(config);
}

export function openShell(cluster: Cluster, options: ShellOptions = {}): Shell {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), "kubemu-shell-")));
  const home = homeOf(cluster, options.version);
  const kubeconfig = join(folder, ".kubeconfig");
  writeFileSync(kubeconfig, kubeconfigFor(cluster, options.namespace ?? "default"), { mode: 0o600 });
  const env: Record<string, string> = {
    PATH: `${join(home, "bin")}:${process.env["PATH"]}`,
    HOME: home,
    KUBECONFIG: kubeconfig,
    NS: options.namespace ?? "default",
  };
  const started: Started[] = [];
  return {
    folder,
    env,
    file(name, text) {
      mkdirSync(dirname(join(folder, name)), { recursive: true });
      writeFileSync(join(folder, name), text, name.endsWith(".sh") ? { mode: 0o755 } : {});
    },
    run: (command, input) =>
      run("sh", ["-c", command], { env, cwd: folder, ...(input === undefined ? {} : { input }) }),
    start(command) {
      const child = spawn("sh", ["-c", command], {
        env,
        cwd: folder,
        detached: true,
        stdio: ["ignore", "pipe", "pipe"],
      });
      const handle = watchOutput(child);
      started.push(handle);
      return handle;
    },
    async close() {
      await Promise.all(started.map((each) => each.stop()));
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function watchOutput(child: ChildProcess): Started {
  let seen = "";
  const more = (chunk: Buffer) => {
    seen += chunk;
  };
  child.stdout?.on("data", more);
  child.stderr?.on("data", more);
  const ended = new Promise<void>((done) => child.on("close", () => done()));
  return {
    output: () => seen,
    async stop() {
      if (child.exitCode === null && child.pid) {
        try {
          process.kill(-child.pid, "SIGTERM");
        } catch {}
      }
      await ended;
    },
  };
}

/** Runs `command` until its output matches (any output when there is no pattern) and it exits 0. */
export function runUntil(shell: Shell, command: string, pattern = /(?:)/): Promise<Finished> {
  let last: Finished | undefined;
  return eventually(`${command} prints ${pattern}`, async () => {
    last = await shell.run(command);
    return last.code === 0 && pattern.test(last.stdout) ? last : undefined;
  }).catch((error: Error) => {
    throw new Error(`${error.message}; it last exited ${last?.code}:\n${last?.stdout}${last?.stderr}`);
  });
}
