// The report as text for a terminal.
import type { Recovery } from "../observe/recovery.ts";
import type { DrillReport, StreamReport } from "./report.ts";
import { inCount, inMs, inPercent, since } from "./words.ts";

export function reportTable(report: DrillReport): string {
  return [
    headLines(report),
    report.total ? trafficLines(report) : [],
    stepLines(report),
    judgementLines(report),
    endLines(report),
  ]
    .filter((lines) => lines.length > 0)
    .map((lines) => `${lines.join("\n")}\n`)
    .join("\n");
}

function headLines({ drill, seed, cluster, startedAt, endedAt }: DrillReport): string[] {
  return [
    `drill ${drill} on cluster ${cluster}, seed ${seed}, ${((endedAt - startedAt) / 1_000).toFixed(1)} s`,
  ];
}

function trafficLines({ total, streams, startedAt }: DrillReport): string[] {
  const rows = [
    ["TRAFFIC", "SENT", "SERVED", "FAILED", "AVAILABILITY", "OUTAGE", "P50", "P99", "MAX", "RATE"],
    ...streams.map(streamRow),
    ...(streams.length > 1 && total ? [streamRow(total)] : []),
  ];
  const lines = columns(rows);
  if (!total) return lines;
  for (const [cause, count] of Object.entries(total.causes)) lines.push(`  ${inCount(count)} × ${cause}`);
  const { longestOutage, availability } = total;
  if (longestOutage)
    lines.push(
      `longest outage ${inMs(longestOutage.ms)} at ${since(longestOutage.at, startedAt)} (${longestOutage.failed} requests)`,
    );
  if (availability)
    lines.push(
      `availability ${inPercent(availability.percent)}; with 95 % confidence at least ${inPercent(availability.atLeast)} (${availability.ninesAtLeast.toFixed(1)} nines)`,
    );
  for (const { name, rateAsked, rateSent, worstLag } of streams)
    if (rateSent < rateAsked * 0.98)
      lines.push(
        `${name}: this machine could not send ${rateAsked} requests a second; it sent ${rateSent.toFixed(1)} (up to ${inMs(worstLag)} late)`,
      );
  return lines;
}

function streamRow(stream: StreamReport): string[] {
  const { name, sent, served, failed, availability, longestOutage, latency, rateSent } = stream;
  return [
    name,
    inCount(sent),
    inCount(served),
    inCount(failed),
    availability ? inPercent(availability.percent) : "-",
    longestOutage ? inMs(longestOutage.ms) : "0",
    inMs(latency.p50),
    inMs(latency.p99),
    inMs(latency.max),
    `${rateSent.toFixed(1)}/s`,
  ];
}

function stepLines({ steps, startedAt }: DrillReport): string[] {
  if (steps.length === 0) return [];
  const header = ["AT", "STEP", "ENDPOINT GONE", "REPLACED", "FULL", "DONE"];
  const took = (recovery: Recovery | undefined, what: keyof Recovery) =>
    recovery?.[what] === undefined ? "-" : inMs(recovery[what]);
  return columns([
    header,
    ...steps.map(({ at, name, text, recovery }) => [
      since(at, startedAt),
      name ? `${name}: ${text}` : text,
      took(recovery, "endpointGone"),
      took(recovery, "replacementReady"),
      took(recovery, "fullReplicas"),
      took(recovery, recovery?.back === undefined ? "rolledOut" : "back"),
    ]),
  ]);
}

function judgementLines({ judgements }: DrillReport): string[] {
  if (judgements.length === 0) return [];
  return columns([
    ["EXPECTED", "", "GOT", ""],
    ...judgements.map(({ what, wanted, got, met }) => [what, wanted, got, met ? "ok" : "FAILED"]),
  ]);
}

function endLines({ healed, interrupted, problem, passed }: DrillReport): string[] {
  return [
    ...healed.map((each) => `in the end: ${each}`),
    ...(problem === undefined ? [] : [problem]),
    interrupted ? "interrupted: this is the report of what ran" : passed ? "passed" : "FAILED",
  ];
}

function columns(rows: readonly (readonly string[])[]): string[] {
  const widths = rows[0]?.map((_, index) => Math.max(...rows.map((row) => row[index]?.length ?? 0))) ?? [];
  return rows.map((row) =>
    row
      .map((cell, index) => (index === row.length - 1 ? cell : cell.padEnd((widths[index] ?? 0) + 3)))
      .join("")
      .trimEnd(),
  );
}
