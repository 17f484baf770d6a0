import { cpSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { identityOf } from "../../../src/process/identity.ts";
import { checkDataDir, deleteData, isDataDir } from "../../../src/supervisor/data-dir.ts";
import { claimDataDir, isCopyOfRunning, ownerOf } from "../../../src/supervisor/lock.ts";
import { DATA_VERSION, readSupervisor, recordState, writeCluster } from "../../../src/supervisor/state.ts";

let dataDir: string;
beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), "kubemu-lock-"));
});
afterEach(() => rmSync(dataDir, { recursive: true, force: true }));

const self = identityOf(process.pid)!;
const DEAD = { pid: process.pid, startTime: "another process's" };
const CLUSTER = {
  version: DATA_VERSION,
  name: "kubemu",
  slot: 16,
  apiPort: 6443,
  nodes: [],
  profile: "fast",
  singleAddress: false,
} as const;

describe("a data directory", () => {
  test("has one owner, and whoever comes second is told which", () => {
    claimDataDir(dataDir, self);
    expect(ownerOf(dataDir)).toMatchObject(self);
    const refusal = new RegExp(`in use by a running cluster \\(pid ${self.pid}\\)`);
    expect(() => claimDataDir(dataDir, self)).toThrow(refusal);
    expect(() => checkDataDir(dataDir)).toThrow(refusal);
  });

  test("that is a copy has no owner, and can have its own; one that was moved keeps the one it has", () => {
    const [first, copy, moved] = ["first", "copy", "moved"].map((name) => join(dataDir, name)) as [
      string,
      string,
      string,
    ];
    claimDataDir(first, self);
    cpSync(first, copy, { recursive: true, verbatimSymlinks: true });
    expect([ownerOf(copy), isCopyOfRunning(copy)]).toEqual([undefined, true]);
    claimDataDir(copy, self);
    expect([ownerOf(copy)?.pid, isCopyOfRunning(copy)]).toEqual([self.pid, false]);
    renameSync(first, moved);
    expect([ownerOf(moved)?.pid, isCopyOfRunning(moved)]).toEqual([self.pid, false]);
  });

  test("goes to the next when its owner has died, whoever has the pid now", () => {
    for (let round = 0; round < 3; round++) claimDataDir(dataDir, DEAD);
    expect(ownerOf(dataDir)).toBeUndefined();
    claimDataDir(dataDir, self);
    expect(ownerOf(dataDir)).toMatchObject(self);
    expect(readdirSync(join(dataDir, "lock"))).toHaveLength(1);
  });

  test("is owned as ever where something else lies beside the owners' links", () => {
    claimDataDir(dataDir, DEAD);
    for (const name of ["2", "3", "17", "x"]) writeFileSync(join(dataDir, "lock", name), "");
    mkdirSync(join(dataDir, "lock", "1000"));
    expect(ownerOf(dataDir)).toBeUndefined();
    claimDataDir(dataDir, DEAD);
    claimDataDir(dataDir, self);
    expect(ownerOf(dataDir)).toMatchObject(self);
    expect(readdirSync(join(dataDir, "lock")).sort()).toEqual(["1000", "17", "2", "3", "5", "x"]);
  });

  test("written by a newer kubemu is left alone", () => {
    writeCluster(dataDir, { ...CLUSTER, version: DATA_VERSION + 1 });
    expect(() => checkDataDir(dataDir)).toThrow(/written by a newer kubemu/);
  });

  test("with a damaged cluster.json is named, not overwritten", () => {
    writeFileSync(join(dataDir, "cluster.json"), "{");
    expect(() => checkDataDir(dataDir)).toThrow(/cluster\.json is damaged/);
  });

  test("loses what is kubemu's and nothing else when it is deleted", () => {
    writeCluster(dataDir, CLUSTER);
    claimDataDir(dataDir, DEAD);
    writeFileSync(join(dataDir, "thesis.txt"), "mine");
    expect(isDataDir(dataDir)).toBe(true);
    expect(deleteData(dataDir)).toEqual(["thesis.txt"]);
    expect(readdirSync(dataDir)).toEqual(["thesis.txt"]);
  });

  test("keeps another supervisor's state as it is", () => {
    const other = {
      pid: process.pid + 1,
      startTime: "1",
      phase: "Running",
      apiServer: "",
      socket: "",
    } as const;
    writeFileSync(join(dataDir, "supervisor.json"), JSON.stringify(other));
    recordState(dataDir, { phase: "Stopping" });
    expect(readSupervisor(dataDir)).toEqual(other);
  });
});
