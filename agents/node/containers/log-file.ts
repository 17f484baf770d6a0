// The log of one run of a container, in the format of the container runtime interface. Memory is bounded: while the
// disk or a listener is behind, the container's pipes are not read, so a container that floods its log waits. Disk is bounded too:
// a full file is renamed PATH.1, PATH.2 … and the oldest is removed.
import { close, mkdirSync, open, openSync, renameSync, rmSync, write } from "node:fs";
import { rm } from "node:fs/promises";
import path from "node:path";
import type { Readable } from "node:stream";

export type OutputStream = "stdout" | "stderr";
/** Where it returns a promise it wants no more until that is settled. */
export type OutputListener = (stream: OutputStream, chunk: Buffer) => Promise<void> | undefined;

export interface LogFile {
  readonly path: string;
  /** Resolves when every source has ended and all of it is written. */
  readonly ended: Promise<void>;
  /** Reads `source` to its end into the log. */
  take(stream: OutputStream, source: Readable): void;
  /** With `keepForFirst` the first listener is given at once what was written before it came. */
  onOutput(listener: OutputListener): () => void;
  /** True until somebody listens to what is kept for the first who does. */
  awaitsFirst(): boolean;
  /** Says that no more sources come; what does not end by itself is let go of. */
  finish(): void;
  /** Deletes it with all that was rotated. */
  remove(): Promise<void>;
}

// The kubelet's containerLogMaxSize and containerLogMaxFiles.
const MAX_BYTES = 10 * 1024 * 1024;
const MAX_FILES = 5;
// The container runtimes' longest entry; a longer line is split into partial ones.
const MAX_ENTRY = 16 * 1024;
const HIGH_WATER = 256 * 1024;
// Output of a process that has ended can still be in its pipes; one that a surviving child holds open never ends.
const LINGER_MS = 200;

// What a container has printed before anybody attached; of more than that only the end is kept.
const MAX_KEPT = 1024 * 1024;

const NEWLINE = 10;

/** The files that a log may lie in, the newest first. */
export const rotationOf = (file: string): string[] =>
  Array.from({ length: MAX_FILES }, (_, index) => (index === 0 ? file : `${file}.${index}`));

