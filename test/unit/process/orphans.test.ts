import { spawn } from "node:child_process";
import { mkdtempSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { findOrphans, isBelow } from "../../../src/process/orphans.ts";

describe("isBelow", () => {
  const parents: Record<number, number> = { 10: 5, 5: 3, 3: 1, 7: 1, 9: 8 };
  test.each([
    [10, 5, true],
    [10, 3, true],
    [3, 3, true],
    [7, 3, false],
    [10, 7, false],
    // Its parent has ended meanwhile: nothing can be said.
    [9, 3, true],
  ])("%i below %i: %s", (pid, ancestor, expected) => {
    expect(isBelow(pid, ancestor, (each) => parents[each])).toBe(expected);
  });
});

test("findOrphans finds what carries the marker and is not below the supervisor", async () => {
  const dataDir = realpathSync(mkdtempSync(join(tmpdir(), "kubemu-orphans-")));
  const env = { ...process.env, KUBEMU_CLUSTER: dataDir };
  const child = spawn("sleep", ["60"], { env });
  await new Promise((resolve) => child.once("spawn", resolve));
  try {
    expect(findOrphans(dataDir, process.pid)).toEqual([]);
    expect(findOrphans(dataDir, child.pid ?? 0)).toEqual([]);
    const stranger = spawn("sleep", ["60"]);
    await new Promise((resolve) => stranger.once("spawn", resolve));
    expect(findOrphans(dataDir, stranger.pid ?? 0)).toEqual([child.pid]);
    stranger.kill("SIGKILL");
  } finally {
    child.kill("SIGKILL");
    rmSync(dataDir, { recursive: true });
  }
});
