// The last writes, so that a watch resumes and a chunked list goes on without a gap. Revisions grow by one, so the
// event of a revision is found by counting.
import { type Entry, ExpiredError, type StoreEvent } from "./store.ts";

export interface HistoryLimits {
  readonly events: number;
  /** Of serialized objects, in characters. */
  readonly characters: number;
}

// A minute of 150 writes a second; a reconnecting watcher needs seconds. The second bound keeps a burst of
// megabyte objects from filling the memory.
export const HISTORY_LIMITS: HistoryLimits = { events: 10_000, characters: 24 * 1024 * 1024 };

// So many dropped events are still held before the list is cut.
const SLACK = 1_000;

export class History<T extends object> {
  #events: StoreEvent<T>[] = [];
  #start = 0;
  #characters = 0;
  #oldest: number;
  readonly #limits: HistoryLimits;

  /** `revision`: the newest one whose state is known, before the first event. */
  constructor(revision: number, limits: HistoryLimits = HISTORY_LIMITS) {
    this.#oldest = revision;
    this.#limits = limits;
  }

  /** The state after this revision, and every write since, can be told. */
  get oldest(): number {
    return this.#oldest;
  }

  add(event: StoreEvent<T>): void {
    this.#events.push(event);
    this.#characters += event.entry.json.length;
    while (
      this.#events.length - this.#start > this.#limits.events ||
      this.#characters > this.#limits.characters
    ) {
      const dropped = this.#events[this.#start]!;
      this.#characters -= dropped.entry.json.length;
      this.#oldest = dropped.revision;
      this.#start += 1;
    }
    if (this.#start > SLACK) {
      this.#events = this.#events.slice(this.#start);
      this.#start = 0;
    }
  }

  /** Every write after `revision`, oldest first. Throws ExpiredError. */
  *after(revision: number): Iterable<StoreEvent<T>> {
    this.#check(revision);
    for (let i = this.#start + revision - this.#oldest; i < this.#events.length; i += 1)
      yield this.#events[i]!;
  }

  /** Takes the writes after `revision` back out of `entries` (in key order). Throws ExpiredError. */
  rewind(entries: readonly Entry<T>[], prefix: string, revision: number): readonly Entry<T>[] {
    const earlier = new Map<string, Entry<T> | undefined>();
    for (const { entry, previous } of this.after(revision))
      if (entry.key.startsWith(prefix) && !earlier.has(entry.key)) earlier.set(entry.key, previous);
    if (earlier.size === 0) return entries;
    const kept = entries.filter(({ key }) => !earlier.has(key));
    for (const entry of earlier.values()) if (entry) kept.push(entry);
    return kept.sort((a, b) => (a.key < b.key ? -1 : 1));
  }

  #check(revision: number): void {
    const newest = this.#oldest + this.#events.length - this.#start;
    // A revision of the future is one of an earlier life of the data: as lost as one that is too old.
    if (revision < this.#oldest || revision > newest) throw new ExpiredError(revision, this.#oldest);
  }
}
