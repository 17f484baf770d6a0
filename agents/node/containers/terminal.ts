// Terminals without a native module: util-linux's `script` makes one and runs the command in it, in a session of its own; `stty`
// gives it its size, which the kernel tells the command by SIGWINCH. Where there is no such `script` (macOS's and BSD's takes
// other arguments) there are no terminals.
import { spawn } from "node:child_process";
import { existsSync, readFileSync, readlinkSync } from "node:fs";
import type { TerminalSize } from "../streams/host.ts";
import type { Command } from "./process.ts";

const SCRIPT = "/usr/bin/script";
const LOOK_AGAIN_MS = 5;

export const canMakeTerminal = () => process.platform === "linux" && existsSync(SCRIPT);

/** The command that runs `command` in a terminal of its own; its exit code is that of `command`. */
export function inTerminal({ argv, env, ...rest }: Command): Command {
  const own = env["SHELL"];
  const shell = own === undefined ? "" : `export SHELL=${quoted(own)}; `;
  // script turns echo off where its own input is no terminal.
  const line = `${shell}stty echo; exec ${argv.map(quoted).join(" ")}`;
  return {
    ...rest,
    argv: [SCRIPT, "-qfec", line, "/dev/null"],
    env: { ...env, TERM: env["TERM"] ?? "xterm", ...(own === undefined ? {} : { SHELL: "/bin/sh" }) },
    // Nobody types where there is no input; its end would be typed as Ctrl-D.
    stdin: true,
  };
}

const quoted = (word: string) => `'${word.replaceAll("'", `'\\''`)}'`;

export interface Terminal {
  /** The last size given wins; harmless once the command has ended. */
  resize(size: TerminalSize): void;
  /** The process in the terminal: the leader of its session and group. Undefined before it starts and once it has ended. */
  inner(): number | undefined;
}

/** `script` is the pid of a process started with `inTerminal`. */
export function terminalOf(script: number, isOver: () => boolean): Terminal {
  let wanted: TerminalSize | undefined;
  let busy = false;
  const apply = () => {
    if (busy || !wanted || isOver()) return;
    const device = deviceOf(innerOf(script));
    if (!device) {
      setTimeout(apply, LOOK_AGAIN_MS).unref();
      return;
    }
    const { rows, columns } = wanted;
    wanted = undefined;
    busy = true;
    const stty = spawn("stty", ["-F", device, "rows", String(rows), "cols", String(columns)], {
      stdio: "ignore",
    });
    const next = () => {
      busy = false;
      apply();
    };
    stty.once("error", next).once("exit", next);
  };
  return {
    resize(size) {
      wanted = size;
      apply();
    },
    inner: () => (isOver() ? undefined : innerOf(script)),
  };
}

function innerOf(script: number): number | undefined {
  try {
    const [first] = readFileSync(`/proc/${script}/task/${script}/children`, "latin1").split(" ");
    return first ? Number(first) : undefined;
  } catch {
    return undefined;
  }
}

/** The terminal's device, once the process has taken it as its input. */
function deviceOf(pid: number | undefined): string | undefined {
  try {
    const device = readlinkSync(`/proc/${pid}/fd/0`);
    return device.startsWith("/dev/pts/") ? device : undefined;
  } catch {
    return undefined;
  }
}
