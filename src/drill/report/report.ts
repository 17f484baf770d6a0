// What a drill has to say in the end, as data. The table, the JSON, the JUnit XML and the page are made of it.
import type { Drill } from "../drill.ts";
import type { TimelineEntry } from "../observe/observe.ts";
import type { Recovery } from "../observe/recovery.ts";
import type { TrafficResult } from "../traffic/protocol.ts";
import type { StreamSummary } from "../traffic/summarise.ts";
import { type Availability, availabilityOf } from "./confidence.ts";
import { type Judgement, judge } from "./judge.ts";

/** A step as it was done. All times are milliseconds since the epoch. */
export interface StepDone {
  /** Where it stands in the file: `2`, `3.1 (2 of 5)`. */
  readonly label: string;
  readonly name?: string;
  readonly at: number;
  readonly text: string;
  /** How many pods it hit. */
  readonly victims: number;
  /** Milliseconds after the fault. */
  readonly recovery?: Recovery;
}

export interface StreamReport extends StreamSummary {
  readonly availability?: Availability;
}

export interface DrillReport {
  readonly drill: string;
  readonly description: string;
  readonly cluster: string;
  readonly seed: number;
  readonly startedAt: number;
  readonly endedAt: number;
  readonly total?: StreamReport;
  readonly streams: readonly StreamReport[];
  readonly steps: readonly StepDone[];
  readonly timeline: readonly TimelineEntry[];
  readonly judgements: readonly Judgement[];
  /** What was still broken in the end and has been taken back. */
  readonly healed: readonly string[];
  /** Ctrl-C. */
  readonly interrupted: boolean;
  /** Why the steps ended early. */
  readonly problem?: string;
  readonly passed: boolean;
}

export interface Findings {
  readonly steps: readonly StepDone[];
  readonly timeline: readonly TimelineEntry[];
  readonly healed: readonly string[];
  readonly interrupted: boolean;
  readonly problem?: string;
  readonly orphans: readonly number[];
  /** Workloads that the drill expects to be rolled out, and are not. */
  readonly unfinished: readonly string[];
}

export function buildReport(
  { drill, cluster, seed }: { readonly drill: Drill; readonly cluster: string; readonly seed: number },
  traffic: TrafficResult,
  findings: Findings,
): DrillReport {
  const { steps, timeline, healed, interrupted, problem, orphans, unfinished } = findings;
  const judgements = judge(drill, traffic, { steps, orphans, unfinished });
  return {
    drill: drill.name,
    description: drill.description,
    cluster,
    seed,
    startedAt: traffic.startedAt,
    endedAt: traffic.endedAt,
    ...(drill.traffic.length > 0 ? { total: withAvailability(traffic.total) } : {}),
    streams: traffic.streams.map(withAvailability),
    steps,
    timeline: [...timeline].sort((a, b) => a.at - b.at),
    judgements,
    healed,
    interrupted,
    ...(problem === undefined ? {} : { problem }),
    passed: problem === undefined && !interrupted && judgements.every(({ met }) => met),
  };
}

/** Infinity, which JSON cannot write, is `null`: so many nines have nothing failed. */
export const reportJson = (report: DrillReport): string => `${JSON.stringify(report, null, 2)}\n`;

function withAvailability(summary: StreamSummary): StreamReport {
  const availability = availabilityOf(summary.served, summary.failed);
  return availability ? { ...summary, availability } : summary;
}
