// Reads a container's log file (the format is in host.ts) as the kubelet does: the last lines, those since a time, one of the
// streams, with or without timestamps, up to a number of bytes, and following until the run has ended.
import { type FSWatcher, statSync, watch } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { setTimeout as pause } from "node:timers/promises";
import { rotationOf } from "../containers/log-file.ts";
import type { ContainerLog } from "./host.ts";

export interface LogOptions {
  readonly follow: boolean;
  readonly timestamps: boolean;
  /** Milliseconds since the epoch: entries before are left out. */
  readonly since?: number | undefined;
  readonly tailLines?: number | undefined;
  readonly limitBytes?: number | undefined;
  readonly stream?: "stdout" | "stderr" | undefined;
}

const CHUNK_BYTES = 64 * 1024;
const NEWLINE = 10;

/** Calls `write` with what a client shall see, waiting for each to be done. Resolves at the end, or when `signal` aborts. */
export async function readLog(
  log: ContainerLog,
  options: LogOptions,
  { write, signal }: { write: (bytes: Buffer) => Promise<void>; signal: AbortSignal },
): Promise<void> {
  const file = await open(log.path);
  try {
    const { size } = await file.stat();
    const offset = options.tailLines === undefined ? 0 : await tailOffset(file, size, options.tailLines);
    const print = createPrinter(options, write);
    if (options.follow) await follow(log, { file, offset, print, signal });
    // A container that floods its log would never let the reader come to an end, nor to the last lines alone.
    else await readToEnd(file, { offset, limit: size, print, signal });
  } finally {
    await file.close();
  }
}

/** Resolves with false once nothing more is wanted. */
type Print = (lines: Buffer) => Promise<boolean>;

interface Reading {
  readonly offset: number;
  /** Where the file ends for this reader; absent: wherever it ends by then. */
  readonly limit?: number;
  readonly print: Print;
  readonly signal: AbortSignal;
}

/** Prints whole lines up to the end of the file; undefined once nothing more is wanted, else where the rest begins. */
async function readToEnd(
  file: FileHandle,
  { offset, limit = Number.POSITIVE_INFINITY, print, signal }: Reading,
): Promise<number | undefined> {
  let at = offset;
  let size = CHUNK_BYTES;
  while (!signal.aborted) {
    const wanted = Math.min(size, limit - at);
    const { bytesRead, buffer } = await file.read(Buffer.allocUnsafe(wanted), 0, wanted, at);
    const end = buffer.subarray(0, bytesRead).lastIndexOf(NEWLINE) + 1;
    if (end > 0) {
      if (!(await print(buffer.subarray(0, end)))) return undefined;
      at += end;
      size = CHUNK_BYTES;
    } else if (bytesRead < size) return at;
    // A line longer than the buffer.
    else size *= 2;
  }
  return undefined;
}

// A rotated log's new file is there within a moment; where the disk refuses it, later, or never.
const NEW_FILE_MS = 20;

/** Reads on in the file that comes after a rotation, so that nothing is lost to a reader that keeps up. */
async function follow(log: ContainerLog, reading: Reading & { readonly file: FileHandle }): Promise<void> {
  let wake: () => void = () => {};
  let changed = false;
  let ended = false;
  const note = () => {
    changed = true;
    wake();
  };
  let watcher = startWatcher(log.path, note);
  reading.signal.addEventListener("abort", note, { once: true });
  void log.ended.then(() => {
    ended = true;
    note();
  });
  // Lets a run that has ended already be seen as such.
  await Promise.resolve();
  let { file } = reading;
  try {
    let { offset } = reading;
    for (;;) {
      const last = ended;
      changed = false;
      // Asked first: nothing is written to a file any more that has been renamed.
      const next = await nextFile(log.path, file);
      const end = await readToEnd(file, { ...reading, offset });
      if (end !== undefined) offset = end;
      if (typeof next === "object") {
        if (file !== reading.file) await file.close();
        file = next;
        offset = 0;
        watcher?.close();
        watcher = startWatcher(log.path, note);
      }
      // Nothing more is wanted, or nothing more comes.
      if (end === undefined || (last && typeof next !== "object")) return;
      if (changed || typeof next === "object") continue;
      if (next === "missing") await pause(NEW_FILE_MS);
      else
        await new Promise<void>((resolve) => {
          wake = resolve;
          if (changed) resolve();
        });
    }
  } finally {
    if (file !== reading.file) await file.close();
    watcher?.close();
    reading.signal.removeEventListener("abort", note);
  }
}

