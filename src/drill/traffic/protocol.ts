// What the drill and the process that sends its traffic say to each other, over IPC. All times are milliseconds since the epoch, with
// decimals.
import type { StreamSummary } from "./summarise.ts";

/** One traffic of the drill with the place it goes to. */
export interface StreamSettings {
  readonly name: string;
  readonly url: string;
  readonly rate: number;
  readonly connections: "new" | "kept";
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly timeout: number;
  readonly status: readonly number[];
}

export type ToTraffic = { readonly start: readonly StreamSettings[] } | { readonly stop: true };

export interface Counts {
  readonly sent: number;
  readonly served: number;
  readonly failed: number;
}

export interface TrafficResult {
  readonly startedAt: number;
  readonly endedAt: number;
  /** All streams taken together; the longest outage is that of one stream. */
  readonly total: StreamSummary;
  readonly streams: readonly StreamSummary[];
}

export type FromTraffic =
  | { readonly startedAt: number }
  | { readonly counts: Counts }
  | { readonly done: TrafficResult };

/** Milliseconds since the epoch, with decimals, the same in every process of this machine. */
export const preciseNow = (): number => performance.timeOrigin + performance.now();
