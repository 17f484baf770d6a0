import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { claimSlot, findLowestPort } from "../../../src/supervisor/addresses.ts";
import { childEnvironment } from "../../../src/supervisor/children.ts";
import { ownerOf } from "../../../src/supervisor/lock.ts";
import { type Ground, takeGround, takePlace } from "../../../src/supervisor/prepare.ts";
import type { SupervisorSettings } from "../../../src/supervisor/settings.ts";
import { readCluster, readSupervisor } from "../../../src/supervisor/state.ts";

let folder: string;
let taken: Ground[] = [];
beforeEach(() => {
  folder = mkdtempSync(join(realpathSync(tmpdir()), "kubemu-prepare-"));
  taken = [];
});
afterEach(() => {
  for (const ground of taken) {
    ground.socket.close();
    ground.localSocket.close();
    ground.release();
  }
  rmSync(folder, { recursive: true, force: true });
});

const settings = (change: Partial<SupervisorSettings> = {}): SupervisorSettings => ({
  name: "kubemu",
  dataDir: join(folder, "a"),
  inMemory: false,
  folders: [],
  ...change,
});
const NOBODY = 0;
const take = async (change: Partial<SupervisorSettings> = {}, own = NOBODY) => {
  const place = takePlace(settings(change));
  const ground = await takeGround(settings(change), place, own);
  taken.push(ground);
  return ground;
};

test("what a cluster is, is written down before anything starts", async () => {
  const { dataDir, cluster, socket } = await take({ nodes: 2, profile: "kubernetes" });
  expect(readCluster(dataDir)).toEqual(cluster);
  expect(cluster).toMatchObject({ apiPort: socket.port, profile: "kubernetes", name: "kubemu" });
  expect(cluster.nodes.map(({ name }) => name)).toEqual(["node-1", "node-2"]);
  expect(readSupervisor(dataDir)).toMatchObject({ pid: process.pid, phase: "Starting" });
  expect(ownerOf(dataDir)?.pid).toBe(process.pid);
});

test("nodes that are fewer than before are remembered until they are removed, unless they come back", async () => {
  const again = async (nodes: number) => {
    const ground = await take({ nodes });
    ground.socket.close();
    ground.localSocket.close();
    ground.release();
    taken.pop();
    // As if that supervisor had died before it could remove them.
    rmSync(join(ground.dataDir, "lock"), { recursive: true });
    return readCluster(ground.dataDir)?.cutNodes;
  };
  expect(await again(3)).toBeUndefined();
  expect(await again(2)).toEqual(["node-3"]);
  expect(await again(1)).toEqual(["node-3", "node-2"]);
  expect(await again(2)).toEqual(["node-3"]);
  expect(await again(3)).toBeUndefined();
});

test("two clusters get addresses and ports of their own", async () => {
  const [one, other] = [await take(), await take({ dataDir: join(folder, "b") })];
  expect(one.socket.port).not.toBe(other.socket.port);
  if (!one.cluster.singleAddress) expect(one.cluster.slot).not.toBe(other.cluster.slot);
});

test("a port that is taken is named, and the addresses are given back", async () => {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  await expect(take({ apiPort: port })).rejects.toThrow(
    new RegExp(`port ${port} of 127\\.0\\.0\\.1 is taken`),
  );
  server.close();
});

test("what an earlier cluster left running in the same directory is ended, but not what has started by then", async () => {
  const dataDir = join(folder, "a");
  mkdirSync(join(dataDir, "store-in-memory"), { recursive: true });
  writeFileSync(join(dataDir, "store-in-memory", "objects.db"), "old");
  const start = (cluster: string) =>
    spawn("sleep", ["1000"], { env: { PATH: process.env["PATH"], KUBEMU_CLUSTER: cluster }, detached: true });
  const [left, own, foreign] = [start(dataDir), start(dataDir), start(join(folder, "b"))];
  const gone = once(left, "exit");
  await Promise.all([left, own, foreign].map((each) => once(each, "spawn")));
  await take({}, own.pid);
  expect((await gone)[1]).toBe("SIGKILL");
  expect(existsSync(join(dataDir, "store-in-memory"))).toBe(false);
  for (const spared of [own, foreign]) {
    expect(spared.exitCode ?? spared.signalCode).toBeNull();
    spared.kill("SIGKILL");
    await once(spared, "exit");
  }
});

test("a slot that is held is passed over, and free again when it is given back", async () => {
  const first = await claimSlot(undefined);
  const second = await claimSlot(first.number);
  expect(second.number).not.toBe(first.number);
  first.release();
  const third = await claimSlot(first.number);
  expect(third.number).toBe(first.number);
  second.release();
  third.release();
});

test("a port from the lowest on can really be bound", async () => {
  const server = createServer().listen(findLowestPort() || 1, "127.0.0.1");
  const outcome = await Promise.race([
    once(server, "listening").then(() => "bound"),
    once(server, "error").then(([error]) => (error as NodeJS.ErrnoException).code),
  ]);
  server.close();
  expect(["bound", "EADDRINUSE"]).toContain(outcome);
});

test("children inherit nothing secret", () => {
  const env = childEnvironment({ PATH: "/bin", HOME: "/home/u", AWS_SECRET_ACCESS_KEY: "x" }, "/data");
  expect(env).toEqual({
    PATH: "/bin",
    HOME: "/home/u",
    KUBEMU_CLUSTER: "/data",
    SSL_CERT_FILE: "/dev/null",
  });
});