/** Undefined while there is no file of that name: one that was rotated is about to be. */
function startWatcher(path: string, note: () => void): FSWatcher | undefined {
  try {
    const watcher = watch(path, note);
    // The file may go with its pod.
    watcher.on("error", note);
    return watcher;
  } catch {
    return undefined;
  }
}

/**
 * The file that was begun when `file` was renamed; undefined while `file` is the newest, "missing" while the newer one is still to come.
 * Of one that has been removed since, the oldest that there is.
 */
async function nextFile(path: string, file: FileHandle): Promise<FileHandle | "missing" | undefined> {
  const { ino } = await file.stat();
  for (;;) {
    if (inodeOf(path) === ino) return undefined;
    // All in one turn, as they are renamed.
    const inodes = rotationOf(path).map(inodeOf);
    const at = inodes.indexOf(ino);
    const newer = at < 0 ? inodes.findLastIndex((each) => each !== undefined) : at - 1;
    const wanted = inodes[newer];
    if (wanted === undefined) return "missing";
    const next = await open(rotationOf(path)[newer] ?? path).catch(() => undefined);
    // Renamed in between, the name is another file's.
    if (next && (await next.stat()).ino === wanted) return next;
    await next?.close();
  }
}

const inodeOf = (file: string): number | undefined => statSync(file, { throwIfNoEntry: false })?.ino;

/** Where the last `lines` lines of the file's first `size` bytes begin. */
async function tailOffset(file: FileHandle, size: number, lines: number): Promise<number> {
  if (lines === 0) return size;
  const buffer = Buffer.allocUnsafe(CHUNK_BYTES);
  let found = 0;
  for (let end = size; end > 0; ) {
    const start = Math.max(0, end - CHUNK_BYTES);
    const { bytesRead } = await file.read(buffer, 0, end - start, start);
    for (let index = bytesRead - 1; index >= 0; index--) {
      // The newline at the very end closes the last line.
      if (buffer[index] !== NEWLINE || start + index === size - 1) continue;
      if (++found === lines) return start + index + 1;
    }
    end = start;
  }
  return 0;
}

function createPrinter(options: LogOptions, write: (bytes: Buffer) => Promise<void>): Print {
  let left = options.limitBytes ?? Number.POSITIVE_INFINITY;
  // The time stands before each line, not before each of the entries that a long one is cut into.
  let isLineStart = true;
  return async (lines) => {
    const shown: Buffer[] = [];
    for (let start = 0; start < lines.length; ) {
      const end = lines.indexOf(NEWLINE, start) + 1;
      const timestamps = options.timestamps && isLineStart;
      const { text, isPartial } = readEntry(lines.subarray(start, end), { ...options, timestamps });
      shown.push(...text);
      isLineStart = !isPartial;
      start = end;
    }
    const all = Buffer.concat(shown);
    if (all.length > 0) await write(all.length > left ? all.subarray(0, left) : all);
    left -= all.length;
    return left > 0;
  };
}

const SPACE = 32;

interface Entry {
  /** The pieces that are shown; none where it is left out. */
  readonly text: readonly Buffer[];
  /** Its line goes on in the next. */
  readonly isPartial: boolean;
}

/** Reads `TIME STREAM TAG TEXT\n`. What is no entry is shown as it is. */
function readEntry(line: Buffer, { since, stream, timestamps }: LogOptions): Entry {
  const timeEnd = line.indexOf(SPACE);
  const streamEnd = line.indexOf(SPACE, timeEnd + 1);
  const tagEnd = line.indexOf(SPACE, streamEnd + 1);
  if (timeEnd < 0 || streamEnd < 0 || tagEnd < 0) return { text: [line], isPartial: false };
  const isPartial = line.toString("latin1", streamEnd + 1, tagEnd).startsWith("P");
  const isOther = stream !== undefined && line.toString("latin1", timeEnd + 1, streamEnd) !== stream;
  if (isOther || (since !== undefined && Date.parse(line.toString("latin1", 0, timeEnd)) < since))
    return { text: [], isPartial };
  const text = line.subarray(tagEnd + 1, isPartial ? line.length - 1 : line.length);
  return { text: timestamps ? [line.subarray(0, timeEnd + 1), text] : [text], isPartial };
}
