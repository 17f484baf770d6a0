import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { up } from "../../../src/cli/commands/up.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(realpathSync(tmpdir()), "kubemu-up-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const run = (dataDir: string) => up({ name: "kubemu", dataDir, arguments: [], options: {} });

test("a data directory that cannot be made is named", async () => {
  writeFileSync(join(folder, "file"), "");
  const dataDir = join(folder, "file", "data");
  await expect(run(dataDir)).rejects.toThrow(`the data directory ${dataDir} cannot be used: ENOTDIR`);
});

test.runIf(process.platform === "linux")("so is one where nobody may make a folder", async () => {
  await expect(run("/proc/kubemu")).rejects.toThrow("the data directory /proc/kubemu cannot be used: ENOENT");
});

test("so is one in which nothing can be written", async () => {
  mkdirSync(join(folder, "logs", "supervisor.log"), { recursive: true });
  await expect(run(folder)).rejects.toThrow(`the data directory ${folder} cannot be used: EISDIR`);
});

test("a damaged cluster.json is named before anything starts", async () => {
  writeFileSync(join(folder, "cluster.json"), "{}");
  await expect(run(folder)).rejects.toThrow(`${join(folder, "cluster.json")} is damaged`);
});
