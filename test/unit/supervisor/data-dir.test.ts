import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { checkDataDir, deleteData, isDataDir } from "../../../src/supervisor/data-dir.ts";
import { claimDataDir } from "../../../src/supervisor/lock.ts";
import { ownIdentity } from "../../../src/supervisor/own-identity.ts";
import { DATA_VERSION } from "../../../src/supervisor/state.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "kubemu data "));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const writeCluster = (text: string) => writeFileSync(join(folder, "cluster.json"), text);
const cluster = (version: number) => JSON.stringify({ version, name: "a", nodes: [] });

test("an empty directory and one of a stopped cluster may be used", () => {
  expect(() => checkDataDir(folder)).not.toThrow();
  writeCluster(cluster(DATA_VERSION));
  expect(() => checkDataDir(folder)).not.toThrow();
});

test("one that is in use may not, and the message names it and the pid", () => {
  claimDataDir(folder, ownIdentity());
  expect(() => checkDataDir(folder)).toThrow(`${folder} is in use by a running cluster (pid ${process.pid})`);
});

test("one that a newer kubemu wrote, or that is damaged, is refused by name", () => {
  writeCluster(cluster(DATA_VERSION + 1));
  expect(() => checkDataDir(folder)).toThrow(
    `${folder} was written by a newer kubemu (version ${DATA_VERSION + 1}`,
  );
  writeCluster('{"version": 1, "na');
  expect(() => checkDataDir(folder)).toThrow(`${join(folder, "cluster.json")} is damaged`);
  expect(existsSync(join(folder, "cluster.json"))).toBe(true);
});

test("it is known as kubemu's from the first moment of the first start", () => {
  expect(isDataDir(folder)).toBe(false);
  claimDataDir(folder, ownIdentity());
  expect(isDataDir(folder)).toBe(true);
});

test("deleting takes what is kubemu's and nothing else", () => {
  for (const name of ["pki", "store", "logs", "nodes", "lock", "mine"]) {
    mkdirSync(join(folder, name));
    writeFileSync(join(folder, name, "file"), "");
  }
  for (const name of ["cluster.json", "cluster.json.17", "kubeconfig", "supervisor.json", "notes.txt"])
    writeFileSync(join(folder, name), "");
  expect(deleteData(folder).sort()).toEqual(["mine", "notes.txt"]);
  expect(readdirSync(join(folder, "mine"))).toEqual(["file"]);
});

test("deleting removes the directory itself where nothing else lies in it", () => {
  writeCluster(cluster(DATA_VERSION));
  expect(deleteData(folder)).toEqual([]);
  expect(existsSync(folder)).toBe(false);
});
