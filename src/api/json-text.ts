// JSON text: parsing with errors in Go's words, and finding keys that stand twice in one object, which JSON.parse hides.
import { forEachValue } from "./own.ts";
import { badRequest } from "./status-error.ts";

export interface ParsedText {
  readonly value: unknown;
  /** `spec.replicas`, once for each repetition. */
  readonly duplicateFields: string[];
}

/** Parses JSON and reports duplicate keys. Throws 400 BadRequest when the text is no JSON. */
export function parseJsonStrict(text: string): ParsedText {
  return { value: parseJson(text), duplicateFields: duplicateFields(text) };
}

/**
 * No object is deeper. Unlike Kubernetes, which goes to 10,000: whoever walks a value recursively must not run out of stack, since V8 ends the
 * process when that happens at the wrong moment.
 */
export const DEEPEST = 500;

/** Level by level, so that it is safe with any value. */
function isTooDeep(value: unknown): boolean {
  let level = [value];
  for (let depth = 0; level.length > 0; depth += 1) {
    if (depth > DEEPEST) return true;
    const below: unknown[] = [];
    for (const each of level)
      forEachValue(each, (child) => {
        if (typeof child === "object") below.push(child);
      });
    level = below;
  }
  return false;
}

/** Parses JSON; where two keys of an object are the same, the last wins. Throws 400 BadRequest when the text is no JSON. */
export function parseJson(text: string): unknown {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw badRequest(`couldn't get version/kind; json parse error: ${goWords(error)}`);
  }
  // Each level takes two characters at least.
  if (text.length > 2 * DEEPEST && isTooDeep(value)) throw tooDeep();
  return value;
}

const tooDeep = () =>
  badRequest(`couldn't get version/kind; json parse error: exceeded max depth of ${DEEPEST}`);

function goWords(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  if (/Unexpected end|Unterminated/.test(message)) return "unexpected end of JSON input";
  const token = /Unexpected (?:non-whitespace character|token) ?'?(.)?/.exec(message)?.[1];
  return token ? `invalid character '${token}' looking for beginning of value` : message;
}

interface Level {
  /** The path of the object or list itself. */
  readonly path: string;
  /** The keys seen so far; undefined for a list. */
  readonly keys: Set<string> | undefined;
  /** The key or index at hand. */
  at: string | number;
}

/** The paths of keys that stand more than once in their object. `text` must be valid JSON. */
export function duplicateFields(text: string): string[] {
  const found: string[] = [];
  const levels: Level[] = [];
  let level: Level | undefined;
  // Whether the next string is a key.
  let keyNext = false;
  for (let index = 0; index < text.length; index++) {
    switch (text.charCodeAt(index)) {
      case 0x22: {
        const end = endOfString(text, index);
        if (keyNext && level?.keys) {
          const key = keyText(text, index, end);
          if (level.keys.has(key)) found.push(joined(level.path, key));
          level.keys.add(key);
          level.at = key;
          keyNext = false;
        }
        index = end;
        break;
      }
      case 0x7b: // {
      case 0x5b: {
        const list = text.charCodeAt(index) === 0x5b;
        level = {
          path: level ? joined(level.path, level.at) : "",
          keys: list ? undefined : new Set(),
          at: 0,
        };
        levels.push(level);
        keyNext = !list;
        break;
      }
      case 0x7d: // }
      case 0x5d:
        levels.pop();
        level = levels.at(-1);
        keyNext = false;
        break;
      case 0x2c: // ,
        if (level?.keys) keyNext = true;
        else if (level) level.at = Number(level.at) + 1;
    }
  }
  return found;
}

/**
 * Whether JSON text holds more than that many values: quick, and of text that is no JSON a guess. Throws 400 BadRequest where long text nests too
 * deeply; parsing finds it in any.
 */
export function exceedsValues(text: string, most: number): boolean {
  // Each value takes two characters at least.
  if (text.length < 2 * most) return false;
  let [values, depth] = [1, 0];
  for (let index = 0; index < text.length; index++) {
    switch (text.charCodeAt(index)) {
      case 0x22:
        index = endOfString(text, index);
        if (index < 0) return false;
        break;
      case 0x7b: // {
      case 0x5b:
        depth += 1;
        if (depth > DEEPEST) throw tooDeep();
        values += 1;
        break;
      case 0x7d: // }
      case 0x5d:
        depth -= 1;
        break;
      case 0x2c: // ,
        values += 1;
    }
    if (values > most) return true;
  }
  return false;
}

/** The index of the quote that ends the string which starts at `start`. */
function endOfString(text: string, start: number): number {
  let end = text.indexOf('"', start + 1);
  while (isEscaped(text, end)) end = text.indexOf('"', end + 1);
  return end;
}

function isEscaped(text: string, index: number): boolean {
  let backslashes = 0;
  while (text.charCodeAt(index - 1 - backslashes) === 0x5c) backslashes++;
  return backslashes % 2 === 1;
}

function keyText(text: string, start: number, end: number): string {
  const raw = text.slice(start + 1, end);
  return raw.includes("\\") ? JSON.parse(`"${raw}"`) : raw;
}

function joined(path: string, at: string | number): string {
  if (typeof at === "number") return `${path}[${at}]`;
  return path ? `${path}.${at}` : at;
}
