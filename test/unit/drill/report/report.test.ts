import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { readDrill } from "../../../../src/drill/file/read-drill.ts";
import { availabilityOf } from "../../../../src/drill/report/confidence.ts";
import { reportHtml } from "../../../../src/drill/report/html.ts";
import { reportJunit } from "../../../../src/drill/report/junit.ts";
import { buildReport, type Findings, reportJson } from "../../../../src/drill/report/report.ts";
import { reportTable } from "../../../../src/drill/report/table.ts";
import { inMs, inPercent } from "../../../../src/drill/report/words.ts";
import { createRecords } from "../../../../src/drill/traffic/records.ts";
import { summarise } from "../../../../src/drill/traffic/summarise.ts";

describe("availabilityOf", () => {
  test("knows nothing without a request", () => expect(availabilityOf(0, 0)).toBeUndefined());

  test("0 of N failed means at most 3/N", () => {
    const found = availabilityOf(3_000, 0);
    expect(found).toMatchObject({ percent: 100, nines: Number.POSITIVE_INFINITY });
    expect(found?.atLeast).toBeCloseTo(99.9);
    expect(found?.ninesAtLeast).toBeCloseTo(3);
  });

  test.each([
    // One-sided Wilson bounds of 3/3000 and 50/100, by hand.
    [2_997, 3, 99.9, 99.756],
    [50, 50, 50, 41.89],
  ])("%i served, %i failed", (served, failed, percent, atLeast) => {
    const found = availabilityOf(served, failed);
    expect(found?.percent).toBeCloseTo(percent);
    expect(found?.atLeast).toBeCloseTo(atLeast, 1);
  });

  test("the bound lies between nothing and what was measured, and tightens with more requests", () => {
    fc.assert(
      fc.property(fc.nat(10_000), fc.nat(10_000), (served, failed) => {
        const found = availabilityOf(served, failed);
        if (!found) return;
        expect(found.atLeast).toBeGreaterThanOrEqual(0);
        expect(found.atLeast).toBeLessThanOrEqual(found.percent + 1e-9);
        expect(availabilityOf(served * 10, failed * 10)?.atLeast).toBeGreaterThanOrEqual(
          found.atLeast - 1e-9,
        );
      }),
    );
  });
});

describe("words", () => {
  test.each([
    [0.4242, "0.42 ms"],
    [12.3, "12 ms"],
    [0, "0 ms"],
    [1_250, "1.25 s"],
    [Number.POSITIVE_INFINITY, "never"],
  ])("%d ms is %s", (ms, text) => expect(inMs(ms)).toBe(text));

  test.each([
    [100, "100 %"],
    [99.99871, "99.9987 %"],
    [99.9999999, "99.9999999 %"],
    [50, "50 %"],
    [97.3744, "97.37 %"],
  ])("%d is %s", (value, text) => expect(inPercent(value)).toBe(text));
});

const drill = readDrill(
  `apiVersion: kubemu.dev/v1alpha1
kind: Drill
metadata: {name: mine}
spec:
  description: <script>alert(1)</script> & more
  traffic:
    - {name: a, service: web, rate: 10, expect: {failed: 0}}
    - {name: b, service: web, rate: 10}
  expect: {availability: 99, longestOutage: 300ms, p99: 1s, rate: 90, fullReplicas: 1s, noOrphans: true, rolledOut: [deployment/web]}
`,
  "mine.yaml",
);

function resultOf(outcomes: readonly string[]) {
  const records = outcomes.map((text, index) => {
    const made = createRecords("ab"[index] ?? "", 10, 1_000);
    for (const outcome of text) {
      const at = made.begin(made.dueAt(made.sent));
      if (outcome === ".") made.serve(at, made.dueAt(at) + 5);
      else made.fail(at, "HTTP 503");
    }
    return made;
  });
  const endedAt = 1_000 + (outcomes[0]?.length ?? 0) * 100;
  return {
    startedAt: 1_000,
    endedAt,
    total: summarise(records, "all", endedAt),
    streams: records.map((each) => summarise([each], each.name, endedAt)),
  };
}

