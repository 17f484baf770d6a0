import { expect, test } from "vitest";
import { createLineLog } from "../../../src/base/line-log.ts";

function record(least?: "debug" | "info" | "warn" | "error") {
  const lines: string[] = [];
  const write = (line: string) => void lines.push(line);
  const log = createLineLog({ part: "test" }, least ? { least, write } : { write });
  return { log, lines, entries: () => lines.map((line) => JSON.parse(line) as Record<string, unknown>) };
}

test("writes one JSON object a line, with the time, the level and all fields", () => {
  const { log, lines, entries } = record();
  log.child({ node: "node-1" }).warn({ pid: 7 }, "a program\nended");
  expect(lines).toHaveLength(1);
  expect(lines[0]).toMatch(/^[^\n]+\n$/);
  expect(entries()[0]).toMatchObject({
    level: "warn",
    part: "test",
    node: "node-1",
    pid: 7,
    message: "a program\nended",
  });
  expect(Number.isNaN(Date.parse(String(entries()[0]?.["time"])))).toBe(false);
});

test("drops what is below the least level, in children too", () => {
  const { log, entries } = record("warn");
  log.debug({}, "a");
  log.child({}).info({}, "b");
  log.warn({}, "c");
  log.error({}, "d");
  expect(entries().map(({ message }) => message)).toEqual(["c", "d"]);
});

test("says nothing of debug unless asked", () => {
  const usual = record();
  usual.log.debug({}, "quiet");
  expect(usual.lines).toEqual([]);
  const all = record("debug");
  all.log.debug({}, "heard");
  expect(all.lines).toHaveLength(1);
});

test("never throws, whatever a field holds", () => {
  const { log, entries } = record();
  const round: Record<string, unknown> = {};
  round["self"] = round;
  log.info({ round }, "circular");
  log.info({ big: 2n ** 70n }, "bigint");
  log.info({ error: new Error("it broke") }, "error");
  expect(entries().map(({ message }) => message)).toEqual(["circular", "bigint", "error"]);
  expect(entries()[1]).toMatchObject({ big: String(2n ** 70n) });
  expect(entries()[2]?.["error"]).toContain("it broke");
});
