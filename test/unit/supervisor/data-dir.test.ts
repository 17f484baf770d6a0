import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { checkDataDir, deleteData, isDataDir, unusable } from "../../../src/supervisor/data-dir.ts";
import { claimDataDir } from "../../../src/supervisor/lock.ts";
import { ownIdentity } from "../../../src/supervisor/own-identity.ts";
import { type ClusterFile, DATA_VERSION } from "../../../src/supervisor/state.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "kubemu data "));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const writeCluster = (text: string) => writeFileSync(join(folder, "cluster.json"), text);
const FILE: ClusterFile = {
  version: DATA_VERSION,
  name: "a",
  slot: 16,
  apiPort: 6443,
  nodes: [{ name: "node-1", index: 1 }],
  profile: "fast",
  singleAddress: false,
};
const cluster = (version: number) => JSON.stringify({ ...FILE, version });

test("an empty directory and one of a stopped cluster, of an older kubemu as well, may be used", () => {
  expect(() => checkDataDir(folder)).not.toThrow();
  for (const version of [1, DATA_VERSION]) {
    writeCluster(cluster(version));
    expect(() => checkDataDir(folder)).not.toThrow();
  }
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

test.each([
  ["{}"],
  ["null"],
  ["[]"],
  ["7"],
  [JSON.stringify({ version: DATA_VERSION })],
  ...(
    [
      { version: "1" },
      { slot: 255 },
      { apiPort: 65_536 },
      { profile: "slow" },
      { singleAddress: "no" },
      { nodes: {} },
      { nodes: [null] },
      { nodes: [{ name: "../../etc", index: 1 }] },
      { nodes: [{ name: "node-1", index: 191 }] },
      { nodes: ["node-1", "node-2"].map((name) => ({ name, index: 1 })) },
      { cutNodes: "node-1" },
    ] as object[]
  ).map((change) => [JSON.stringify({ ...FILE, ...change })]),
])("cluster.json that holds %s is damaged, and says so by name", (text) => {
  writeCluster(text);
  expect(() => checkDataDir(folder)).toThrow(`${join(folder, "cluster.json")} is damaged`);
});

const failure = (act: () => void): unknown => {
  try {
    act();
  } catch (error) {
    return error;
  }
  throw new Error("it did not fail");
};

test("what the system has against a file in it names the directory", () => {
  writeFileSync(join(folder, "lock"), "");
  const told = unusable(
    folder,
    failure(() => claimDataDir(folder, ownIdentity())),
  );
  expect(String(told)).toMatch(`the data directory ${folder} cannot be used: E`);
  const inFile = join(folder, "lock", "data");
  const above = failure(() => mkdirSync(join(inFile, "logs"), { recursive: true }));
  expect(String(unusable(inFile, above))).toMatch(`the data directory ${inFile} cannot be used: ENOTDIR`);
  const linked = failure(() => symlinkSync("text", join(folder, "none", "1")));
  expect(String(unusable(folder, linked))).toMatch(`the data directory ${folder} cannot be used: ENOENT`);
});

test.runIf(existsSync("/dev/full"))("so does a disk that is full", () => {
  const full = failure(() => writeFileSync("/dev/full", "text"));
  expect(String(unusable(folder, full))).toMatch(
    `the data directory ${folder} cannot be used: ENOSPC: no space left on device`,
  );
});

test("any other failure is told as it is", () => {
  const other = failure(() => mkdirSync("/none/of/ours"));
  for (const each of [other, new Error("port 1 is taken"), "text"])
    expect(unusable("/none/of/our", each)).toBe(each);
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
  for (const worker of [0, 1]) writeFileSync(join(folder, `nftables-${worker}`), "");
  expect(deleteData(folder)).toEqual([]);
  expect(existsSync(folder)).toBe(false);
});
