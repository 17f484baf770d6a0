// What `up` shows while the supervisor starts, the summary when all is there, and the foreground life after it.
import type { ChildProcess } from "node:child_process";
import { join } from "node:path";
import pc from "picocolors";
import { checkDataDir } from "../supervisor/data-dir.ts";
import type { FromSupervisor, SupervisorSettings, ToSupervisor } from "../supervisor/settings.ts";
import type { ClusterOverview, FolderApplied, FolderError, FolderLine } from "../supervisor/state.ts";
import { stopCluster } from "./stop-cluster.ts";

export interface FollowOptions {
  readonly settings: SupervisorSettings;
  readonly detach: boolean;
  readonly merge: boolean;
}

// npm passes on the Ctrl-C that the terminal has sent to everyone already: one key press, two signals.
const SAME_KEY_MS = 500;

const say = (line: string) => void process.stdout.write(`${line}\n`);
// Loaded when it is time for it: nothing that a start waits for.
const userKubeconfig = () => import("./kubeconfig-merge.ts");
const complain = (line: string) => void process.stderr.write(`kubemu: ${line}\n`);

/** Resolves with the exit code of `up`. */
export function follow(child: ChildProcess, options: FollowOptions): Promise<number> {
  const { settings, detach, merge } = options;
  const send = (message: ToSupervisor) =>
    new Promise<void>((sent) =>
      child.connected ? child.send(message, undefined, {}, () => sent()) : sent(),
    );
  let ready = false;
  let failure: string | undefined;
  const stop = stopOnSignals(child, settings.dataDir, () => void send({ stop: true }));

  return new Promise((resolve) => {
    const finish = (code: number) => {
      stop.forget();
      resolve(code);
    };
    const onReady = async (cluster: ClusterOverview, folders: readonly FolderApplied[]) => {
      ready = true;
      if (merge) (await userKubeconfig()).mergeKubeconfig(settings.name, cluster.kubeconfig, say);
      if (!detach) return showSummary(cluster, settings.folders);
      const problems = folders.flatMap(({ folder, errors }) =>
        errors.map((error) => problemLine(folder, error)),
      );
      for (const line of problems) complain(line);
      await send({ detach: true });
      child.disconnect();
      child.unref();
      finish(problems.length > 0 ? 1 : 0);
    };
    child.on("message", (message: FromSupervisor) => {
      if ("progress" in message && !ready) say(pc.dim(message.progress));
      else if ("failed" in message) failure = message.failed;
      else if ("line" in message && !detach) showLine(message.line);
      else if ("ready" in message) void onReady(message.cluster, message.folders);
    });
    child.once("error", (error) => {
      complain(`the supervisor could not be started: ${error.message}`);
      finish(1);
    });
    // Not "exit": its last message may come after that.
    child.once("close", async (code, signal) => {
      if (ready && detach) return;
      if (ready && merge)
        (await userKubeconfig()).unmergeKubeconfig(settings.name, say, join(settings.dataDir, "kubeconfig"));
      if (ready && code === 0) return finish(0);
      complain(failure ?? whyEnded(settings.dataDir, { ready, asked: stop.asked(), code, signal }));
      void stop.forced().then(() => finish(1));
    });
  });
}

interface End {
  readonly ready: boolean;
  /** Whether the user has asked for it. */
  readonly asked: boolean;
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** Why a supervisor ended that did not say so itself. */
function whyEnded(dataDir: string, { ready, asked, code, signal }: End): string {
  if (asked) return ready ? "killed what would not stop" : "stopped before the cluster was up";
  if (code === 0) return "the cluster was stopped before it was up";
  try {
    // Of two that start at the same moment the one that has the directory ends the other.
    checkDataDir(dataDir);
  } catch (error) {
    return (error as Error).message;
  }
  return `the supervisor ended with ${signal ?? `exit code ${code}`}; see ${dataDir}/logs/supervisor.log`;
}

/** The first Ctrl-C asks the cluster to stop; the second kills all of it. */
function stopOnSignals(child: ChildProcess, dataDir: string, ask: () => void) {
  let askedAt: number | undefined;
  let killing: Promise<void> | undefined;
  const interrupt = () => {
    const now = Date.now();
    if (askedAt === undefined) {
      askedAt = now;
      say("stopping …");
      ask();
    } else if (now - askedAt > SAME_KEY_MS && !killing) {
      say("killing …");
      child.kill("SIGKILL");
      killing = stopCluster(dataDir, 0);
    }
  };
  const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
  for (const signal of signals) process.on(signal, interrupt);
  return {
    asked: () => askedAt !== undefined,
    /** Resolves once nothing is left of what had to be killed. */
    forced: () => killing ?? Promise.resolve(),
    forget: () => {
      for (const signal of signals) process.off(signal, interrupt);
    },
  };
}

async function showSummary(cluster: ClusterOverview, folders: readonly string[]): Promise<void> {
  try {
    const { summary } = await import("./summary.ts");
    say(await summary(cluster, folders));
  } catch (error) {
    // The cluster is up all the same.
    complain(`warning: the summary could not be made: ${error instanceof Error ? error.message : error}`);
  }
}

function problemLine(folder: string, { file, line, column, message }: FolderError): string {
  const at = line === undefined ? "" : `:${line}${column === undefined ? "" : `:${column}`}`;
  return `${folder}/${file}${at}: ${message}`;
}

function showLine({ level, text }: FolderLine): void {
  say(level === "warning" ? pc.red(text) : pc.dim(text));
}
