// Starting kubemu's own programs: a child with its settings as one argument, or as its first message, its output in a log file, and an IPC
// channel whose end tells it that its parent is gone.
import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, openSync } from "node:fs";
import { basename } from "node:path";
import { identityOf, type ProcessIdentity } from "./identity.ts";
import type { ChildSettings, ReadyMessage } from "./settings.ts";

export interface ProgramOptions {
  /** The program's file below dist/. */
  readonly file: string;
  /** Left out: the program hears them over IPC, later. */
  readonly settings?: ChildSettings;
  /** Appended to; made 0600. */
  readonly logFile: string;
  readonly env: Readonly<Record<string, string>>;
  /** V8 and Node flags before the file. */
  readonly nodeFlags?: readonly string[];
  /** A file descriptor of this process that the child has as INHERITED_FD (settings.ts). */
  readonly inherit?: number | undefined;
}

export interface Program {
  readonly child: ChildProcess;
  readonly identity: ProcessIdentity;
  /** Resolves with what the child said when it was ready; rejects when it ended before that. */
  readonly ready: Promise<ReadyMessage>;
  /** Resolves when the child is gone. */
  readonly exited: Promise<{ readonly code: number | null; readonly signal: NodeJS.Signals | null }>;
}

/** Starts a program of kubemu's with Node. Throws when the operating system would not. */
export function startProgram(options: ProgramOptions): Program {
  const log = openSync(options.logFile, "a", 0o600);
  const args = [...(options.nodeFlags ?? []), options.file];
  if (options.settings) args.push("--settings", JSON.stringify(options.settings));
  const child = spawn(process.execPath, args, {
    stdio: ["ignore", log, log, "ipc", ...(options.inherit === undefined ? [] : [options.inherit])],
    env: { ...options.env },
  });
  closeSync(log);
  // What goes wrong is told by the exit and by `ready`; without a listener it would bring this process down.
  child.on("error", () => {});
  const pid = child.pid;
  if (pid === undefined) throw new Error(`could not start ${options.file}`);
  const exited: Program["exited"] = new Promise((resolve) =>
    child.once("exit", (code, signal) => resolve({ code, signal })),
  );
  const ready = new Promise<ReadyMessage>((resolve, reject) => {
    child.on("message", (message: unknown) => {
      if (typeof message === "object" && message !== null && "ready" in message && message.ready === true)
        resolve(message as ReadyMessage);
    });
    exited.then(({ code, signal }) =>
      reject(
        new Error(
          `${basename(options.logFile, ".log")} ended with ${signal ?? `exit code ${code}`} before it was ready; see ${options.logFile}`,
        ),
      ),
    );
    child.once("error", reject);
  });
  // Whoever does not wait for readiness must not be brought down by it.
  ready.catch(() => {});
  // A child that is gone at once has no start time; any will do then, as it never matches a live process.
  return { child, identity: identityOf(pid) ?? { pid, startTime: "gone" }, ready, exited };
}
