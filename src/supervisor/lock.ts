// Who owns a data directory, from the first moment of `up` to the last of `down`. An owner is a symbolic link in DATA_DIR/lock whose text is
// its pid and start time and which directory it means: made in one step, whole, and only where there is none. Owners are numbered and the last one's link stays when it
// ends, so of two that find the same dead owner only one can make the next.
import { mkdirSync, readdirSync, readlinkSync, realpathSync, rmSync, statSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { isAlive, type ProcessIdentity } from "../process/identity.ts";

interface Owner extends ProcessIdentity {
  readonly number: number;
  /** False for the link in a copy of the directory that its owner runs in. */
  readonly isHere: boolean;
}

/** Makes `self` the owner; throws, naming the directory and the pid, while another lives. */
export function claimDataDir(dataDir: string, self: ProcessIdentity): void {
  const folder = join(dataDir, "lock");
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  for (;;) {
    const last = lastOwner(dataDir);
    if (last?.isHere && isAlive(last)) throw inUse(dataDir, last);
    const number = nextNumber(folder, last?.number ?? 0);
    if (!link(join(folder, String(number)), [`${self.pid} ${self.startTime}`, ...placeOf(folder)].join("\t")))
      continue;
    // Others may have come and gone since the look: whoever is not the last has lost.
    if (lastOwner(dataDir)?.number === number) {
      removeBefore(folder, number);
      return;
    }
    rmSync(join(folder, String(number)), { force: true });
  }
}

/** The live owner of a data directory, if it has one. */
export function ownerOf(dataDir: string): ProcessIdentity | undefined {
  const last = lastOwner(dataDir);
  return last?.isHere && isAlive(last) ? last : undefined;
}

/** True for a copy of the data directory of a cluster that runs. */
export function isCopyOfRunning(dataDir: string): boolean {
  const last = lastOwner(dataDir);
  return last !== undefined && !last.isHere && isAlive(last);
}

export function inUse(dataDir: string, { pid }: ProcessIdentity): Error {
  return new Error(
    `${dataDir} is in use by a running cluster (pid ${pid}); stop it with \`kubemu down\` or choose another --data-dir`,
  );
}

export const onlyACopy = (dataDir: string): Error =>
  new Error(`${dataDir} is a copy of a running cluster's data directory, not that cluster`);

function lastOwner(dataDir: string): Owner | undefined {
  const folder = join(dataDir, "lock");
  for (;;) {
    const number = Math.max(...numbersIn(folder).links);
    if (!Number.isFinite(number)) return undefined;
    try {
      const [who = "", ...place] = readlinkSync(join(folder, String(number))).split("\t");
      const [pid, startTime] = who.split(/ (.*)/);
      // A directory that was moved keeps its inode, and some file systems number their inodes anew: in a copy both are others.
      const here = placeOf(folder);
      const isHere = place.length === 0 || place.some((each, index) => each === here[index]);
      return { number, pid: Number(pid), startTime: startTime ?? "", isHere };
    } catch (error) {
      // Removed by a later owner since the listing: look again.
      if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    }
  }
}

/** The numbers that owners have, and those that are taken by what somebody else has put there. */
function numbersIn(folder: string): { links: number[]; others: number[] } {
  const found = { links: [] as number[], others: [] as number[] };
  try {
    for (const entry of readdirSync(folder, { withFileTypes: true })) {
      if (!/^[1-9]\d{0,14}$/.test(entry.name)) continue;
      (entry.isSymbolicLink() ? found.links : found.others).push(Number(entry.name));
    }
  } catch {
    // There is no such folder, so there are no owners.
  }
  return found;
}

function nextNumber(folder: string, last: number): number {
  const { others } = numbersIn(folder);
  let number = last + 1;
  while (others.includes(number)) number++;
  return number;
}

/** What tells a folder from a copy of it. */
function placeOf(folder: string): readonly [inode: string, path: string] {
  const { dev, ino } = statSync(folder, { bigint: true });
  return [`${dev}:${ino}`, realpathSync(folder)];
}

function link(path: string, text: string): boolean {
  try {
    symlinkSync(text, path);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw error;
  }
}

function removeBefore(folder: string, number: number): void {
  for (const earlier of numbersIn(folder).links)
    if (earlier < number) rmSync(join(folder, String(earlier)), { force: true });
}