const findings: Findings = {
  steps: [
    {
      label: "1",
      at: 1_200,
      text: "killed <web-1>",
      victims: 1,
      recovery: { endpointGone: 5, replacementReady: 90, fullReplicas: 90 },
    },
    { label: "2", at: 1_500, text: "killed proxy", victims: 0, recovery: { back: 40 } },
  ],
  timeline: [
    { at: 1_300, what: "pod", text: "web-2 is Ready" },
    { at: 1_200, what: "step", text: "killed <web-1>" },
  ],
  healed: [],
  interrupted: false,
  orphans: [],
  unfinished: [],
};
const about = { drill, cluster: "k", seed: 7 };
const good = buildReport(about, resultOf(["..........", ".........."]), findings);
const bad = buildReport(about, resultOf(["..xxxx....", ".........."]), {
  ...findings,
  steps: [{ label: "1", at: 1_200, text: "killed web-1", victims: 1, recovery: { endpointGone: 5 } }],
  orphans: [42],
  unfinished: ["deployment/web"],
});

describe("buildReport", () => {
  test("passes where everything that is expected has come true, and puts the timeline in order", () => {
    expect(good.judgements.filter(({ met }) => !met)).toEqual([]);
    expect(good.passed).toBe(true);
    expect(good.timeline.map(({ what }) => what)).toEqual(["step", "pod"]);
  });

  test("says of each expectation what came instead", () => {
    expect(bad.passed).toBe(false);
    expect(
      bad.judgements.filter(({ met }) => !met).map(({ what, wanted, got }) => [what, wanted, got]),
    ).toEqual([
      ["availability", "≥ 99 %", "80 %"],
      ["longestOutage", "≤ 300 ms", "400 ms"],
      ["traffic a: failed", "≤ 0", "4"],
      ["fullReplicas", "≤ 1.00 s", "never (step 1)"],
      ["noOrphans", "none", "pids 42"],
      ["rolledOut", "deployment/web", "not finished"],
    ]);
  });

  test("does not pass when it was interrupted or could not go on", () => {
    const result = resultOf(["..........", ".........."]);
    expect(buildReport(about, result, { ...findings, interrupted: true }).passed).toBe(false);
    expect(buildReport(about, result, { ...findings, problem: "step 2: no" }).passed).toBe(false);
  });

  test("is not content with an availability of no requests", () => {
    expect(buildReport(about, resultOf(["", ""]), findings).passed).toBe(false);
  });
});

describe("the report", () => {
  test("as a table has every number that was asked for", () => {
    const text = reportTable(bad);
    expect(text).toContain("drill mine on cluster k, seed 7, 1.0 s");
    expect(text).toMatch(/^a +10 +6 +4 +60 % +400 ms/m);
    expect(text).toContain("  4 × HTTP 503");
    expect(text).toContain("longest outage 400 ms at +0.200 s (4 requests)");
    expect(text).toMatch(/with 95 % confidence at least \d+\.\d+ %/);
    expect(text).toMatch(/^longestOutage +≤ 300 ms +400 ms +FAILED$/m);
    expect(text.trim().split("\n").at(-1)).toBe("FAILED");
  });

  test("says when this machine could not send as fast as it was asked to", () => {
    const slow = buildReport(about, { ...resultOf([".....", "....."]), endedAt: 2_000 }, findings);
    const streams = slow.streams.map((each) => ({ ...each, rateSent: 5 }));
    expect(reportTable({ ...slow, streams })).toContain(
      "a: this machine could not send 10 requests a second; it sent 5.0",
    );
  });

  test("as JSON can be read back", () => {
    expect(JSON.parse(reportJson(bad))).toMatchObject({ drill: "mine", seed: 7, passed: false });
  });

  test("as JUnit has a case for each expectation and a failure for each that was not met", () => {
    const text = reportJunit(bad);
    expect(text).toContain(`tests="${bad.judgements.length + 1}" failures="6"`);
    expect(text.match(/<testcase /g)).toHaveLength(bad.judgements.length + 1);
    expect(text.match(/<failure /g)).toHaveLength(6);
    expect(text).toContain('name="availability ≥ 99 %"');
  });

  test("as a page is self-contained and shows what was in the drill as text", () => {
    const page = reportHtml(good);
    expect(page).not.toMatch(/<script|<link|<img|src=|@import|url\(/);
    expect(page).toContain("&lt;script&gt;alert(1)&lt;/script&gt; &amp; more");
    expect(page).toContain("killed &lt;web-1&gt;");
    expect(page.match(/<circle /g)?.length).toBe(3);
    expect(page).toContain("<polyline");
  });
});
