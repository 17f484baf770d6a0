// What `up` shows while the supervisor starts, the summary when all is there, and the foreground life after it.
import type { ChildProcess } from "node:child_process";
import pc from "picocolors";
import type { FromSupervisor, SupervisorSettings, ToSupervisor } from "../supervisor/settings.ts";
import type { ClusterStatus, FolderApplied, FolderError, FolderLine } from "../supervisor/state.ts";
import { mergeKubeconfig, unmergeKubeconfig } from "./kubeconfig-merge.ts";
import { summary } from "./summary.ts";

export interface FollowOptions {
  readonly settings: SupervisorSettings;
  readonly detach: boolean;
  readonly merge: boolean;
}

/** Resolves with the exit code of `up`. */
export function follow(child: ChildProcess, options: FollowOptions): Promise<number> {
  const { settings, detach, merge } = options;
  const say = (line: string) => process.stdout.write(`${line}\n`);
  const send = (message: ToSupervisor) => child.connected && child.send(message, undefined, {}, () => {});
  let ready = false;
  let asked = 0;
  let failure: string | undefined;

  return new Promise((resolve) => {
    const finish = (code: number) => {
      if (merge && ready) unmergeKubeconfig(settings.name, say);
      resolve(code);
    };
    const onReady = async (status: ClusterStatus, folders: readonly FolderApplied[]) => {
      ready = true;
      if (merge) mergeKubeconfig(settings.name, status.kubeconfig, say);
      if (!detach) return void say(await summary(status, settings.folders));
      send({ detach: true });
      const problems = folders.flatMap(({ folder, errors }) =>
        errors.map((error) => problemLine(folder, error)),
      );
      for (const line of problems) process.stderr.write(`kubemu: ${line}\n`);
      child.disconnect();
      child.unref();
      resolve(problems.length > 0 ? 1 : 0);
    };
    child.on("message", (message: FromSupervisor) => {
      if ("progress" in message && !ready && process.stdout.isTTY) say(pc.dim(message.progress));
      else if ("failed" in message) failure = message.failed;
      else if ("line" in message && !detach) showLine(message.line, say);
      else if ("ready" in message) void onReady(message.status, message.folders);
    });
    child.once("error", (error) => {
      failure = error.message;
      finish(1);
    });
    child.once("exit", (code, signal) => {
      if (failure !== undefined) process.stderr.write(`kubemu: ${failure}\n`);
      else if (asked === 0 && code !== 0)
        process.stderr.write(
          `kubemu: the supervisor ended with ${signal ?? `exit code ${code}`}; see ${settings.dataDir}/logs/supervisor.log\n`,
        );
      finish(code === 0 && failure === undefined ? 0 : 1);
    });
    const interrupt = () => {
      asked++;
      if (asked === 1) {
        say("stopping …");
        send({ stop: true });
      } else child.kill("SIGKILL");
    };
    process.on("SIGINT", interrupt);
    process.on("SIGTERM", interrupt);
    process.on("SIGHUP", interrupt);
  });
}

function problemLine(folder: string, { file, line, column, message }: FolderError): string {
  const at = line === undefined ? "" : `:${line}${column === undefined ? "" : `:${column}`}`;
  return `${folder}/${file}${at}: ${message}`;
}

function showLine({ level, text }: FolderLine, say: (line: string) => void): void {
  say(level === "warning" ? pc.red(text) : pc.dim(text));
}
