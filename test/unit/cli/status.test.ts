import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import type { Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { status } from "../../../src/cli/commands/status.ts";
import { serveCommands, socketPath } from "../../../src/supervisor/command-socket.ts";
import { ownIdentity } from "../../../src/supervisor/own-identity.ts";
import {
  DATA_VERSION,
  type Phase,
  recordState,
  writeCluster,
  writeSupervisor,
} from "../../../src/supervisor/state.ts";

let dataDir: string;
let server: Server | undefined;
let printed = "";
beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), "kubemu-status-"));
  printed = "";
  vi.spyOn(process.stdout, "write").mockImplementation((text) => {
    printed += text;
    return true;
  });
});
afterEach(() => {
  vi.restoreAllMocks();
  server?.close();
  server = undefined;
  rmSync(dataDir, { recursive: true, force: true });
});

const supervisorIs = (phase: Phase, apiServer = "") =>
  writeSupervisor(dataDir, { ...ownIdentity(), phase, apiServer, socket: socketPath(dataDir) });
const run = (options: Record<string, unknown> = {}) =>
  status({ name: "work", dataDir, arguments: [], options });

test.each(["Starting", "Stopping"] as const)(
  "says that a cluster is %s, and what is known of it",
  async (phase) => {
    writeCluster(dataDir, {
      version: DATA_VERSION,
      name: "work",
      slot: 16,
      apiPort: 6443,
      nodes: [{ name: "node-1", index: 1 }],
      profile: "kubernetes",
      singleAddress: false,
    });
    supervisorIs(phase);
    expect(await run({ output: "json" })).toBe(0);
    expect(JSON.parse(printed)).toEqual({
      name: "work",
      phase,
      apiServer: "",
      kubeconfig: join(dataDir, "kubeconfig"),
      dataDir,
      profile: "kubernetes",
      supervisor: { pid: process.pid },
      controlPlane: { pid: 0 },
      proxy: { pid: 0, workers: [], mode: "userspace" },
      nodes: [],
    });
  },
);

test("writes a dash for what it cannot know yet", async () => {
  supervisorIs("Starting");
  expect(await run()).toBe(0);
  expect(printed).toMatch(/^cluster +work \(Starting, profile fast\)\nAPI server +-\n/);
  expect(printed).toMatch(/\ncontrol plane +-\nproxy +-\n/);
});

test("a cluster that begins to stop while it is asked is Stopping, not an error", async () => {
  supervisorIs("Running");
  server = await serveCommands(socketPath(dataDir), async () => {
    recordState(dataDir, { phase: "Stopping" });
    throw new Error("gone");
  });
  expect(await run({ output: "json" })).toBe(0);
  expect(JSON.parse(printed)).toMatchObject({ phase: "Stopping", supervisor: { pid: process.pid } });
});

test("what goes wrong while it runs is told", async () => {
  supervisorIs("Running");
  server = await serveCommands(socketPath(dataDir), () => Promise.reject(new Error("no memory")));
  await expect(run()).rejects.toThrow(/^no memory$/);
});

test("no cluster is running where there is no live supervisor, or no sense in its file", async () => {
  await expect(run()).rejects.toThrow(/^cluster work is not running/);
  writeSupervisor(dataDir, {
    pid: process.pid,
    startTime: "x",
    phase: "Starting",
    apiServer: "",
    socket: "",
  });
  await expect(run()).rejects.toThrow(/is not running/);
  for (const text of ["{}", "null", '{"pid":0}']) {
    writeFileSync(join(dataDir, "supervisor.json"), text);
    await expect(run()).rejects.toThrow(/is not running/);
  }
  expect(printed).toBe("");
});
