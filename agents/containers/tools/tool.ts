// What every stand-in program is given, and how it hands over to the machine's own program of that name.
import { spawn } from "node:child_process";
import { accessSync, constants } from "node:fs";
import { constants as osConstants } from "node:os";
import path from "node:path";
import type { ResolverConfig } from "../dns/config.ts";

export interface Tool {
  readonly args: readonly string[];
  readonly env: NodeJS.ProcessEnv;
  readonly config: ResolverConfig;
  print(text: string | Uint8Array): void;
  printError(text: string): void;
}

/** Resolves with the exit code. */
export type ToolProgram = (tool: Tool) => Promise<number>;

/** The machine's own program `name`: the first on PATH that is not one of kubemu's stand-ins. */
export function machineProgram(name: string, env: NodeJS.ProcessEnv): string | undefined {
  for (const folder of (env["PATH"] ?? "").split(":")) {
    if (folder === "" || folder === env["KUBEMU_BIN"]) continue;
    const file = path.join(folder, name);
    try {
      accessSync(file, constants.X_OK);
      return file;
    } catch {
      // Not in this folder.
    }
  }
  return undefined;
}

/** Runs it in this program's place, with its streams. */
export function handOver(file: string, args: readonly string[], env: NodeJS.ProcessEnv): Promise<number> {
  const child = spawn(file, [...args], { stdio: "inherit", env });
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => child.kill(signal));
  return new Promise((resolve) => {
    child.once("error", (error) => {
      process.stderr.write(`${file}: ${error.message}\n`);
      resolve(126);
    });
    child.once("exit", (code, signal) => resolve(code ?? 128 + (signal ? osConstants.signals[signal] : 0)));
  });
}
