import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parseSchedule, zoneExists, zoneOffset } from "../../../src/base/cron-schedule.ts";

const NEW_YORK = "America/New_York";

/** The next `count` times after `from`. */
function times(schedule: string, from: string, { zone = "UTC", count = 3 } = {}): string[] {
  const { next } = parseSchedule(schedule, zone);
  const found: string[] = [];
  for (let at: number | undefined = Date.parse(from); found.length < count; ) {
    at = next(at);
    if (at === undefined) break;
    found.push(new Date(at).toISOString().replace(":00.000Z", "Z"));
  }
  return found;
}

describe("a schedule", () => {
  test.each([
    ["*/20 * * * *", "2026-01-01T10:05:30Z", ["2026-01-01T10:20Z", "2026-01-01T10:40Z", "2026-01-01T11:00Z"]],
    [
      "0 9-17/4 * * MON-fri",
      "2026-01-02T14:00:00Z",
      ["2026-01-02T17:00Z", "2026-01-05T09:00Z", "2026-01-05T13:00Z"],
    ],
    ["5/30 4 * * *", "2026-01-01T00:00:00Z", ["2026-01-01T04:05Z", "2026-01-01T04:35Z", "2026-01-02T04:05Z"]],
    // Where both are restricted either day will do.
    ["0 0 13 * 5", "2026-01-01T00:00:00Z", ["2026-01-02T00:00Z", "2026-01-09T00:00Z", "2026-01-13T00:00Z"]],
    ["0 0 29 2 ?", "2026-01-01T00:00:00Z", ["2028-02-29T00:00Z", "2032-02-29T00:00Z", "2036-02-29T00:00Z"]],
    ["0 0 30 2 *", "2026-01-01T00:00:00Z", []],
    ["@weekly", "2026-01-01T00:00:00Z", ["2026-01-04T00:00Z", "2026-01-11T00:00Z", "2026-01-18T00:00Z"]],
    ["@every 1h30m", "2026-01-01T00:00:00Z", ["2026-01-01T01:30Z", "2026-01-01T03:00Z", "2026-01-01T04:30Z"]],
  ])("%s", (schedule, from, expected) => {
    expect(times(schedule, from)).toEqual(expected);
  });

  test.each([
    ["", "empty spec string"],
    ["* * * *", "expected exactly 5 fields, found 4: [* * * *]"],
    ["60 * * * *", "end of range (60) above maximum (59): 60"],
    ["* * 0 * *", "beginning of range (0) below minimum (1): 0"],
    ["* * * * 7", "end of range (7) above maximum (6): 7"],
    ["a * * * *", 'failed to parse int from a: strconv.Atoi: parsing "a": invalid syntax'],
    ["*/0 * * * *", "step of range should be a positive number: */0"],
    ["5-1 * * * *", "beginning of range (5) beyond end of range (1): 5-1"],
    ["1-2-3 * * * *", "too many hyphens: 1-2-3"],
    ["1/2/3 * * * *", "too many slashes: 1/2/3"],
    ["@noon", "unrecognized descriptor: @noon"],
    ["@every soon", 'failed to parse duration @every soon: time: invalid duration "soon"'],
  ])("%j is refused", (schedule, why) => {
    expect(() => parseSchedule(schedule)).toThrow(why);
  });
});

describe("when clocks change", () => {
  test("a time of day that is skipped does not run that day", () => {
    expect(times("30 2 * * *", "2026-03-07T12:00:00Z", { zone: NEW_YORK, count: 2 })).toEqual([
      "2026-03-09T06:30Z",
      "2026-03-10T06:30Z",
    ]);
    expect(times("0 3 * * *", "2026-03-07T12:00:00Z", { zone: NEW_YORK, count: 1 })).toEqual([
      "2026-03-08T07:00Z",
    ]);
  });

  test("a time of day that comes twice runs twice", () => {
    expect(times("30 1 * * *", "2026-10-31T12:00:00Z", { zone: NEW_YORK })).toEqual([
      "2026-11-01T05:30Z",
      "2026-11-01T06:30Z",
      "2026-11-02T06:30Z",
    ]);
  });

  test("what runs every half hour goes on doing so", () => {
    expect(times("*/30 * * * *", "2026-11-01T04:45:00Z", { zone: NEW_YORK, count: 5 })).toEqual([
      "2026-11-01T05:00Z",
      "2026-11-01T05:30Z",
      "2026-11-01T06:00Z",
      "2026-11-01T06:30Z",
      "2026-11-01T07:00Z",
    ]);
  });

  test("zones that are no whole hours ahead have their own midnight", () => {
    expect(times("0 0 * * *", "2026-01-01T00:00:00Z", { zone: "Asia/Kolkata", count: 1 })).toEqual([
      "2026-01-01T18:30Z",
    ]);
  });

  test("every time that is found is one of the schedule, and none between is left out", () => {
    const zones = fc.constantFrom(NEW_YORK, "Europe/Berlin", "Australia/Lord_Howe", "Asia/Kolkata", "UTC");
    const start = Date.UTC(2026, 0, 1);
    fc.assert(
      fc.property(zones, fc.nat(365 * 24 * 60), fc.nat(23), fc.nat(59), (zone, minutes, hour, minute) => {
        const { next } = parseSchedule(`${minute} ${hour} * * *`, zone);
        const offsetAt = zoneOffset(zone);
        const isDue = (ms: number) => {
          const wall = new Date(ms + offsetAt(ms));
          return wall.getUTCHours() === hour && wall.getUTCMinutes() === minute;
        };
        const from = start + minutes * 60_000;
        let expected = from + 60_000;
        while (!isDue(expected)) expected += 60_000;
        expect(next(from)).toBe(expected);
      }),
      { numRuns: 60 },
    );
  });
});

test("zones are those of the tz database", () => {
  expect(["UTC", "Etc/UTC", NEW_YORK, "Europe/Berlin"].every(zoneExists)).toBe(true);
  expect(["Mars/Olympus", "+05:00", ""].some(zoneExists)).toBe(false);
});
