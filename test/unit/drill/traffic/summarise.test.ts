import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createRecords } from "../../../../src/drill/traffic/records.ts";
import { outagesOf, percentile, summarise } from "../../../../src/drill/traffic/summarise.ts";

/** `.` served, `x` failed, `r` refused, `?` never answered; ten requests a second, each answered 5 ms after it was due. */
function recordsOf(outcomes: string, name = "web") {
  const records = createRecords(name, 10, 1_000);
  for (const outcome of outcomes) {
    const index = records.begin(records.dueAt(records.sent) + 1);
    if (outcome === ".") records.serve(index, records.dueAt(index) + 5, "web-1");
    if (outcome === "x") records.fail(index, "HTTP 503");
    if (outcome === "r") records.fail(index, "connect: ECONNREFUSED", { refused: true });
  }
  return records;
}

describe("outagesOf", () => {
  test.each([
    ["....", []],
    [".x..", [[1_100, 100, 1]]],
    [
      ".xr..x",
      [
        [1_100, 200, 2],
        [1_500, 100, 1],
      ],
    ],
    ["x?x.", [[1_000, 300, 2]]],
  ])("%s", (outcomes, expected) => {
    const found = outagesOf(recordsOf(outcomes), 1_000 + outcomes.length * 100);
    expect(found.map(({ at, ms, failed }) => [at, ms, failed])).toEqual(expected);
  });

  test("last at least as long as the failures in them were due, and hold all of them", () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[.xr?]{0,60}$/), (outcomes) => {
        const outages = outagesOf(recordsOf(outcomes), 1_000 + outcomes.length * 100);
        const failed = [...outcomes].filter((each) => each === "x" || each === "r").length;
        expect(outages.reduce((all, each) => all + each.failed, 0)).toBe(failed);
        for (const each of outages) expect(each.ms).toBeGreaterThanOrEqual(each.failed * 100 - 1e-6);
      }),
    );
  });
});

describe("summarise", () => {
  test("adds streams up, and takes the longest outage of one of them", () => {
    const summary = summarise([recordsOf("..x.", "a"), recordsOf(".rr.", "b")], "all", 1_400);
    expect(summary).toMatchObject({
      sent: 8,
      served: 5,
      failed: 3,
      refused: 2,
      causes: { "HTTP 503": 1, "connect: ECONNREFUSED": 2 },
      rateAsked: 20,
      longestOutage: { at: 1_100, failed: 2 },
      pods: { "web-1": { served: 5, lastSentAt: 1_300 } },
    });
    expect(summary.longestOutage?.ms).toBeCloseTo(200);
    expect(summary.rateSent).toBeCloseTo(20);
    expect(summary.worstLag).toBeCloseTo(1);
    expect(summary.latency.p50).toBeCloseTo(5);
    expect(summary.failures.map(({ stream }) => stream)).toEqual(["b", "a", "b"]);
  });

  test("puts each request into the slice of time in which it was due", () => {
    const { buckets, bucketMs } = summarise([recordsOf("..xx......")], "all", 2_000);
    expect(bucketMs).toBe(100);
    expect(buckets.map(({ sent }) => sent)).toEqual(Array(10).fill(1));
    expect(buckets.map(({ failed }) => failed)).toEqual([0, 0, 1, 1, 0, 0, 0, 0, 0, 0]);
  });

  test("keeps count beyond its first size", () => {
    const records = recordsOf(".".repeat(10_000));
    expect([records.sent, records.served, records.latencyOf(9_999)]).toEqual([10_000, 10_000, 5]);
  });
});

describe("percentile", () => {
  test("is the nearest rank", () => {
    const hundred = Array.from({ length: 100 }, (_, index) => index + 1);
    expect([50, 90, 99, 99.9, 100].map((percent) => percentile(hundred, percent))).toEqual([
      50, 90, 99, 100, 100,
    ]);
    expect(percentile([], 50)).toBe(0);
    expect(percentile([7], 1)).toBe(7);
  });
});
