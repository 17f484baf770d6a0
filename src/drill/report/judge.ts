// Whether what a drill expects has come true. Pure.
import type { Drill, TrafficExpect } from "../drill.ts";
import type { TrafficResult } from "../traffic/protocol.ts";
import type { StreamSummary } from "../traffic/summarise.ts";
import { availabilityOf } from "./confidence.ts";
import type { StepDone } from "./report.ts";
import { inMs, inPercent } from "./words.ts";

export interface Judgement {
  /** `expect.availability`, `traffic web: expect.p99` */
  readonly what: string;
  readonly wanted: string;
  readonly got: string;
  readonly met: boolean;
}

export function judge(
  { expect, traffic }: Drill,
  result: TrafficResult,
  ends: {
    readonly steps: readonly StepDone[];
    readonly orphans: readonly number[];
    readonly unfinished: readonly string[];
  },
): Judgement[] {
  const judgements = [
    ...ofTraffic("", expect, result.total),
    ...traffic.flatMap(({ name, expect: own }, index) => {
      const summary = result.streams[index];
      return summary ? ofTraffic(`traffic ${name}: `, own, summary) : [];
    }),
  ];
  for (const what of ["endpointGone", "replacementReady", "fullReplicas"] as const) {
    const most = expect[what];
    if (most !== undefined) judgements.push(slowest(ends.steps, what, most));
  }
  const { orphans, unfinished } = ends;
  if (expect.noOrphans)
    judgements.push({
      what: "noOrphans",
      wanted: "none",
      got: orphans.length === 0 ? "none" : `pids ${orphans.join(", ")}`,
      met: orphans.length === 0,
    });
  for (const workload of expect.rolledOut ?? []) {
    const met = !unfinished.includes(workload);
    judgements.push({ what: "rolledOut", wanted: workload, got: met ? "finished" : "not finished", met });
  }
  return judgements;
}

function ofTraffic(prefix: string, expect: TrafficExpect, summary: StreamSummary): Judgement[] {
  const { served, failed, refused, latency, longestOutage, rateSent, rateAsked, sent } = summary;
  const atMost = (what: keyof TrafficExpect, got: number, show: (value: number) => string) => {
    const most = expect[what];
    if (most === undefined) return [];
    return [{ what: `${prefix}${what}`, wanted: `≤ ${show(most)}`, got: show(got), met: got <= most }];
  };
  const atLeast = (what: keyof TrafficExpect, got: number) => {
    const least = expect[what];
    if (least === undefined) return [];
    return [
      { what: `${prefix}${what}`, wanted: `≥ ${inPercent(least)}`, got: inPercent(got), met: got >= least },
    ];
  };
  return [
    // Without a request nothing has been shown.
    ...atLeast("availability", availabilityOf(served, failed)?.percent ?? 0),
    ...atMost("failed", failed, String),
    ...atMost("refused", refused, String),
    ...atMost("longestOutage", longestOutage?.ms ?? 0, inMs),
    ...atMost("p50", sent === 0 ? Number.POSITIVE_INFINITY : latency.p50, inMs),
    ...atMost("p99", sent === 0 ? Number.POSITIVE_INFINITY : latency.p99, inMs),
    ...atMost("p999", sent === 0 ? Number.POSITIVE_INFINITY : latency.p999, inMs),
    ...atLeast("rate", rateAsked === 0 ? 0 : Math.min((rateSent / rateAsked) * 100, 100)),
  ];
}

/** Of every fault that had victims; one that has not been recovered from at all is never quick enough. */
function slowest(
  steps: readonly StepDone[],
  what: "endpointGone" | "replacementReady" | "fullReplicas",
  most: number,
): Judgement {
  const faults = steps.flatMap(({ label, victims, recovery }) =>
    recovery && victims > 0
      ? [{ label, took: recovery[what] ?? (what === "fullReplicas" ? Number.POSITIVE_INFINITY : 0) }]
      : [],
  );
  const worst = faults.reduce((a, b) => (b.took > a.took ? b : a), { label: "", took: 0 });
  const got = Number.isFinite(worst.took) ? inMs(worst.took) : "never";
  return {
    what,
    wanted: `≤ ${inMs(most)}`,
    got: worst.label ? `${got} (step ${worst.label})` : got,
    met: worst.took <= most,
  };
}
