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
    const number = (last?.number ?? 0) + 1;
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
  const numbers = numbersIn(join(dataDir, "lock"));
  for (const number of numbers.sort((a, b) => b - a)) {
    try {
      const [pid, startTime] = readlinkSync(join(dataDir, "lock", String(number))).split(/ (.*)/);
      return { number, pid: Number(pid), startTime: startTime ?? "" };
    } catch {
      // Removed by a later owner since the listing.
      return lastOwner(dataDir);
    }
  }
  return undefined;
}

function numbersIn(folder: string): number[] {
  try {
    return readdirSync(folder)
      .filter((name) => /^\d+$/.test(name))
      .map(Number);
  } catch {
    return [];
  }
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
  for (const earlier of numbersIn(folder))
    if (earlier < number) rmSync(join(folder, String(earlier)), { force: true });
}
