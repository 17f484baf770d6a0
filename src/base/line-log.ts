import { writeSync } from "node:fs";
import type { Log, LogFields } from "./log.ts";

type Level = "debug" | "info" | "warn" | "error";
const LEVELS: readonly Level[] = ["debug", "info", "warn", "error"];

/**
 * A logger of JSON lines, for processes that must stay small. `write` gets each line with its end; by default standard output, which
 * the supervisor has put into the process's log file. Lines below `least` are dropped.
 */
export function createLineLog(
  fields: LogFields,
  { least = "info", write = writeOut }: { least?: Level; write?: (line: string) => void } = {},
): Log {
  const at = (level: Level) => (more: LogFields, message: string) => {
    if (LEVELS.indexOf(level) < LEVELS.indexOf(least)) return;
    write(`${toLine({ time: new Date().toISOString(), level, ...fields, ...more, message })}\n`);
  };
  return {
    debug: at("debug"),
    info: at("info"),
    warn: at("warn"),
    error: at("error"),
    child: (more) => createLineLog({ ...fields, ...more }, { least, write }),
  };
}

// A full disk loses the line, never the process: the stream of standard output would throw, and stay closed once it had.
function writeOut(line: string): void {
  try {
    writeSync(STDOUT, line);
  } catch {
    // There is nowhere to tell it.
  }
}

const STDOUT = 1;

// A field that JSON has no words for must not bring down whoever logs it.
function toLine(entry: LogFields): string {
  const readable = (_key: string, value: unknown) => {
    if (value instanceof Error) return value.stack ?? value.message;
    return typeof value === "bigint" ? String(value) : value;
  };
  try {
    return JSON.stringify(entry, readable);
  } catch {
    const plain = Object.entries(entry).map(([name, value]) => [name, String(value)]);
    return JSON.stringify(Object.fromEntries(plain));
  }
}
