// Ending a process for sure: ask its group, wait, then kill the group and every descendant that left it.
import { readdirSync, readFileSync } from "node:fs";
import { type Clock, systemClock } from "../base/clock.ts";
import { identityOf, isAlive, type ProcessIdentity, signalProcess } from "./identity.ts";

// How often a process that is no child of ours is looked at; children are awaited by their exit instead.
const POLL_MS = 10;

export interface StopOptions {
  /** How long the process may take after SIGTERM; 0 kills at once. */
  readonly graceMs: number;
  /** Resolves when the process is known to be gone (a child's exit event); polled where absent. */
  readonly exited?: Promise<unknown>;
  readonly clock?: Clock;
}

/**
 * SIGTERM to the process's group, up to `graceMs` for it to end, then SIGKILL to the group and its descendants. Resolves true when it ended within its grace.
 * The process must lead its group.
 */
export async function stopProcessGroup(identity: ProcessIdentity, options: StopOptions): Promise<boolean> {
  const { graceMs, clock = systemClock } = options;
  if (graceMs > 0 && signalProcess(identity, "SIGTERM", { group: true })) {
    if (await endsWithin(identity, graceMs, options)) return true;
  }
  if (!isAlive(identity)) return true;
  await killTree(identity);
  await endsWithin(identity, Number.POSITIVE_INFINITY, { ...options, clock });
  return false;
}

/** SIGKILL to the group and to every descendant of the process, also those in groups of their own. */
export async function killTree(identity: ProcessIdentity): Promise<void> {
  if (!isAlive(identity)) return;
  if (process.platform === "linux") {
    for (const each of descendants(identity.pid)) signalProcess(each, "SIGKILL");
  } else {
    const { default: treeKill } = await import("tree-kill");
    await new Promise<void>((done) => treeKill(identity.pid, "SIGKILL", () => done()));
  }
  signalProcess(identity, "SIGKILL", { group: true });
  signalProcess(identity, "SIGKILL");
}

// tree-kill runs `ps`, which small images of Linux do not have, and its absence would bring this process down.
function descendants(root: number): ProcessIdentity[] {
  const children = new Map<number, number[]>();
  for (const entry of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
    const parent = parentOf(Number(entry));
    if (parent !== undefined) children.set(parent, [...(children.get(parent) ?? []), Number(entry)]);
  }
  const below = (pid: number): number[] =>
    (children.get(pid) ?? []).flatMap((child) => [child, ...below(child)]);
  return below(root).flatMap((pid) => identityOf(pid) ?? []);
}

function parentOf(pid: number): number | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    return Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1]);
  } catch {
    return undefined;
  }
}

async function endsWithin(
  identity: ProcessIdentity,
  spanMs: number,
  { exited, clock = systemClock }: StopOptions,
): Promise<boolean> {
  const ended = new AbortController();
  const gone = exited ? exited.then(() => true) : poll(identity, ended.signal, clock);
  const late = clock.sleep(Math.min(spanMs, 2 ** 31 - 1), ended.signal).then(() => false);
  const result = await Promise.race([gone, late]);
  ended.abort();
  return result;
}

async function poll(identity: ProcessIdentity, signal: AbortSignal, clock: Clock): Promise<boolean> {
  while (!signal.aborted && isAlive(identity)) await clock.sleep(POLL_MS, signal);
  return true;
}
