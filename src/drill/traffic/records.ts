// What became of every request of one stream, in the order in which they were due. Request i was due i / rate after the start, so five bytes
// a request are enough and a million of them need no thought.

const PENDING = 0;
export const SERVED = 1;
export const FAILED = 2;
const FIRST_SIZE = 4_096;
// Every one is counted; the timeline shows the first of them.
const MOST_FAILURES_KEPT = 2_000;

export interface Failure {
  /** When the request was due. */
  readonly at: number;
  readonly cause: string;
  /** The Service's endpoint or the stream, for the reader. */
  readonly stream: string;
}

export interface PodAnswers {
  served: number;
  /** When the last request that it answered was sent. */
  lastSentAt: number;
}

export interface Records {
  readonly name: string;
  readonly rate: number;
  readonly startedAt: number;
  readonly sent: number;
  readonly served: number;
  readonly failed: number;
  /** Of those that failed: no connection came about. */
  readonly refused: number;
  readonly causes: ReadonlyMap<string, number>;
  readonly failures: readonly Failure[];
  readonly pods: ReadonlyMap<string, PodAnswers>;
  /** How late the latest request was sent. */
  readonly worstLag: number;
  outcomeOf(index: number): number;
  /** From the moment it was due, so that waiting to be sent counts. */
  latencyOf(index: number): number;
  dueAt(index: number): number;
  /** Counts a request that is sent now; returns its index. */
  begin(now: number): number;
  serve(index: number, now: number, pod?: string): void;
  fail(index: number, cause: string, options?: { readonly refused?: boolean }): void;
}

export function createRecords(name: string, rate: number, startedAt: number): Records {
  let outcomes = new Uint8Array(FIRST_SIZE);
  let latencies = new Float32Array(FIRST_SIZE);
  const sums = { sent: 0, served: 0, failed: 0, refused: 0, worstLag: 0 };
  const causes = new Map<string, number>();
  const failures: Failure[] = [];
  const pods = new Map<string, PodAnswers>();
  const dueAt = (index: number) => startedAt + (index * 1_000) / rate;
  const grow = () => {
    const [more, longer] = [new Uint8Array(outcomes.length * 2), new Float32Array(outcomes.length * 2)];
    more.set(outcomes);
    longer.set(latencies);
    [outcomes, latencies] = [more, longer];
  };
  return {
    name,
    rate,
    startedAt,
    get sent() {
      return sums.sent;
    },
    get served() {
      return sums.served;
    },
    get failed() {
      return sums.failed;
    },
    get refused() {
      return sums.refused;
    },
    get worstLag() {
      return sums.worstLag;
    },
    causes,
    failures,
    pods,
    outcomeOf: (index) => outcomes[index] ?? PENDING,
    latencyOf: (index) => latencies[index] ?? 0,
    dueAt,
    begin(now) {
      const index = sums.sent++;
      if (index >= outcomes.length) grow();
      sums.worstLag = Math.max(sums.worstLag, now - dueAt(index));
      return index;
    },
    serve(index, now, pod) {
      outcomes[index] = SERVED;
      latencies[index] = now - dueAt(index);
      sums.served++;
      if (pod === undefined) return;
      const answers = pods.get(pod) ?? { served: 0, lastSentAt: 0 };
      answers.served++;
      answers.lastSentAt = Math.max(answers.lastSentAt, dueAt(index));
      pods.set(pod, answers);
    },
    fail(index, cause, { refused = false } = {}) {
      outcomes[index] = FAILED;
      sums.failed++;
      if (refused) sums.refused++;
      causes.set(cause, (causes.get(cause) ?? 0) + 1);
      if (failures.length < MOST_FAILURES_KEPT) failures.push({ at: dueAt(index), cause, stream: name });
    },
  };
}
