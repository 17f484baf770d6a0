// The report as one page that needs nothing else: no script, no font, no picture from elsewhere.
import { escaped } from "./junit.ts";
import type { DrillReport, StreamReport } from "./report.ts";
import { timelineSvg } from "./timeline-svg.ts";
import { inCount, inMs, inPercent, since } from "./words.ts";

export function reportHtml(report: DrillReport): string {
  const { drill, description, passed, interrupted, seed, cluster, startedAt, endedAt } = report;
  const verdict = interrupted ? "interrupted" : passed ? "passed" : "failed";
  const began = new Date(startedAt).toISOString().replace("T", " ").slice(0, 19);
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escaped(drill)}: ${verdict}</title>
<style>${STYLE}</style>
<main>
<h1>${escaped(drill)} <span class="verdict ${verdict}">${verdict}</span></h1>
<p>${escaped(description)}</p>
<p class="quiet">cluster ${escaped(cluster)}, seed ${seed}, began ${began} UTC, ${((endedAt - startedAt) / 1_000).toFixed(1)} s</p>
${report.problem ? `<p class="bad">${escaped(report.problem)}</p>` : ""}
${report.healed.map((each) => `<p class="quiet">in the end: ${escaped(each)}</p>`).join("\n")}
${expectedTable(report)}
<h2>Timeline</h2>
${timelineSvg(report)}
${report.total ? trafficPart(report) : ""}
${stepTable(report)}
<details><summary>Everything that happened</summary>${eventTable(report)}</details>
</main>
</html>
`;
}

const STYLE = `
:root{color-scheme:light dark;--ink:#1b1f24;--soft:#656d76;--line:#d0d7de;--paper:#fff;--good:#1a7f37;--bad:#cf222e;--mark:#8250df;--serve:#0969da}
@media(prefers-color-scheme:dark){:root{--ink:#e6edf3;--soft:#8d96a0;--line:#30363d;--paper:#0d1117;--good:#3fb950;--bad:#f85149;--mark:#a371f7;--serve:#4493f8}}
body{margin:0;background:var(--paper);color:var(--ink);font:15px/1.5 system-ui,sans-serif}
main{max-width:1100px;margin:0 auto;padding:24px}
h1{font-size:24px}h2{font-size:18px;margin-top:32px}
table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums}
th,td{text-align:left;padding:4px 12px 4px 0;border-bottom:1px solid var(--line);vertical-align:top}
th{color:var(--soft);font-weight:500}
.quiet{color:var(--soft)}.good,.passed{color:var(--good)}.bad,.failed{color:var(--bad)}.interrupted{color:var(--mark)}
.verdict{font-size:16px;border:1px solid;border-radius:12px;padding:2px 10px}
svg{width:100%;height:auto;display:block}svg text{font:11px system-ui,sans-serif;fill:var(--soft)}
details{margin-top:24px}summary{cursor:pointer}
.scroll{overflow-x:auto}`;

const table = (header: readonly string[], rows: readonly (readonly string[])[]): string =>
  `<div class="scroll"><table><thead><tr>${header.map((cell) => `<th>${escaped(cell)}</th>`).join("")}</tr></thead>
<tbody>${rows.map((row) => `<tr>${row.map((cell) => `<td>${cell}</td>`).join("")}</tr>`).join("\n")}</tbody></table></div>`;

function expectedTable({ judgements }: DrillReport): string {
  if (judgements.length === 0) return "";
  const rows = judgements.map(({ what, wanted, got, met }) => [
    escaped(what),
    escaped(wanted),
    escaped(got),
    met ? '<span class="good">ok</span>' : '<span class="bad">failed</span>',
  ]);
  return `<h2>Expected</h2>${table(["", "wanted", "got", ""], rows)}`;
}

function trafficPart({ streams, total, startedAt }: DrillReport): string {
  const header = [
    "",
    "sent",
    "served",
    "failed",
    "availability",
    "p50",
    "p99",
    "p99.9",
    "slowest",
    "rate sent",
  ];
  const all = total && streams.length > 1 ? [...streams, total] : streams;
  const causes = Object.entries(total?.causes ?? {}).map(([cause, count]) => [
    inCount(count),
    escaped(cause),
  ]);
  const outage = total?.longestOutage;
  return `<h2>Traffic</h2>${table(header, all.map(streamRow))}
${total?.availability ? `<p>With 95 % confidence the availability is at least <b>${inPercent(total.availability.atLeast)}</b> (${total.availability.ninesAtLeast.toFixed(1)} nines).</p>` : ""}
${outage ? `<p>Longest outage: <b>${inMs(outage.ms)}</b> at ${since(outage.at, startedAt)}, ${outage.failed} requests.</p>` : ""}
${causes.length > 0 ? table(["failed", "because"], causes) : ""}`;
}

function streamRow({ name, sent, served, failed, availability, latency, rateSent, rateAsked }: StreamReport) {
  return [
    escaped(name),
    inCount(sent),
    inCount(served),
    failed > 0 ? `<span class="bad">${inCount(failed)}</span>` : "0",
    availability ? inPercent(availability.percent) : "-",
    inMs(latency.p50),
    inMs(latency.p99),
    inMs(latency.p999),
    inMs(latency.max),
    `${rateSent.toFixed(1)} of ${rateAsked}/s`,
  ];
}

function stepTable({ steps, startedAt }: DrillReport): string {
  if (steps.length === 0) return "";
  const took = (value: number | undefined) => (value === undefined ? "" : inMs(value));
  const rows = steps.map(({ at, name, text, recovery }) => [
    since(at, startedAt),
    escaped(name ? `${name}: ${text}` : text),
    took(recovery?.endpointGone),
    took(recovery?.replacementReady),
    took(recovery?.fullReplicas),
    took(recovery?.back ?? recovery?.rolledOut),
  ]);
  const header = ["at", "step", "endpoint gone", "replaced", "full replicas", "done"];
  return `<h2>Steps</h2>${table(header, rows)}`;
}

function eventTable({ timeline, startedAt }: DrillReport): string {
  return table(
    ["at", "", ""],
    timeline.map(({ at, what, text }) => [since(at, startedAt), what, escaped(text)]),
  );
}
