// A command is data: what it is called, what it takes, and the module that does it, loaded only when it is run.
import { parseGoDuration } from "../base/duration.ts";

export interface OptionDeclaration {
  /** As commander writes it: `--nodes <N>`, `--detach`, `-o, --output <format>`. */
  readonly flags: string;
  readonly description: string;
  readonly default?: string;
  readonly choices?: readonly string[];
  /** May be given several times; its value is the list of them. */
  readonly repeat?: boolean;
}

export interface CommandDeclaration {
  readonly name: string;
  /** `[folders...]`, `<action> [name]`; empty where there are none. */
  readonly arguments?: string;
  readonly summary: string;
  readonly options?: readonly OptionDeclaration[];
  /** Everything after the command's name goes through unread (`kubemu kubectl get pods -o wide`). */
  readonly passThrough?: boolean;
  /** Loads the command. Its result is the exit code. */
  load(): Promise<(invocation: Invocation) => Promise<number>>;
}

export interface Invocation {
  readonly name: string;
  /** Absolute; need not exist. */
  readonly dataDir: string;
  readonly arguments: readonly string[];
  /** By long name: `nodes`, `inMemory`, `merge`. */
  readonly options: Readonly<Record<string, unknown>>;
}

/** The user asked for something that is not allowed: one line, exit code 2. */
export class UsageError extends Error {
  constructor(message: string) {
    super(message);
    this.name = "UsageError";
  }
}

/** `-o json`, which several commands take. */
export const OUTPUT: OptionDeclaration = {
  flags: "-o, --output <format>",
  description: "the format of the output",
  choices: ["json"],
};

/** A whole number in a range, or a UsageError that names the option and the range. */
export function parseCount(option: string, text: string, [least, most]: readonly [number, number]): number {
  const value = Number(text);
  if (!/^\d+$/.test(text) || value < least || value > most)
    throw new UsageError(
      `${option} takes a whole number from ${least} to ${most}, not ${JSON.stringify(text)}`,
    );
  return value;
}

/** A span as Go writes it (`500ms`, `1.5s`, `1m30s`; `0`) in milliseconds, or a UsageError that names the option. */
export function parseDuration(option: string, text: string): number {
  const spanMs = parseGoDuration(text);
  if (spanMs === undefined)
    throw new UsageError(
      `${option} takes a duration such as 500ms, 2s or 1m30s, not ${JSON.stringify(text)}`,
    );
  return spanMs;
}
