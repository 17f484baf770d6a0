// What processes use: CPU time and memory of a process and all that it has started. One look at the process table answers for any
// number of trees.
import { execFile } from "node:child_process";
import { readdir, readFile } from "node:fs/promises";
import { promisify } from "node:util";

export interface ProcessUsage {
  readonly parent: number;
  /** The pid of its session's leader (its group's leader, where the system does not tell sessions). */
  readonly session: number;
  /** Its own and that of the children it has waited for. */
  readonly cpuSeconds: number;
  readonly memoryBytes: number;
}

export type ProcessTable = ReadonlyMap<number, ProcessUsage>;

export interface TreeUsage {
  readonly cpuSeconds: number;
  readonly memoryBytes: number;
}

/** Every process of the machine. */
export function readProcessTable(): Promise<ProcessTable> {
  return process.platform === "linux" ? tableByProc() : tableByPs();
}

/**
 * The sum over the processes that descend from `roots` or are in a session which one of these leads: a process whose parent has ended
 * belongs to its session still.
 */
export function usageOfTrees(table: ProcessTable, roots: readonly number[]): TreeUsage {
  const children = new Map<number, number[]>();
  const under = (pid: number, leader: number) => {
    const known = children.get(leader);
    if (known) known.push(pid);
    else children.set(leader, [pid]);
  };
  for (const [pid, { parent, session }] of table) {
    under(pid, parent);
    if (session !== pid && session !== parent) under(pid, session);
  }
  const seen = new Set<number>();
  const left = [...roots];
  let cpuSeconds = 0;
  let memoryBytes = 0;
  for (let pid = left.pop(); pid !== undefined; pid = left.pop()) {
    const usage = table.get(pid);
    if (!usage || seen.has(pid)) continue;
    seen.add(pid);
    cpuSeconds += usage.cpuSeconds;
    memoryBytes += usage.memoryBytes;
    left.push(...(children.get(pid) ?? []));
  }
  return { cpuSeconds, memoryBytes };
}

// USER_HZ, the unit of /proc/PID/stat's times: 100 on every Linux that Node runs on.
const TICKS = 100;

async function tableByProc(): Promise<ProcessTable> {
  const table = new Map<number, ProcessUsage>();
  const pids = (await readdir("/proc")).filter((entry) => /^\d+$/.test(entry));
  await Promise.all(
    pids.map(async (pid) => {
      const stat = await readFile(`/proc/${pid}/stat`, "latin1").catch(() => undefined);
      if (stat !== undefined) table.set(Number(pid), parseStat(stat));
    }),
  );
  return table;
}

/** A line of /proc/PID/stat. */
export function parseStat(stat: string): ProcessUsage {
  // The command's name may hold spaces and brackets: fields are counted after its closing one. State is field 3, ppid 4, session 6,
  // utime 14, stime 15, cutime 16, cstime 17, rss 24 (in pages).
  const fields = stat
    .slice(stat.lastIndexOf(")") + 2)
    .split(" ")
    .map(Number);
  const at = (field: number) => fields[field - 3] ?? 0;
  return {
    parent: at(4),
    session: at(6),
    cpuSeconds: (at(14) + at(15) + at(16) + at(17)) / TICKS,
    memoryBytes: at(24) * 4096,
  };
}

async function tableByPs(): Promise<ProcessTable> {
  const columns = ["-axo", "pid=,ppid=,pgid=,time=,rss="];
  const { stdout } = await promisify(execFile)("ps", columns, { maxBuffer: 16 * 1024 * 1024 });
  return new Map(stdout.split("\n").flatMap((line) => parsePsLine(line) ?? []));
}

/** `  PID  PPID  PGID  [DD-][HH:]MM:SS[.FF]  RSS` (KiB), as ps prints it on macOS and the BSDs. */
export function parsePsLine(line: string): [[number, ProcessUsage]] | undefined {
  const [pid, parent, session, time = "", kibibytes] = line.trim().split(/\s+/);
  if (!kibibytes) return undefined;
  const [, days = "0", clock = ""] = /^(?:(\d+)-)?(.*)$/.exec(time) ?? [];
  const seconds = clock.split(":").reduce((sum, part) => sum * 60 + Number(part), 0);
  const usage = {
    parent: Number(parent),
    session: Number(session),
    cpuSeconds: Number(days) * 86_400 + seconds,
    memoryBytes: Number(kibibytes) * 1024,
  };
  return [[Number(pid), usage]];
}
