import { execFileSync } from "node:child_process";
import { expect, test } from "vitest";
import { quoted } from "../../../src/cli/quoted.ts";

test.each(["/home/me/.local/state", "/with space/x", "/it's", "/$HOME/`id`", "/ü", "/a\nb", "/'\"\\'"])(
  "a shell reads %j back as it was",
  (path) => {
    expect(execFileSync("sh", ["-c", `printf %s ${quoted(path)}`], { encoding: "utf8" })).toBe(path);
  },
);

test("what needs no quotes has none", () => {
  expect(quoted("/home/me/.local/state/kubemu")).toBe("/home/me/.local/state/kubemu");
});
