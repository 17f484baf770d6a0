import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { silentLog } from "../../../src/base/log.ts";
import { isAlive } from "../../../src/process/identity.ts";
import type { ChildSettings } from "../../../src/process/settings.ts";
import { type Program, startProgram } from "../../../src/process/spawn.ts";
import { endProgram, keepRunning } from "../../../src/supervisor/keep-running.ts";

const READY = 'process.send({ ready: true }); process.on("disconnect", () => process.exit(0));';
let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "kubemu-keep-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** A program of these lines of JavaScript. */
function start(name: string, source: string): Program {
  const file = join(folder, `${name}.cjs`);
  writeFileSync(file, source);
  const settings: ChildSettings = {
    cluster: "test",
    dataDir: folder,
    profile: "fast",
    singleAddress: true,
    slot: 16,
    lowestPort: 1024,
    dnsPort: 10_053,
    apiSocket: "/nowhere/api.sock",
    endpointLagMs: 0,
  };
  return startProgram({
    file,
    settings,
    logFile: join(folder, `${name}.log`),
    env: { PATH: process.env["PATH"] ?? "" },
  });
}

describe("a program that is kept running", () => {
  test("is there again after it was killed, until it is stopped", async () => {
    const lives: Program[] = [];
    const kept = keepRunning(
      "kept",
      () => {
        const life = start("kept", `${READY} setInterval(() => {}, 1000);`);
        lives.push(life);
        return life;
      },
      { log: silentLog },
    );
    await kept.firstReady;
    const { pid } = kept.current.identity;
    kept.current.child.kill("SIGKILL");
    await expect.poll(() => kept.current.identity.pid).not.toBe(pid);
    await kept.current.ready;
    await kept.stop(5_000);
    expect(lives).toHaveLength(2);
    expect(lives.some(({ identity }) => isAlive(identity))).toBe(false);
  });

  test("pauses longer and longer while it keeps failing", async () => {
    const pauses: unknown[] = [];
    const log = { ...silentLog, warn: (fields: Record<string, unknown>) => pauses.push(fields["pauseMs"]) };
    const kept = keepRunning("failing", () => start("failing", "process.exit(3)"), { log });
    await expect(kept.firstReady).rejects.toThrow(/^failing ended with exit code 3 .*failing\.log$/);
    await expect.poll(() => pauses.length, { timeout: 10_000 }).toBeGreaterThanOrEqual(4);
    await kept.stop(0);
    expect(pauses.slice(0, 4)).toEqual([1, 2, 4, 8]);
  });

  test("is tried again when it could not even be started", async () => {
    let tries = 0;
    const kept = keepRunning(
      "scarce",
      () => {
        tries++;
        if (tries === 2) throw new Error("EAGAIN");
        return start("scarce", tries === 1 ? "" : `${READY} setInterval(() => {}, 1000);`);
      },
      { log: silentLog },
    );
    await expect.poll(() => tries, { timeout: 10_000 }).toBe(3);
    await kept.current.ready;
    await kept.stop(5_000);
    expect(isAlive(kept.current.identity)).toBe(false);
  });
});

describe("ending a program", () => {
  test("reaches one that was stopped by a signal", async () => {
    const program = start("paused", `${READY} setInterval(() => {}, 1000);`);
    await program.ready;
    program.child.kill("SIGSTOP");
    await endProgram(program, 10_000);
    expect(program.child.signalCode).toBe("SIGTERM");
  });

  test("kills one that does not listen", async () => {
    const program = start("deaf", `process.on("SIGTERM", () => {}); ${READY} setInterval(() => {}, 1000);`);
    await program.ready;
    await endProgram(program, 20);
    expect(program.child.signalCode).toBe("SIGKILL");
  });
});
