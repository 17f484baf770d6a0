import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { Node } from "../../../src/api/generated/types.ts";
import { systemClock } from "../../../src/base/clock.ts";
import { silentLog } from "../../../src/base/log.ts";
import type { Client } from "../../../src/client/client.ts";
import { isAlive } from "../../../src/process/identity.ts";
import type { ChildSettings } from "../../../src/process/settings.ts";
import { type Program, startProgram } from "../../../src/process/spawn.ts";
import { sweepMarked } from "../../../src/process/sweep.ts";
import { createNodeAgents, type NodeAgents } from "../../../src/supervisor/node-agents.ts";

const AGENT = "process.send({ ready: true }); setInterval(() => {}, 1000);";
// Hears that it should end, and takes its time.
const SLOW = `process.on("SIGTERM", () => setTimeout(() => process.exit(0), 100)); ${AGENT}`;
const NAME = "node-1";

let dataDir: string;
let lives: Program[] = [];
let agents: NodeAgents;
beforeEach(() => {
  dataDir = mkdtempSync(join(realpathSync(tmpdir()), "kubemu-agents-"));
  lives = [];
});
afterEach(async () => {
  await agents.stopAll(0);
  await sweepMarked({ KUBEMU_CLUSTER: dataDir });
  rmSync(dataDir, { recursive: true, force: true });
});

/** A machine whose agent is a program of these lines; resolves when it runs. */
async function boot(client: Client, source = AGENT): Promise<void> {
  const file = join(dataDir, "agent.cjs");
  writeFileSync(file, source);
  agents = createNodeAgents({
    dataDir,
    log: silentLog,
    clock: systemClock,
    tellLost: true,
    client: async () => client,
    start() {
      const env = { PATH: process.env["PATH"] ?? "", KUBEMU_CLUSTER: dataDir, KUBEMU_NODE: NAME };
      const logFile = join(dataDir, "agent.log");
      const life = startProgram({ file, settings: {} as ChildSettings, logFile, env });
      lives.push(life);
      return life;
    },
  });
  await agents.add({ name: NAME, index: 1 });
}

/** What a container of the machine is to the supervisor: a process with its markers. */
async function startContainer(): Promise<ChildProcess> {
  const env = { PATH: process.env["PATH"], KUBEMU_CLUSTER: dataDir, KUBEMU_NODE: NAME };
  const child = spawn("sleep", ["1000"], { env, detached: true, stdio: "ignore" });
  await once(child, "spawn");
  return child;
}

/** One Ready Node; `hold` delays each patch. */
function nodeApi(hold: () => Promise<void> = async () => {}) {
  const node = {
    metadata: { name: NAME, resourceVersion: "1" },
    spec: {},
    status: { conditions: [{ type: "Ready", status: "True" }] },
  } as unknown as Node;
  const client = {
    list: async () => ({ metadata: { resourceVersion: "1" }, items: [structuredClone(node)] }),
    transport: {},
    watch: (_: unknown, { signal }: { signal: AbortSignal }) => once(signal, "abort"),
    find: async () => structuredClone(node),
    get: async () => structuredClone(node),
    patch: async (_: unknown, __: unknown, ___: unknown, patch: Partial<Node>) => {
      await hold();
      // Readiness is the agent's to report; here it always does.
      if (patch.spec) node.spec = patch.spec;
      return node;
    },
  } as unknown as Client;
  return { node, client };
}

const view = () => agents.list()[0];

test("a machine started while the loss of its last life is swept up keeps its new one", async () => {
  const { node, client } = nodeApi();
  await boot(client);
  await startContainer();
  lives[0]?.child.kill("SIGKILL");
  await lives[0]?.exited;
  await agents.start(NAME);
  // Whoever sweeps looks again every few milliseconds: had one been left at it, the agent would be gone by now.
  expect(await sweepIsOver()).toBe(true);
  expect(lives).toHaveLength(2);
  expect(view()).toMatchObject({ state: "running", pid: lives[1]?.identity.pid });
  expect(node.spec?.taints ?? []).toEqual([]);
});

