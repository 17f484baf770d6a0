import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { build } from "esbuild";
import { afterEach, beforeEach, expect, test } from "vitest";
import { identityOf } from "../../../src/process/identity.ts";
import { claimDataDir, ownerOf } from "../../../src/supervisor/lock.ts";
import { ownIdentity } from "../../../src/supervisor/own-identity.ts";

let folder: string;
const children: ChildProcess[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "kubemu-lock-"));
});
afterEach(async () => {
  for (const child of children.splice(0)) {
    if (child.exitCode !== null || child.signalCode !== null) continue;
    const exited = once(child, "exit");
    child.kill("SIGKILL");
    await exited;
  }
  rmSync(folder, { recursive: true, force: true });
});

const self = ownIdentity();
const dead = { pid: self.pid, startTime: "long ago" };

async function sleeper() {
  const child = spawn("sleep", ["1000"], { stdio: "ignore" });
  children.push(child);
  await once(child, "spawn");
  return { child, identity: identityOf(child.pid!)! };
}

test("a directory without an owner has one once it is claimed", () => {
  expect(ownerOf(folder)).toBeUndefined();
  claimDataDir(folder, self);
  expect(ownerOf(folder)).toMatchObject(self);
});

test("while its owner lives nobody else gets it, and the owner's pid is named", async () => {
  const { child, identity } = await sleeper();
  claimDataDir(folder, identity);
  expect(() => claimDataDir(folder, self)).toThrow(
    `${folder} is in use by a running cluster (pid ${identity.pid})`,
  );
  const exited = once(child, "exit");
  child.kill("SIGKILL");
  await exited;
  expect(ownerOf(folder)).toBeUndefined();
  claimDataDir(folder, self);
  expect(ownerOf(folder)).toMatchObject(self);
});

test("another process with a dead owner's pid is no owner", () => {
  claimDataDir(folder, dead);
  expect(ownerOf(folder)).toBeUndefined();
});

test("owners that are gone leave one link between them", () => {
  for (let round = 0; round < 12; round++) claimDataDir(folder, dead);
  claimDataDir(folder, self);
  expect(readdirSync(join(folder, "lock"))).toEqual(["13"]);
});

test("of many processes that find the same dead owner at the same moment exactly one wins", async () => {
  claimDataDir(folder, dead);
  const program = join(folder, "claim.mjs");
  const source = (file: string) =>
    JSON.stringify(resolve(import.meta.dirname, "../../../src/supervisor", file));
  await build({
    stdin: {
      contents: `import { claimDataDir } from ${source("lock.ts")};
import { ownIdentity } from ${source("own-identity.ts")};
process.stdin.once("data", () => {
  try { claimDataDir(${JSON.stringify(folder)}, ownIdentity()); console.log("won"); }
  catch (error) { console.log(error.message); }
});
console.log("here");`,
      resolveDir: folder,
    },
    bundle: true,
    format: "esm",
    platform: "node",
    outfile: program,
  });
  const contenders = Array.from({ length: 6 }, () => {
    const child = spawn(process.execPath, [program], { stdio: ["pipe", "pipe", "inherit"] });
    children.push(child);
    return child;
  });
  await Promise.all(contenders.map((child) => once(child.stdout, "data")));
  // Winners go on living, as a supervisor does: their standard input stays open.
  const answers = contenders.map(async (child) => String((await once(child.stdout, "data"))[0]).trim());
  for (const child of contenders) child.stdin.write("go\n");
  const said = await Promise.all(answers);
  expect(said.filter((each) => each === "won")).toHaveLength(1);
  expect(said.filter((each) => each.includes("is in use by a running cluster"))).toHaveLength(5);
  const winner = contenders[said.indexOf("won")];
  expect(ownerOf(folder)?.pid).toBe(winner?.pid);
});
