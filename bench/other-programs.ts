// What a scenario needs to measure other programs beside kubemu, where a machine has them.
import { run } from "../test/cluster/harness.ts";
import { type Figure, figure } from "./figure.ts";

export const succeeds = async (command: string): Promise<boolean> =>
  (await run("sh", ["-c", command])).code === 0;

export const isInstalled = (program: string): Promise<boolean> => succeeds(`command -v ${program}`);

/** A figure that this machine lets nobody measure. */
export const unmeasured = (title: string, why: string): Figure =>
  figure(title, Number.NaN, "", { note: why });
