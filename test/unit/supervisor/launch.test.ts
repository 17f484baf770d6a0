import { execFileSync } from "node:child_process";
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";

const DAY_S = 24 * 3600;
let folder: string;
let cache: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "kubemu-launch-"));
  cache = join(folder, "cache");
  mkdirSync(cache);
  const builds = JSON.stringify(JSON.stringify({ program: "0123456789abcdef" }));
  writeFileSync(
    join(folder, "program.js"),
    readFileSync("tools/launch.cjs", "utf8").replace('"@BUILDS@"', builds),
  );
  writeFileSync(join(folder, "program.cjs"), "(() => {})");
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function left(name: string, days: number): void {
  const seconds = Date.now() / 1000 - days * DAY_S;
  writeFileSync(join(cache, name), "");
  utimesSync(join(cache, name), seconds, seconds);
}

test("compiled code is kept, and goes once nobody has read it for a month", () => {
  const [old, recent] = ["program-aaaaaaaaaaaaaaaa-v20.1.0-x64", "program-bbbbbbbbbbbbbbbb-v20.1.0-x64"];
  left(old, 31);
  left(recent, 29);
  left("program-mine", 400);
  left("other-aaaaaaaaaaaaaaaa-v20.1.0-x64", 400);
  execFileSync(process.execPath, [join(folder, "program.js")], {
    env: { ...process.env, KUBEMU_CACHE: cache },
  });
  const own = `program-0123456789abcdef-${process.version}-${process.arch}`;
  expect(readdirSync(cache).sort()).toEqual(
    ["other-aaaaaaaaaaaaaaaa-v20.1.0-x64", "program-mine", own, recent].sort(),
  );
});
