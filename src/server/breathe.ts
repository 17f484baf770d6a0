// The server answers everybody from one thread. A large object's request does its work in parts, and others' are answered in between.

// Characters of JSON: what is smaller takes a few milliseconds in all.
const LARGE = 32_768;

export const isLarge = (characters: number): boolean => characters >= LARGE;

/** Between two parts of the work on that many characters: where they are many, resolves when what had arrived meanwhile has been served. */
export async function breathe(characters: number): Promise<void> {
  if (isLarge(characters)) await new Promise<void>((resolve) => setImmediate(resolve));
}
