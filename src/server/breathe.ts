// The server answers everybody from one thread. A large object's request does its work in parts, and others' are answered in between.
import { type Parts, whole } from "../base/parts.ts";

// Characters of JSON: what is smaller takes a few milliseconds in all.
const LARGE = 32_768;

export const isLarge = (characters: number): boolean => characters >= LARGE;

/** Between two parts of the work on that many characters: where they are many, resolves when what had arrived meanwhile has been served. */
export async function breathe(characters: number): Promise<void> {
  if (isLarge(characters)) await turn();
}

/** Does the work; between its parts others are served. */
export async function inParts<T>(parts: Parts<T>): Promise<T> {
  for (;;) {
    const { done, value } = parts.next();
    if (done) return value;
    await turn();
  }
}

/** The same for an object of that many characters; a small one's work is not left. */
export async function inPartsIfLarge<T>(parts: Parts<T>, characters: number): Promise<T> {
  return isLarge(characters) ? inParts(parts) : whole(parts);
}

const turn = () => new Promise<void>((resolve) => setImmediate(resolve));
