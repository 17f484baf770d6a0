// Commands inside a container: its environment, working directory and marks, in a process group of their own.
import type { ContainerRun, NodeContext, PodRecord } from "../context.ts";
import type { ExecResult } from "../probes/check.ts";
import type { ExecCommand, ExecProcess } from "../streams/host.ts";
import { type ContainerProcess, startCommand } from "./process.ts";

// The kubelet keeps no more of a probe's or hook's output.
const MAX_OUTPUT = 10 * 1024;

/** Rejects with the spawn's error. */
export async function execIn(
  context: NodeContext,
  { record, run }: { record: PodRecord; run: ContainerRun },
  command: ExecCommand,
): Promise<ExecProcess> {
  record.foreign = true;
  const started: ContainerProcess = await startCommand(context.spawner, {
    argv: command.argv,
    env: run.environment,
    cwd: run.cwd,
    stdin: command.stdin,
    tty: command.tty,
  });
  return {
    stdin: command.stdin ? started.stdin : undefined,
    stdout: started.stdout,
    stderr: started.stderr,
    exited: started.exited,
    resize: started.resize,
    kill: () => started.signal("SIGKILL"),
  };
}

/** Runs a probe's or hook's command to its end or to the timeout. */
export async function runCommand(
  context: NodeContext,
  target: { record: PodRecord; run: ContainerRun },
  { argv, timeoutMs }: { argv: readonly string[]; timeoutMs: number },
): Promise<ExecResult> {
  const started = await execIn(context, target, { argv, stdin: false });
  let output = "";
  const take = (chunk: Buffer) => {
    if (output.length < MAX_OUTPUT) output += chunk.toString("utf8");
  };
  started.stdout.on("data", take);
  started.stderr.on("data", take);
  let timedOut = false;
  const cancel = context.clock.after(timeoutMs, () => {
    timedOut = true;
    started.kill();
  });
  const { code } = await started.exited;
  cancel();
  return { code: timedOut ? undefined : (code ?? 137), output: output.slice(0, MAX_OUTPUT) };
}