export function createLogFile(
  file: string,
  { maxBytes = MAX_BYTES, keepForFirst = false }: { maxBytes?: number; keepForFirst?: boolean } = {},
): LogFile {
  mkdirSync(path.dirname(file), { recursive: true });
  const sources = new Set<Readable>();
  const rest = new Map<OutputStream, Buffer>();
  const listeners = new Set<OutputListener>();
  let kept = keepForFirst ? createKept() : undefined;
  let pending: Buffer[] = [];
  let pendingBytes = 0;
  // There from the start: a container that has said nothing has an empty log, not none.
  let fd: number | undefined = openSync(file, "a", 0o640);
  let writing = false;
  let size = 0;
  let finished = false;
  /** How many listeners have enough for now. */
  let held = 0;
  let done: () => void = () => {};
  const ended = new Promise<void>((resolve) => {
    done = resolve;
  });

  const settle = () => {
    if (!finished || sources.size > 0 || writing || pendingBytes > 0) return;
    if (fd !== undefined) close(fd, () => {});
    fd = undefined;
    done();
  };
  const drained = () => {
    // What a process that has ended has left in its pipes is little, and would be lost.
    const hasRoom = pendingBytes < HIGH_WATER && (held === 0 || finished);
    if (hasRoom) for (const source of sources) source.resume();
    settle();
  };
  const hold = async (enough: Promise<void>) => {
    held += 1;
    for (const source of sources) source.pause();
    await enough.catch(() => {});
    held -= 1;
    drained();
  };
  const flush = () => {
    if (writing || pendingBytes === 0) return drained();
    writing = true;
    if (fd === undefined || size > maxBytes) return reopen();
    const batch = Buffer.concat(pending);
    pending = [];
    pendingBytes = 0;
    size += batch.length;
    // A disk that is full loses the log, never the container: what cannot be written is dropped.
    write(fd, batch, 0, batch.length, null, () => {
      writing = false;
      flush();
    });
  };
  const reopen = () => {
    if (fd !== undefined) {
      close(fd, () => {});
      fd = undefined;
      rotate(file);
      size = 0;
    }
    open(file, "a", 0o640, (error, opened) => {
      writing = false;
      if (error) {
        pending = [];
        pendingBytes = 0;
      } else fd = opened;
      flush();
    });
  };
  const append = (stream: OutputStream, chunk: Buffer, last: boolean) => {
    const before = rest.get(stream);
    const text = before ? Buffer.concat([before, chunk]) : chunk;
    const { entries, remainder } = splitEntries(text, stream, last);
    if (remainder.length > 0) rest.set(stream, Buffer.from(remainder));
    else rest.delete(stream);
    for (const entry of entries) {
      pending.push(entry);
      pendingBytes += entry.length;
    }
    if (pendingBytes > HIGH_WATER) for (const source of sources) source.pause();
    flush();
  };

  return {
    path: file,
    ended,
    take(stream, source) {
      sources.add(source);
      const end = () => {
        if (!sources.delete(source)) return;
        append(stream, Buffer.alloc(0), true);
        settle();
      };
      source.on("data", (chunk: Buffer) => {
        if (!sources.has(source)) return;
        kept?.add(stream, chunk);
        for (const listener of listeners) {
          const enough = listener(stream, chunk);
          if (enough) void hold(enough);
        }
        append(stream, chunk, false);
      });
      source.once("end", end).once("error", end).once("close", end);
    },
    onOutput(listener) {
      kept?.giveTo(listener);
      kept = undefined;
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    awaitsFirst: () => kept !== undefined,
    finish() {
      finished = true;
      if (sources.size > 0)
        setTimeout(() => {
          for (const source of sources) source.destroy();
        }, LINGER_MS).unref();
      drained();
    },
    async remove() {
      for (const each of rotationOf(file)) await rm(each, { force: true });
    },
  };
}

/** Output in the order in which it came, bounded. */
function createKept(): {
  add(stream: OutputStream, chunk: Buffer): void;
  giveTo(listener: OutputListener): void;
} {
  const chunks: [OutputStream, Buffer][] = [];
  let bytes = 0;
  return {
    add(stream, chunk) {
      chunks.push([stream, chunk]);
      bytes += chunk.length;
      while (bytes > MAX_KEPT && chunks.length > 1) bytes -= chunks.shift()?.[1].length ?? 0;
    },
    giveTo(listener) {
      for (const [stream, chunk] of chunks) void listener(stream, chunk);
    },
  };
}

/** Cuts text into whole entries; with `last`, also what has no newline at its end. */
function splitEntries(
  text: Buffer,
  stream: OutputStream,
  last: boolean,
): { entries: Buffer[]; remainder: Buffer } {
  const stamp = `${new Date().toISOString().slice(0, -1)}000000Z ${stream} `;
  const full = Buffer.from(`${stamp}F `);
  const entries: Buffer[] = [];
  let start = 0;
  for (;;) {
    const newline = text.indexOf(NEWLINE, start);
    const end = newline < 0 ? text.length : newline;
    while (end - start > MAX_ENTRY) {
      entries.push(Buffer.from(`${stamp}P `), text.subarray(start, start + MAX_ENTRY), Buffer.from("\n"));
      start += MAX_ENTRY;
    }
    if (newline < 0) break;
    entries.push(full, text.subarray(start, newline + 1));
    start = newline + 1;
  }
  const remainder = text.subarray(start);
  if (!last || remainder.length === 0) return { entries, remainder };
  entries.push(full, remainder, Buffer.from("\n"));
  return { entries, remainder: Buffer.alloc(0) };
}

function rotate(file: string): void {
  const files = rotationOf(file);
  rmSync(files.at(-1) ?? file, { force: true });
  for (let index = MAX_FILES - 2; index >= 0; index -= 1) {
    try {
      renameSync(files[index] ?? file, files[index + 1] ?? file);
    } catch {
      // There are not that many yet.
    }
  }
}
