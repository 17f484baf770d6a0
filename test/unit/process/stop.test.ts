import { spawn } from "node:child_process";
import { once } from "node:events";
import { describe, expect, test } from "vitest";
import { identityOf, isAlive, signalProcess } from "../../../src/process/identity.ts";
import { stopProcessGroup } from "../../../src/process/stop.ts";
import { findMarked, sweepMarked } from "../../../src/process/sweep.ts";

/** A Node program in a process group of its own; resolves once it has printed a line. */
async function start(program: string, env: Record<string, string> = {}) {
  const child = spawn(
    process.execPath,
    ["-e", `${program}; console.log("ready"); setInterval(() => {}, 1000)`],
    {
      detached: true,
      stdio: ["ignore", "pipe", "ignore"],
      env: { PATH: process.env["PATH"], ...env },
    },
  );
  const exited = once(child, "exit");
  await once(child.stdout, "data");
  return { child, identity: identityOf(child.pid!)!, exited };
}

describe("stopping a process", () => {
  test("is over as soon as it heeds SIGTERM", async () => {
    const { identity, exited } = await start("");
    expect(await stopProcessGroup(identity, { graceMs: 10_000, exited })).toBe(true);
    expect(isAlive(identity)).toBe(false);
  });

  test("kills what ignores SIGTERM once its grace is over", async () => {
    const { identity, child, exited } = await start('process.on("SIGTERM", () => {})');
    expect(await stopProcessGroup(identity, { graceMs: 50 })).toBe(false);
    await exited;
    expect(child.signalCode).toBe("SIGKILL");
  });

  test("takes a child in a process group of its own along", async () => {
    const { identity, child, exited } = await start(
      'const c = require("child_process").spawn("sleep", ["1000"], { detached: true, stdio: "ignore" }); process.on("SIGTERM", () => {})',
    );
    const descendants = (await import("node:fs"))
      .readFileSync(`/proc/${child.pid}/task/${child.pid}/children`, "utf8")
      .trim()
      .split(" ");
    expect(descendants).toHaveLength(1);
    const own = identityOf(Number(descendants[0]))!;
    await stopProcessGroup(identity, { graceMs: 1, exited });
    await expect.poll(() => isAlive(own)).toBe(false);
  });

  test("never signals another process that got the same pid", async () => {
    const { identity, child, exited } = await start("");
    expect(signalProcess({ ...identity, startTime: "1" }, "SIGKILL")).toBe(false);
    expect(isAlive(identity)).toBe(true);
    child.kill("SIGKILL");
    await exited;
    expect(signalProcess(identity, "SIGKILL")).toBe(false);
  });
});

describe("sweeping", () => {
  test("finds a daemon that left its session and parent, and nothing of another cluster", async () => {
    const mine = { KUBEMU_CLUSTER: `/sweep-test-${process.pid}` };
    const other = await start("", { KUBEMU_CLUSTER: "/another-sweep-test" });
    const { child, exited } = await start(
      'require("child_process").spawn("sh", ["-c", "setsid sleep 1000 & setsid sleep 1000 &"], { detached: true, stdio: "ignore" }).unref()',
      mine,
    );
    child.kill("SIGKILL");
    await exited;
    await expect.poll(() => findMarked(mine).length).toBe(2);
    expect(await sweepMarked(mine)).toBe(2);
    expect(findMarked(mine)).toEqual([]);
    expect(isAlive(other.identity)).toBe(true);
    other.child.kill("SIGKILL");
    await other.exited;
  });
});
