// Keeps what is known of the folder's files between looks: a file is read again only when it was saved, and only once
// nobody is writing it any more.
import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import type { Declared } from "./manifest.ts";
import type { FolderProblem } from "./problem.ts";
import { type FoundFile, scanFolder } from "./scan.ts";

export interface ReadFile {
  readonly file: string;
  readonly fingerprint: string;
  /** Absent: broken, or still being written. */
  readonly declared?: readonly Declared[];
}

export interface FolderContent {
  readonly files: readonly ReadFile[];
  /** Broken files, refused symlinks, unreadable directories. */
  readonly problems: readonly FolderProblem[];
  readonly unreadable: readonly string[];
  /** Files that were saved since the last look without a change: their author wants them applied again. */
  readonly savedAgain: readonly string[];
  /** In how many milliseconds to look again, when a file is still being written. */
  readonly lookAgainMs: number | undefined;
}

// Longer than the pause between two writes of one save, shorter than anyone notices.
const SETTLE_MS = 120;
// A manifest is for people; a file of this size was put here by mistake.
const LARGEST_BYTES = 8 * 1024 * 1024;

interface Known {
  readonly signature: string;
  readonly modifiedAt: number;
  readonly read: ReadFile;
  readonly problem: FolderProblem | undefined;
}

/** Returns the way to look; each call gives the folder's present content. Rejects when the folder cannot be read. */
export function createFolderReader(root: string): (nowMs: number) => Promise<FolderContent> {
  let known = new Map<string, Known>();
  let unsettled = new Map<string, { signature: string; since: number }>();

  return async (nowMs) => {
    const scan = await scanFolder(root);
    const seen = new Map<string, Known>();
    const writing = new Map<string, { signature: string; since: number }>();
    const files: ReadFile[] = [];
    const savedAgain: string[] = [];
    let lookAgainMs: number | undefined;
    for (const found of scan.files) {
      let entry = known.get(found.file);
      if (entry?.signature !== found.signature) {
        const before = unsettled.get(found.file);
        const since = before?.signature === found.signature ? before.since : nowMs;
        const remainsMs = SETTLE_MS - Math.max(nowMs - found.modifiedAt, nowMs - since);
        if (remainsMs > 0) {
          writing.set(found.file, { signature: found.signature, since });
          lookAgainMs = Math.min(lookAgainMs ?? remainsMs, remainsMs);
          files.push({ file: found.file, fingerprint: "" });
          if (entry) seen.set(found.file, entry);
          continue;
        }
        const now = await read(found, entry);
        const isSaved = entry !== undefined && entry.modifiedAt !== now.modifiedAt;
        if (isSaved && entry?.read.fingerprint === now.read.fingerprint) savedAgain.push(found.file);
        entry = now;
      }
      seen.set(found.file, entry);
      files.push(entry.read);
    }
    known = seen;
    unsettled = writing;
    const broken = [...seen.values()].flatMap(({ problem }) => problem ?? []);
    return {
      files,
      problems: [...broken, ...scan.refused, ...scan.unreadable],
      unreadable: scan.unreadable.map(({ file }) => file),
      savedAgain,
      lookAgainMs,
    };
  };
}

async function read(found: FoundFile, before: Known | undefined): Promise<Known> {
  const { file, path, signature, modifiedAt, size } = found;
  const broken = (message: string): Known => ({
    signature,
    modifiedAt,
    read: { file, fingerprint: signature },
    problem: { file, message },
  });
  if (size > LARGEST_BYTES) return broken(`is larger than ${LARGEST_BYTES} bytes`);
  let bytes: Buffer;
  try {
    bytes = await readFile(path);
  } catch (error) {
    return broken(`cannot be read: ${(error as Error).message}`);
  }
  const fingerprint = createHash("sha256").update(bytes).digest("base64url").slice(0, 22);
  if (before?.read.fingerprint === fingerprint) return { ...before, signature, modifiedAt };
  // The YAML library is loaded by those who have a folder only.
  const { parseFile } = await import("./manifest.ts");
  const { declared, problem } = parseFile(file, bytes.toString("utf8"));
  if (problem) return { signature, modifiedAt, read: { file, fingerprint }, problem };
  return { signature, modifiedAt, read: { file, fingerprint, declared }, problem: undefined };
}
