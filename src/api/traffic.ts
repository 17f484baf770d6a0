// What a proxy worker says of the traffic through it, as the worker writes it and `kubemu traffic` reads it.

/**
 * `ok`: handled to its end, whatever the endpoint answered; `no-endpoint`: nobody to send it to; `refused`: nobody could be connected
 * to; `died`: the endpoint ended it before it had answered all; `client-left`; `idle`: nothing passed for the idle time.
 */
export type TrafficOutcome = "ok" | "no-endpoint" | "refused" | "died" | "client-left" | "idle";

/** One connection, or in HTTP mode one request, that has ended. */
export interface TrafficRecord {
  /** RFC 3339, when it ended. */
  readonly time: string;
  /** `namespace/name` */
  readonly service: string;
  readonly protocol: "tcp" | "http";
  readonly outcome: TrafficOutcome;
  /** In words, where it was not ok. */
  readonly reason?: string;
  readonly client: string;
  readonly endpoint?: string;
  readonly pod?: string;
  readonly node?: string;
  /** The hash of the revision that the pod is of; `kubemu traffic` adds it, the workers know no pods. */
  readonly revision?: string;
  /** Endpoints that failed it before. */
  readonly tried?: readonly string[];
  readonly method?: string;
  /** Without the query. */
  readonly path?: string;
  readonly status?: number;
  readonly bytesIn: number;
  readonly bytesOut: number;
  readonly durationMs: number;
}

/** Upper bounds of the latency histogram, in seconds; one more count follows for what took longer. */
export const LATENCY_BOUNDS: readonly number[] = [
  0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10,
];

/** The sums of one Service and protocol. */
export interface TrafficSums {
  readonly service: string;
  readonly protocol: "tcp" | "http";
  readonly outcomes: Readonly<Partial<Record<TrafficOutcome, number>>>;
  /** How many took up to each of LATENCY_BOUNDS and no less, then how many longer. */
  readonly latencies: readonly number[];
  readonly seconds: number;
}

/** Pure: the sums of several workers as one, by Service. */
export function addSums(all: readonly TrafficSums[]): TrafficSums[] {
  const found = new Map<string, TrafficSums>();
  for (const one of all) {
    const key = `${one.service} ${one.protocol}`;
    const known = found.get(key);
    found.set(key, known ? plus(known, one) : one);
  }
  return [...found.values()].sort((a, b) => (a.service < b.service ? -1 : a.service > b.service ? 1 : 0));
}

function plus(a: TrafficSums, b: TrafficSums): TrafficSums {
  const outcomes: Partial<Record<TrafficOutcome, number>> = { ...a.outcomes };
  for (const [name, count] of Object.entries(b.outcomes) as [TrafficOutcome, number][])
    outcomes[name] = (outcomes[name] ?? 0) + count;
  return {
    ...a,
    outcomes,
    latencies: a.latencies.map((count, index) => count + (b.latencies[index] ?? 0)),
    seconds: a.seconds + b.seconds,
  };
}

/** The bound that `share` (0 … 1) of all stayed below, in milliseconds; Infinity above the last; undefined where there were none. */
export function percentileMs({ latencies }: TrafficSums, share: number): number | undefined {
  const all = latencies.reduce((sum, count) => sum + count, 0);
  if (all === 0) return undefined;
  let seen = 0;
  for (const [index, count] of latencies.entries()) {
    seen += count;
    if (seen >= all * share) return (LATENCY_BOUNDS[index] ?? Number.POSITIVE_INFINITY) * 1000;
  }
  return undefined;
}
