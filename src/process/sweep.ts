// Finding what nobody holds a handle on any more: processes are recognised by a marker in their environment, which every process
// of a cluster inherits (docs/architecture.md). A double-forked daemon is found this way, where trees and groups lose it.
import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";

export type Marker = "KUBEMU_CLUSTER" | "KUBEMU_NODE" | "KUBEMU_POD";
/** All of them must be in the environment: a node's name alone says nothing about whose cluster it is. */
export type Markers = Readonly<Partial<Record<Marker, string>>>;

// A process that forks as fast as it is killed is caught within a few rounds; this only bounds a bug.
const MOST_ROUNDS = 200;
const ROUND_MS = 5;

/** The pids of all live processes that carry every one of `markers`, this one and its ancestors left out. */
export function findMarked(markers: Markers): number[] {
  const wanted = Object.entries(markers).map(([name, value]) => `${name}=${value}`);
  const spared = ancestors();
  const found = process.platform === "linux" ? pidsWith(wanted) : pidsByPs(wanted);
  return found.filter((pid) => !spared.has(pid));
}

/** Kills what carries the markers until none is left; `except` are pids to leave alone. Resolves with how many it killed. */
export async function sweepMarked(
  markers: Markers,
  except: ReadonlySet<number> = new Set(),
): Promise<number> {
  const killed = new Set<number>();
  for (let round = 0; round < MOST_ROUNDS; round++) {
    const left = findMarked(markers).filter((pid) => !except.has(pid));
    if (left.length === 0) break;
    for (const pid of left) {
      try {
        process.kill(pid, "SIGKILL");
        killed.add(pid);
      } catch {
        // Gone between the look and the kill.
      }
    }
    await new Promise((next) => setTimeout(next, ROUND_MS));
  }
  return killed.size;
}

function pidsWith(markers: readonly string[]): number[] {
  // An environment is bytes, not text: both sides are compared byte by byte.
  const wanted = markers.map((marker) => Buffer.from(marker).toString("latin1"));
  const found: number[] = [];
  for (const entry of readdirSync("/proc")) {
    if (!/^\d+$/.test(entry)) continue;
    try {
      const environment = readFileSync(`/proc/${entry}/environ`, "latin1");
      // Most processes are not ours: look before splitting. Zombies have an empty environment.
      if (!environment.includes("KUBEMU_")) continue;
      const variables = new Set(environment.split("\0"));
      if (wanted.every((each) => variables.has(each))) found.push(Number(entry));
    } catch {
      // Another user's, or gone.
    }
  }
  return found;
}

function pidsByPs(markers: readonly string[]): number[] {
  // ps puts spaces between the variables, and a value may hold some: it ends where the next variable begins.
  const ends = (rest: string) => rest === "" || /^ [A-Za-z_]\w*=/.test(rest) || /^\s+$/.test(rest);
  const has = (line: string, marker: string) => {
    for (let at = line.indexOf(` ${marker}`); at >= 0; at = line.indexOf(` ${marker}`, at + 1))
      if (ends(line.slice(at + 1 + marker.length))) return true;
    return false;
  };
  const lines = execFileSync("ps", ["-axEww", "-o", "pid=,command="], {
    encoding: "utf8",
    maxBuffer: 64 * 1024 * 1024,
  }).split("\n");
  return lines
    .filter((line) => markers.every((marker) => has(line, marker)))
    .map((line) => Number.parseInt(line, 10));
}

function ancestors(): Set<number> {
  const found = new Set([process.pid, process.ppid]);
  let pid = process.ppid;
  while (pid > 1 && process.platform === "linux") {
    try {
      pid = Number(/^PPid:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1] ?? 0);
      found.add(pid);
    } catch {
      break;
    }
  }
  return found;
}
