import { type ChildProcess, spawn } from "node:child_process";
import { afterEach, describe, expect, test } from "vitest";
import {
  type ProcessUsage,
  parsePsLine,
  parseStat,
  readProcessTable,
  usageOfTrees,
} from "../../../src/process/usage.ts";

let child: ChildProcess | undefined;
afterEach(() => {
  if (child?.pid) process.kill(-child.pid, "SIGKILL");
  child = undefined;
});

const one = (parent: number, session: number, cpuSeconds = 1, memoryBytes = 10): ProcessUsage => ({
  parent,
  session,
  cpuSeconds,
  memoryBytes,
});

describe("the use of a tree", () => {
  const table = new Map([
    [1, one(0, 1)],
    [10, one(1, 10)],
    [11, one(10, 10)],
    [12, one(11, 12)],
    // Its parent has ended; the session is 10's.
    [13, one(1, 10)],
    [20, one(1, 20, 5, 50)],
  ]);
  test.each<[string, number[], number, number]>([
    ["holds children, other sessions below it, and orphans of its session", [10], 4, 40],
    ["is its own where there is nothing below", [20], 5, 50],
    ["counts no process twice", [10, 11, 20, 20], 9, 90],
    ["is nothing for a process that is gone", [99], 0, 0],
  ])("%s", (_what, roots, cpuSeconds, memoryBytes) => {
    expect(usageOfTrees(table, roots)).toEqual({ cpuSeconds, memoryBytes });
  });
});

test("reads what the kernel says, whatever a command is called", () => {
  const stat =
    "42 (a) b (c) S 7 42 41 0 -1 4194560 9 0 0 0 150 50 20 5 20 0 1 0 100 1000000 256 18446744073709551615";
  expect(parseStat(stat)).toEqual(one(7, 41, 2.25, 256 * 4096));
});

test("reads what ps prints", () => {
  expect(parsePsLine("  501     1   501   0:01.50   2048")).toEqual([[501, one(1, 501, 1.5, 2048 * 1024)]]);
  expect(parsePsLine("9 8 7 1-02:03:04 1")).toEqual([[9, one(8, 7, 93_784, 1024)]]);
  expect(parsePsLine("")).toBeUndefined();
});

test("sees what a shell's child burns", async () => {
  child = spawn("sh", ["-c", "while :; do :; done & wait"], { detached: true, stdio: "ignore" });
  const pid = child.pid ?? 0;
  for (;;) {
    const usage = usageOfTrees(await readProcessTable(), [pid]);
    if (usage.cpuSeconds >= 0.05 && usage.memoryBytes > 0) break;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
});