/** Sweeps another marker through as many looks as one that is under way could still take; true while the agent lives. */
async function sweepIsOver(): Promise<boolean> {
  const other = spawn("sleep", ["1000"], { env: { PATH: process.env["PATH"], KUBEMU_CLUSTER: "/none" } });
  await once(other, "spawn");
  await sweepMarked({ KUBEMU_CLUSTER: "/none" });
  const last = lives.at(-1);
  return last !== undefined && isAlive(last.identity);
}

test("a start at the very moment of the death is no start of a running machine", async () => {
  await boot(nodeApi().client);
  process.kill(lives[0]?.identity.pid ?? 0, "SIGKILL");
  await expect.poll(() => lives[0] && isAlive(lives[0].identity), { interval: 1 }).toBe(false);
  await agents.start(NAME);
  expect(view()).toMatchObject({ state: "running", pid: lives[1]?.identity.pid });
});

test("of two starts at once one is refused", async () => {
  await boot(nodeApi().client);
  await agents.kill(NAME);
  const outcomes = await Promise.allSettled([agents.start(NAME), agents.start(NAME)]);
  expect(outcomes.map(({ status }) => status).sort()).toEqual(["fulfilled", "rejected"]);
  expect(lives).toHaveLength(2);
});

test("a loss that is being told is told to its end before the next life begins", async () => {
  let letGo: () => void = () => {};
  const held = new Promise<void>((resolve) => {
    letGo = resolve;
  });
  let asked = 0;
  const { node, client } = nodeApi(() => {
    asked++;
    return held;
  });
  await boot(client);
  lives[0]?.child.kill("SIGKILL");
  await expect.poll(() => asked).toBe(1);
  const started = agents.start(NAME);
  await sweepIsOver();
  expect(lives).toHaveLength(1);
  letGo();
  await started;
  expect(node.spec?.taints ?? []).toEqual([]);
});

test("killing ends the agent and its containers also while the control plane is away", async () => {
  let away = false;
  const { client } = nodeApi();
  const find = client.find;
  client.find = ((...parameters: Parameters<typeof find>) =>
    away ? new Promise(() => {}) : find(...parameters)) as typeof find;
  await boot(client);
  const container = await startContainer();
  away = true;
  await agents.kill(NAME);
  expect(view()).toMatchObject({ state: "killed", pid: 0 });
  expect(lives.some(({ identity }) => isAlive(identity))).toBe(false);
  await expect.poll(() => container.signalCode).toBe("SIGKILL");
});

test("a start during a stop waits for it", async () => {
  await boot(nodeApi().client, SLOW);
  const stopped = agents.stop(NAME);
  await agents.start(NAME);
  await stopped;
  expect(lives[0]?.child.exitCode).toBe(0);
  expect(view()).toMatchObject({ state: "running", pid: lives[1]?.identity.pid });
});

test("nothing is started once the cluster is being stopped", async () => {
  await boot(nodeApi().client);
  await agents.kill(NAME);
  await agents.stopAll(0);
  await expect(agents.start(NAME)).rejects.toThrow(/is stopping/);
  expect(lives).toHaveLength(1);
});

test("a node is partitioned once its agent has cut its link, and healed the same way", async () => {
  const link = 'process.on("message", (message) => message.link && process.send(message));';
  await boot(nodeApi().client, `${link} ${AGENT}`);
  await agents.partition(NAME);
  expect(agents.list()[0]?.state).toBe("partitioned");
  await expect(agents.partition(NAME)).rejects.toThrow("only a running node can be partitioned");
  agents.pause(NAME);
  await expect(agents.heal(NAME)).rejects.toThrow("is not partitioned");
  agents.resume(NAME);
  expect(agents.list()[0]?.state).toBe("partitioned");
  await agents.heal(NAME);
  expect(agents.list()[0]?.state).toBe("running");
  await expect(agents.heal(NAME)).rejects.toThrow("is not partitioned");
});
