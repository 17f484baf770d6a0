// Chance that comes out the same for the same seed, on every machine.

/** Numbers from 0 up to 1. */
export type Random = () => number;

/** mulberry32: one 32-bit state, passes the usual tests, and short enough to be read. */
export function createRandom(seed: number): Random {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** `count` of `from`, each at most once, decided by `draw` (0 up to 1) alone. */
export function pickSome<T>(from: readonly T[], count: number, draw: number): T[] {
  const left = [...from];
  const random = createRandom(Math.floor(draw * 2 ** 32));
  const picked: T[] = [];
  while (picked.length < count && left.length > 0)
    picked.push(...left.splice(Math.floor(random() * left.length), 1));
  return picked;
}
