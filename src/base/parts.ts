// Work in parts: a generator that yields wherever it can be left for a moment. Who must not be interrupted runs it whole;
// who would keep others waiting lets them in between.

export type Parts<T> = Generator<undefined, T, undefined>;

/** Runs all of it now. */
export function whole<T>(parts: Parts<T>): T {
  for (;;) {
    const { done, value } = parts.next();
    if (done) return value;
  }
}

/** Work that has no parts of its own; it can be left before it begins. */
export function* atOnce<T>(work: () => T): Parts<T> {
  yield;
  return work();
}
