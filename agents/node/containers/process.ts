// One container's process: spawned as the leader of its own session and process group, tied to the agent's life where
// the system can (setpriv), ended as a group. Knows nothing of pods.
import { type ChildProcess, spawn } from "node:child_process";
import { accessSync, constants, statSync } from "node:fs";
import path from "node:path";
import type { Readable, Writable } from "node:stream";
import { type Assignment, isListening } from "../../containers/protocol.ts";
import type { ExitResult, Resize } from "../streams/host.ts";
import { canMakeTerminal, inTerminal, terminalOf } from "./terminal.ts";

export interface ContainerProcess {
  readonly pid: number;
  readonly stdin: Writable | undefined;
  readonly stdout: Readable;
  readonly stderr: Readable;
  /** The leader has ended; its outputs may still hold text. */
  readonly exited: Promise<ExitResult>;
  /** Resolves when a built-in program listens, or the process has ended; at once for any other program. */
  readonly listening: Promise<void>;
  /** To the whole group; harmless once the leader has ended. */
  signal(signal: NodeJS.Signals): void;
  /** Present where it has a terminal. */
  readonly resize?: Resize | undefined;
}

/** Starts processes; `prefix` is what ties them to this process' life (`setpriv --pdeathsig KILL --`), or empty. */
export interface Spawner {
  readonly prefix: readonly string[];
  readonly containerProgram: string;
}

export interface Command {
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
  readonly stdin: boolean;
  /**
   * In a terminal, where one can be made. Unlike Kubernetes: without one its two outputs are merged where they are shown,
   * and there is no line editing.
   */
  readonly tty?: boolean | undefined;
}

// No helper threads: there are hundreds of these, each with next to nothing to do. And no flag of V8's own: with any of them it refuses the
// compiled code of Node's modules that comes with Node, and compiles them anew, a sixth of what such a process costs.
export const SMALL_NODE = ["--v8-pool-size=0"];

/** Starts a program of the host. Rejects with an error whose `code` is ENOENT or EACCES where it cannot be started. */
export function startCommand(spawner: Spawner, wanted: Command): Promise<ContainerProcess> {
  const program = findProgram(wanted.argv[0] ?? "", wanted.env["PATH"] ?? "", wanted.cwd);
  const found = { ...wanted, argv: [program, ...wanted.argv.slice(1)] };
  const hasTerminal = wanted.tty === true && canMakeTerminal();
  const command = hasTerminal ? inTerminal(found) : found;
  const argv = [...spawner.prefix, ...command.argv];
  const child = spawn(argv[0]!, argv.slice(1), {
    cwd: command.cwd,
    env: command.env,
    detached: true,
    stdio: [command.stdin ? "pipe" : "ignore", "pipe", "pipe"],
  });
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("spawn", () =>
      resolve(hasTerminal ? terminalProcess(child, wanted.stdin) : containerProcess(child)),
    );
  });
}

/** What is in the terminal is in a session of its own: signals are meant for it. */
function terminalProcess(script: ChildProcess, stdin: boolean): ContainerProcess {
  let ended = false;
  const process = containerProcess(script);
  void process.exited.then(() => {
    ended = true;
  });
  const terminal = terminalOf(process.pid, () => ended);
  return {
    ...process,
    stdin: stdin ? process.stdin : undefined,
    resize: (size) => terminal.resize(size),
    signal(signal) {
      const inner = terminal.inner();
      if (inner === undefined) process.signal(signal);
      else killGroup(inner, signal);
      if (signal === "SIGKILL") process.signal(signal);
    },
  };
}

/** An empty built-in container: becomes one by `assign`. */
export interface EmptyContainer {
  readonly process: ContainerProcess;
  assign(assignment: Assignment): ContainerProcess;
}

/** Starts dist/container.js; it waits for its assignment. Throws where no process can be started. */
export function startEmpty(spawner: Spawner, env: Readonly<Record<string, string>>): EmptyContainer {
  const argv = [...spawner.prefix, process.execPath, ...SMALL_NODE, spawner.containerProgram];
  const child = spawn(argv[0]!, argv.slice(1), {
    env: { ...env },
    detached: true,
    stdio: ["ignore", "pipe", "pipe", "ipc"],
  });
  if (child.pid === undefined) {
    child.once("error", () => {});
    throw new Error("no process could be started");
  }
  child.on("error", () => {});
  const listening = new Promise<void>((resolve) => {
    child.once("exit", () => resolve());
    child.on("message", (message) => isListening(message) && resolve());
  });
  const started = containerProcess(child, listening);
  return {
    process: started,
    assign(assignment) {
      child.send(assignment, () => {});
      return started;
    },
  };
}

function containerProcess(
  child: ChildProcess,
  listening: Promise<void> = Promise.resolve(),
): ContainerProcess {
  const pid = child.pid!;
  let ended = false;
  const exited = new Promise<ExitResult>((resolve) => {
    child.once("exit", (code, signal) => {
      // The container's other processes end with its first one, as in a pid namespace. While one of the group lives its
      // id is not given out again; with none left the call finds nobody.
      killGroup(pid, "SIGKILL");
      ended = true;
      resolve({ code, signal });
    });
  });
  return {
    pid,
    stdin: child.stdin ?? undefined,
    stdout: child.stdout!,
    stderr: child.stderr!,
    exited,
    listening,
    signal: (signal) => {
      if (!ended) killGroup(pid, signal);
    },
  };
}

function killGroup(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-pid, signal);
  } catch {
    // Nobody is left in it.
  }
}

/** The file that `name` stands for, searched as execvp does. Throws ENOENT or EACCES. */
export function findProgram(name: string, searchPath: string, cwd: string): string {
  if (name.includes("/")) {
    const file = path.resolve(cwd, name);
    const found = executable(file);
    if (found === "yes") return file;
    throw failure(found === "no" ? "EACCES" : "ENOENT", name);
  }
  for (const directory of searchPath.split(":")) {
    const file = path.join(directory || cwd, name);
    if (name !== "" && executable(file) === "yes") return file;
  }
  throw failure("ENOENT", name);
}

function executable(file: string): "yes" | "no" | "missing" {
  try {
    if (!statSync(file).isFile()) return "no";
    accessSync(file, constants.X_OK);
    return "yes";
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EACCES" ? "no" : "missing";
  }
}

/** runc's words. */
function failure(code: "ENOENT" | "EACCES", name: string): NodeJS.ErrnoException {
  const why = name.includes("/")
    ? `stat ${name}: ${code === "ENOENT" ? "no such file or directory" : "permission denied"}`
    : "executable file not found in $PATH";
  return Object.assign(new Error(`exec: ${JSON.stringify(name)}: ${why}`), { code });
}
