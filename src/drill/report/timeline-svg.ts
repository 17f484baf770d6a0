// The timeline as SVG: requests and failures over time, the slowest answers, and below them what happened to pods, endpoints and nodes, all on
// one axis. Pure.
import { escaped } from "./junit.ts";
import type { DrillReport } from "./report.ts";
import { inMs, since } from "./words.ts";

const WIDTH = 1_060;
const LEFT = 70;
const RIGHT = 10;
const BAND = 70;
const GAP = 22;
const LANES = ["step", "endpoint", "pod", "node"] as const;
const LANE_HEIGHT = 20;

interface Scale {
  x(at: number): number;
}

export function timelineSvg(report: DrillReport): string {
  const { startedAt, endedAt, total } = report;
  const from = Math.min(startedAt, ...report.steps.map(({ at }) => at));
  const until = Math.max(endedAt, from + 1, ...report.steps.map(({ at }) => at));
  const scale: Scale = { x: (at) => LEFT + ((at - from) / (until - from)) * (WIDTH - LEFT - RIGHT) };
  let top = 18;
  const parts: string[] = [];
  if (total) {
    parts.push(requestBand(report, scale, top));
    top += BAND + GAP;
    parts.push(latencyBand(report, scale, top));
    top += BAND + GAP;
  }
  for (const [index, lane] of LANES.entries())
    parts.push(eventLane(report, { scale, lane, y: top + index * LANE_HEIGHT, from, until }));
  const bottom = top + LANES.length * LANE_HEIGHT;
  const marks = report.steps.map(
    ({ at, text }) =>
      `<line x1="${n(scale.x(at))}" x2="${n(scale.x(at))}" y1="10" y2="${bottom}" stroke="var(--mark)" stroke-dasharray="2 3"><title>${escaped(`${since(at, startedAt)} ${text}`)}</title></line>`,
  );
  return `<svg viewBox="0 0 ${WIDTH} ${bottom + 24}" role="img" aria-label="timeline">
${parts.join("\n")}
${marks.join("\n")}
${axis(scale, { from, until, y: bottom + 14 })}
</svg>`;
}

const n = (value: number): string => String(Math.round(value * 10) / 10);

function requestBand({ total }: DrillReport, { x }: Scale, top: number): string {
  const { buckets = [], bucketMs = 1 } = total ?? {};
  const most = Math.max(1, ...buckets.map(({ sent }) => sent));
  const bars = buckets.map(({ at, sent, failed }) => {
    const [left, width] = [x(at), Math.max(x(at + bucketMs) - x(at), 0.5)];
    const [all, bad] = [(sent / most) * BAND, Math.max((failed / most) * BAND, failed > 0 ? 2 : 0)];
    const bar = (height: number, colour: string) =>
      `<rect x="${n(left)}" y="${n(top + BAND - height)}" width="${n(width)}" height="${n(height)}" fill="var(--${colour})"/>`;
    return `${bar(all, "serve")}${failed > 0 ? bar(bad, "bad") : ""}`;
  });
  const perSecond = Math.round((most * 1_000) / bucketMs);
  return `<text x="0" y="${top + 10}">requests</text><text x="0" y="${top + 24}">${perSecond}/s</text>${bars.join("")}`;
}

function latencyBand({ total }: DrillReport, { x }: Scale, top: number): string {
  const { buckets = [], bucketMs = 1 } = total ?? {};
  const most = Math.max(1, ...buckets.map(({ slowest }) => slowest));
  const points = buckets.map(
    ({ at, slowest }) => `${n(x(at + bucketMs / 2))},${n(top + BAND - (slowest / most) * BAND)}`,
  );
  return `<text x="0" y="${top + 10}">slowest</text><text x="0" y="${top + 24}">${inMs(most)}</text>
<polyline points="${points.join(" ")}" fill="none" stroke="var(--serve)" stroke-width="1.2"/>`;
}

function eventLane(
  { timeline, startedAt, steps }: DrillReport,
  { scale, lane, y, from, until }: { scale: Scale; lane: string; y: number; from: number; until: number },
): string {
  const entries = lane === "step" ? steps : timeline.filter(({ what }) => what === lane);
  const dots = entries
    .filter(({ at }) => at >= from && at <= until)
    .map(({ at, text }) => {
      const isLoss = /killed|gone|not Ready|ending|nothing|paused|partitioned|stopped/.test(text);
      const colour = lane === "step" ? "mark" : isLoss ? "bad" : "good";
      return `<circle cx="${n(scale.x(at))}" cy="${y + 8}" r="3.5" fill="var(--${colour})"><title>${escaped(`${since(at, startedAt)} ${text}`)}</title></circle>`;
    });
  return `<text x="0" y="${y + 12}">${lane}s</text><line x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${y + 8}" y2="${y + 8}" stroke="var(--line)"/>${dots.join("")}`;
}

function axis(scale: Scale, { from, until, y }: { from: number; until: number; y: number }): string {
  const step =
    [0.5, 1, 2, 5, 10, 30, 60, 300, 600, 3_600].find((each) => (until - from) / 1_000 / each <= 12) ?? 7_200;
  const ticks: string[] = [];
  for (let seconds = 0; seconds * 1_000 <= until - from; seconds += step)
    ticks.push(
      `<text x="${n(scale.x(from + seconds * 1_000))}" y="${y}" text-anchor="middle">${seconds} s</text>`,
    );
  return ticks.join("");
}
