// Processes of a cluster that belong to nobody any more: they carry its marker, and its supervisor is not among their ancestors.
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { findMarked } from "./sweep.ts";

/** Their pids. `supervisor` is the pid of the cluster's. */
export function findOrphans(dataDir: string, supervisor: number): number[] {
  const parentOf = process.platform === "linux" ? parentByProc : parentsByPs();
  return findMarked({ KUBEMU_CLUSTER: dataDir }).filter((pid) => !isBelow(pid, supervisor, parentOf));
}

/** Pure but for what `parentOf` reads; undefined there: that process is gone. */
export function isBelow(
  pid: number,
  ancestor: number,
  parentOf: (pid: number) => number | undefined,
): boolean {
  for (let current = pid; current !== ancestor; ) {
    const parent = parentOf(current);
    // Whoever ended in between is no orphan; the kernel adopts what lost its parent.
    if (parent === undefined) return true;
    if (parent <= 1) return false;
    current = parent;
  }
  return true;
}

function parentByProc(pid: number): number | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    const [state, parent] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return state === "Z" || state === "X" ? undefined : Number(parent);
  } catch {
    return undefined;
  }
}

function parentsByPs(): (pid: number) => number | undefined {
  const lines = execFileSync("ps", ["-A", "-o", "pid=,ppid="], { encoding: "utf8" }).trim().split("\n");
  const parents = new Map(lines.map((line) => line.trim().split(/\s+/).map(Number) as [number, number]));
  return (pid) => parents.get(pid);
}
