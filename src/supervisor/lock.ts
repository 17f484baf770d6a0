// Who owns a data directory, from the first moment of `up` to the last of `down`. An owner is a symbolic link in DATA_DIR/lock whose text is
// its pid and start time: made in one step, whole, and only where there is none. Owners are numbered and the last one's link stays when it
// ends, so of two that find the same dead owner only one can make the next.
import { mkdirSync, readdirSync, readlinkSync, rmSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { isAlive, type ProcessIdentity } from "../process/identity.ts";

interface Owner extends ProcessIdentity {
  readonly number: number;
}

/** Makes `self` the owner; throws, naming the directory and the pid, while another lives. */
export function claimDataDir(dataDir: string, self: ProcessIdentity): void {
  const folder = join(dataDir, "lock");
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  for (;;) {
    const last = lastOwner(dataDir);
    if (last && isAlive(last)) throw inUse(dataDir, last);
    const number = nextNumber(folder, last?.number ?? 0);
    if (!link(join(folder, String(number)), self)) continue;
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
  return last && isAlive(last) ? last : undefined;
}

export function inUse(dataDir: string, { pid }: ProcessIdentity): Error {
  return new Error(
    `${dataDir} is in use by a running cluster (pid ${pid}); stop it with \`kubemu down\` or choose another --data-dir`,
  );
}

function lastOwner(dataDir: string): Owner | undefined {
  const folder = join(dataDir, "lock");
  for (;;) {
    const number = Math.max(...numbersIn(folder).links);
    if (!Number.isFinite(number)) return undefined;
    try {
      const [pid, startTime] = readlinkSync(join(folder, String(number))).split(/ (.*)/);
      return { number, pid: Number(pid), startTime: startTime ?? "" };
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

function link(path: string, { pid, startTime }: ProcessIdentity): boolean {
  try {
    symlinkSync(`${pid} ${startTime}`, path);
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
