import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { PassThrough } from "node:stream";
import { afterEach, beforeEach, expect, test } from "vitest";
import { createLogFile } from "../../../../../agents/node/containers/log-file.ts";
import { type LogOptions, readLog } from "../../../../../agents/node/streams/log-reader.ts";

let directory: string;

beforeEach(() => {
  directory = mkdtempSync(path.join(tmpdir(), "kubemu-log-"));
});
afterEach(() => {
  rmSync(directory, { recursive: true, force: true });
});

/** A log that is rotated every few lines, and somebody who follows it. */
function followed({ limitBytes }: { limitBytes?: number } = {}) {
  const log = createLogFile(path.join(directory, "0.log"), { maxBytes: 2_000 });
  const source = new PassThrough();
  log.take("stdout", source);
  let text = "";
  const leave = new AbortController();
  const read = readLog(
    log,
    { follow: true, timestamps: false, limitBytes },
    {
      write: async (bytes) => {
        text += bytes.toString();
      },
      signal: leave.signal,
    },
  );
  return { log, source, read, leave, heard: () => text };
}

test("a log is followed through its rotations, line by line", async () => {
  const { log, source, read, heard } = followed();
  const lines = Array.from({ length: 30 }, (_, index) => `${index} ${"x".repeat(700)}\n`);
  for (const [index, line] of lines.entries()) {
    source.write(line);
    await expect.poll(heard, { timeout: 20_000 }).toBe(lines.slice(0, index + 1).join(""));
  }
  source.end("the end\n");
  log.finish();
  await read;
  expect(heard()).toBe(`${lines.join("")}the end\n`);
});

test("a reader who is several files behind reads each of them", async () => {
  const { log, source, read, heard } = followed();
  const lines = Array.from({ length: 9 }, (_, index) => `${index} ${"x".repeat(700)}\n`);
  // Three rotations before the reader has been heard of.
  for (const line of lines) source.write(line);
  source.end();
  log.finish();
  await read;
  expect(heard()).toBe(lines.join(""));
});

test("who leaves a quiet log is let go of at once", async () => {
  const { source, read, leave, heard } = followed();
  source.write("one\n");
  await expect.poll(heard).toBe("one\n");
  leave.abort();
  await read;
});

test("who wants so many bytes and no more does not wait for others", async () => {
  const { source, read, heard } = followed({ limitBytes: 5 });
  source.write("one\ntwo\n");
  await read;
  expect(heard()).toBe("one\nt");
});

const shown = async (file: string, options: Partial<LogOptions>, onWrite: () => void = () => {}) => {
  let text = "";
  const log = { path: file, ended: Promise.resolve() };
  const write = async (bytes: Buffer) => {
    text += bytes.toString();
    onWrite();
  };
  await readLog(
    log,
    { follow: false, timestamps: false, ...options },
    { write, signal: new AbortController().signal },
  );
  return text;
};

test.each([{}, { tailLines: 2 }])("who does not follow sees no more than there was: %j", async (options) => {
  const file = path.join(directory, "0.log");
  const line = (index: number) => `2026-01-02T03:04:05.000000000Z stdout F ${index}\n`;
  writeFileSync(file, line(1) + line(2) + line(3));
  // The container writes whenever the reader has read.
  const text = await shown(file, options, () => appendFileSync(file, line(4)));
  expect(text).toBe(options.tailLines ? "2\n3\n" : "1\n2\n3\n");
});

test("the time stands before each line, not before the parts of a long one", async () => {
  const file = path.join(directory, "0.log");
  const entry = (text: string) => `2026-01-02T03:04:05.000000000Z stdout ${text}\n`;
  writeFileSync(file, ["P a", "P b", "F c", "F d"].map(entry).join(""));
  const time = "2026-01-02T03:04:05.000000000Z";
  expect(await shown(file, { timestamps: true })).toBe(`${time} abc\n${time} d\n`);
  expect(await shown(file, { timestamps: true, tailLines: 3 })).toBe(`${time} bc\n${time} d\n`);
});
