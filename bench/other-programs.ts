// What a scenario needs to measure other programs beside kubemu, where a machine has them.
import type { ChildProcess } from "node:child_process";
import { run } from "../test/cluster/harness.ts";
import { type Figure, figure } from "./figure.ts";

export const succeeds = async (command: string): Promise<boolean> =>
  (await run("sh", ["-c", command])).code === 0;

export const isInstalled = (program: string): Promise<boolean> => succeeds(`command -v ${program}`);

/** The end of what the program has said on its standard error by then. */
export function lastWords(child: ChildProcess): () => string {
  let said = "";
  child.stderr?.on("data", (chunk) => {
    said = `${said}${chunk}`.slice(-2000);
  });
  return () => said;
}

/** A figure that this machine lets nobody measure. */
export const unmeasured = (title: string, why: string): Figure =>
  figure(title, Number.NaN, "", { note: why });
