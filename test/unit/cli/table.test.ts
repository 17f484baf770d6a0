import { expect, test } from "vitest";
import { formatTable } from "../../../src/cli/table.ts";

test("pads each column to its widest cell and three spaces, and the last not at all", () => {
  expect(
    formatTable([
      ["NODE", "PID", "STATE"],
      ["node-1", "4711", "running"],
      ["n", "-", "killed"],
    ]),
  ).toBe("NODE     PID    STATE\nnode-1   4711   running\nn        -      killed\n");
});

test("takes rows of different lengths, and none at all", () => {
  expect(formatTable([["a", "b"], ["only"]])).toBe("a      b\nonly\n");
  expect(formatTable([])).toBe("");
});
