// What commands do with a copy of the data directory of a cluster that runs.
import { cpSync, existsSync, mkdtempSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { down } from "../../../src/cli/commands/down.ts";
import { status } from "../../../src/cli/commands/status.ts";
import { socketPath } from "../../../src/supervisor/command-socket.ts";
import { claimDataDir, ownerOf } from "../../../src/supervisor/lock.ts";
import { ownIdentity } from "../../../src/supervisor/own-identity.ts";
import { writeSupervisor } from "../../../src/supervisor/state.ts";

let folder: string;
let dataDir: string;
let copy: string;
let printed = "";
beforeEach(() => {
  folder = mkdtempSync(join(realpathSync(tmpdir()), "kubemu-copy-"));
  [dataDir, copy] = [join(folder, "data"), join(folder, "copy")];
  printed = "";
  vi.spyOn(process.stdout, "write").mockImplementation((text) => {
    printed += text;
    return true;
  });
  claimDataDir(dataDir, ownIdentity());
  const socket = socketPath(dataDir);
  writeSupervisor(dataDir, { ...ownIdentity(), phase: "Running", apiServer: "", socket });
  cpSync(dataDir, copy, { recursive: true, verbatimSymlinks: true });
});
afterEach(() => {
  vi.restoreAllMocks();
  rmSync(folder, { recursive: true, force: true });
});

const invocation = (options: Record<string, unknown> = {}) => ({
  name: "work",
  dataDir: copy,
  arguments: [],
  options,
});
const refusal = () => `${copy} is a copy of a running cluster's data directory, not that cluster`;

test("it is told as what it is, and the cluster is left alone", async () => {
  await expect(status(invocation())).rejects.toThrow(refusal());
  await expect(down(invocation())).rejects.toThrow(refusal());
  expect(ownerOf(dataDir)?.pid).toBe(process.pid);
});

test("it can be removed, and the cluster goes on", async () => {
  vi.stubEnv("KUBECONFIG", join(folder, "config"));
  await down(invocation({ delete: true }));
  vi.unstubAllEnvs();
  expect(printed).toBe(`the copy ${copy} is removed\n`);
  expect([existsSync(copy), ownerOf(dataDir)?.pid]).toEqual([false, process.pid]);
});
