// Counts what the proxy has handled, and tells those who follow of each connection and request as it ends. With nobody following, an
// end costs a few additions and no record is made.
import {
  LATENCY_BOUNDS,
  type TrafficOutcome,
  type TrafficRecord,
  type TrafficSums,
} from "../../src/api/traffic.ts";

export interface TrafficEnd {
  readonly service: string;
  readonly protocol: "tcp" | "http";
  readonly outcome: TrafficOutcome;
  readonly durationMs: number;
  /** The rest of the record; made only when somebody follows. */
  details(): Omit<TrafficRecord, "time" | "service" | "protocol" | "outcome" | "durationMs">;
}

export interface Traffic {
  ended(end: TrafficEnd): void;
  sums(): TrafficSums[];
  /** Returns the way to stop following. */
  follow(listener: (record: TrafficRecord) => void): () => void;
}

interface Counts {
  readonly service: string;
  readonly protocol: "tcp" | "http";
  readonly outcomes: Partial<Record<TrafficOutcome, number>>;
  readonly latencies: number[];
  seconds: number;
}

export function createTraffic(now: () => number): Traffic {
  const counts = { tcp: new Map<string, Counts>(), http: new Map<string, Counts>() };
  const followers = new Set<(record: TrafficRecord) => void>();
  const countsOf = (service: string, protocol: "tcp" | "http") => {
    const known = counts[protocol].get(service);
    if (known) return known;
    const made = { service, protocol, outcomes: {}, latencies: [...LATENCY_BOUNDS, 0].fill(0), seconds: 0 };
    counts[protocol].set(service, made);
    return made;
  };
  return {
    ended({ service, protocol, outcome, durationMs, details }) {
      const sums: Counts = countsOf(service, protocol);
      sums.outcomes[outcome] = (sums.outcomes[outcome] ?? 0) + 1;
      const seconds = durationMs / 1000;
      sums.seconds += seconds;
      let bucket = 0;
      while (bucket < LATENCY_BOUNDS.length && seconds > (LATENCY_BOUNDS[bucket] as number)) bucket++;
      sums.latencies[bucket] = (sums.latencies[bucket] ?? 0) + 1;
      if (followers.size === 0) return;
      const time = new Date(now()).toISOString();
      const rounded = Math.round(durationMs * 100) / 100;
      const record = { time, service, protocol, outcome, ...details(), durationMs: rounded };
      for (const tell of followers) tell(record);
    },
    sums: () => [...counts.tcp.values(), ...counts.http.values()],
    follow(listener) {
      followers.add(listener);
      return () => followers.delete(listener);
    },
  };
}

/** Pure: the sums in the text format of Prometheus. */
export function prometheusText(all: readonly TrafficSums[]): string {
  const labelsOf = ({ service, protocol }: TrafficSums) => {
    const [namespace, name] = service.split("/");
    return `namespace="${namespace}",service="${name}",protocol="${protocol}"`;
  };
  const totals = all.flatMap((sums) =>
    Object.entries(sums.outcomes).map(
      ([outcome, count]) => `kubemu_proxy_handled_total{${labelsOf(sums)},outcome="${outcome}"} ${count}`,
    ),
  );
  const latencies = all.flatMap((sums) => {
    let seen = 0;
    const buckets = sums.latencies.map((count, index) => {
      seen += count;
      return `kubemu_proxy_duration_seconds_bucket{${labelsOf(sums)},le="${LATENCY_BOUNDS[index] ?? "+Inf"}"} ${seen}`;
    });
    return [
      ...buckets,
      `kubemu_proxy_duration_seconds_sum{${labelsOf(sums)}} ${sums.seconds}`,
      `kubemu_proxy_duration_seconds_count{${labelsOf(sums)}} ${seen}`,
    ];
  });
  return [
    "# HELP kubemu_proxy_handled_total Connections (protocol tcp) and requests (protocol http) that have ended.",
    "# TYPE kubemu_proxy_handled_total counter",
    ...totals,
    "# HELP kubemu_proxy_duration_seconds How long they took.",
    "# TYPE kubemu_proxy_duration_seconds histogram",
    ...latencies,
    "",
  ].join("\n");
}
