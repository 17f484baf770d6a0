// Sets of completion indexes as Jobs write them: `0-2,5`. Kept as ordered intervals that neither touch nor overlap, because a Job
// may have a hundred thousand indexes and its status must stay small.

export interface Interval {
  readonly first: number;
  readonly last: number;
}

export type IndexSet = readonly Interval[];

/**
 * Reads `0,2-4,7`; what is at or above `limit` is left out. Parts that are no interval are passed over: the text may be a client's.
 */
export function parseIndexes(text: string, limit: number): IndexSet {
  const found: Interval[] = [];
  for (const part of text.split(",")) {
    const [, first, last = first] = /^(\d+)(?:-(\d+))?$/.exec(part) ?? [];
    if (first === undefined || Number(first) >= limit) continue;
    found.push({ first: Number(first), last: Math.min(Number(last), limit - 1) });
  }
  return joined(found);
}

/** `0-2,4,5`: two neighbours are listed, from three on a range is written, as Kubernetes does. */
export function formatIndexes(set: IndexSet): string {
  return set
    .map(({ first, last }) => {
      if (first === last) return String(first);
      return last === first + 1 ? `${first},${last}` : `${first}-${last}`;
    })
    .join(",");
}

export function countIndexes(set: IndexSet): number {
  return set.reduce((sum, { first, last }) => sum + last - first + 1, 0);
}

export function hasIndex(set: IndexSet, index: number): boolean {
  return set.some(({ first, last }) => first <= index && index <= last);
}

export function withIndexes(set: IndexSet, indexes: Iterable<number>): IndexSet {
  return joined([...set, ...[...indexes].map((index) => ({ first: index, last: index }))]);
}

export function unionOf(a: IndexSet, b: IndexSet): IndexSet {
  return joined([...a, ...b]);
}

/** How many indexes are in both. */
export function countShared(a: IndexSet, b: IndexSet): number {
  let shared = 0;
  for (const one of a)
    for (const other of b)
      shared += Math.max(0, Math.min(one.last, other.last) - Math.max(one.first, other.first) + 1);
  return shared;
}

/** The first `count` indexes below `limit` that are not in the set. */
export function firstMissing(set: IndexSet, count: number, limit: number): number[] {
  const missing: number[] = [];
  let candidate = 0;
  for (const { first, last } of [...set, { first: limit, last: limit }]) {
    while (candidate < Math.min(first, limit) && missing.length < count) missing.push(candidate++);
    candidate = Math.max(candidate, last + 1);
  }
  return missing;
}

function joined(intervals: readonly Interval[]): IndexSet {
  const result: { first: number; last: number }[] = [];
  const ordered = intervals.filter(({ first, last }) => first <= last).sort((a, b) => a.first - b.first);
  for (const { first, last } of ordered) {
    const previous = result.at(-1);
    if (previous && first <= previous.last + 1) previous.last = Math.max(previous.last, last);
    else result.push({ first, last });
  }
  return result;
}
