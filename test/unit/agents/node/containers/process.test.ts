import { once } from "node:events";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { PassThrough } from "node:stream";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, it } from "vitest";
import { createLogFile } from "../../../../../agents/node/containers/log-file.ts";
import {
  type ContainerProcess,
  findProgram,
  startCommand,
} from "../../../../../agents/node/containers/process.ts";
import { probeDeathSignal } from "../../../../../src/process/death-signal.ts";
import { findMarked, sweepMarked } from "../../../../../src/process/sweep.ts";

const programs = fileURLToPath(new URL("../../../../../fixtures/programs/", import.meta.url));
const directory = mkdtempSync(path.join(tmpdir(), "kubemu-process-"));
const marks = { KUBEMU_CLUSTER: directory, KUBEMU_POD: "p" };
afterAll(async () => {
  await sweepMarked(marks);
  rmSync(directory, { recursive: true, force: true });
});

async function start(program: string): Promise<ContainerProcess> {
  return await startCommand(
    { prefix: await probeDeathSignal(), containerProgram: "" },
    {
      argv: [process.execPath, path.join(programs, `${program}.mjs`)],
      env: { PATH: process.env["PATH"] ?? "", ...marks },
      cwd: directory,
      stdin: false,
    },
  );
}
const firstOutput = (started: ContainerProcess) =>
  new Promise<string>((resolve) => started.stdout.once("data", (chunk: Buffer) => resolve(chunk.toString())));
const isAlive = (pid: number) => {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
};

describe("startCommand", () => {
  it("tells exit code and output", async () => {
    const started = await start("exits-with-3");
    expect(await firstOutput(started)).toBe("last words\n");
    expect(await started.exited).toEqual({ code: 3, signal: null });
  });

  it("ends what ignores SIGTERM by SIGKILL", async () => {
    const started = await start("ignores-sigterm");
    await firstOutput(started);
    started.signal("SIGTERM");
    expect(isAlive(started.pid)).toBe(true);
    started.signal("SIGKILL");
    expect(await started.exited).toEqual({ code: null, signal: "SIGKILL" });
  });

  it("leaves a daemon of its own session to the sweep, which finds it", async () => {
    const started = await start("daemonizes");
    const daemon = Number(await firstOutput(started));
    started.signal("SIGKILL");
    await started.exited;
    expect(findMarked(marks)).toContain(daemon);
    expect(await sweepMarked(marks)).toBeGreaterThan(0);
    expect(findMarked(marks)).toEqual([]);
  });

  it("says as runc does that a program is not there", () => {
    expect(() => findProgram("nonesuch", "/usr/bin:/bin", "/")).toThrow(
      'exec: "nonesuch": executable file not found in $PATH',
    );
    expect(() => findProgram("/no/such", "", "/")).toThrow(
      'exec: "/no/such": stat /no/such: no such file or directory',
    );
  });
});

describe("createLogFile", () => {
  it("keeps for the first who listens what was written before, and for nobody else", async () => {
    const source = new PassThrough();
    const log = createLogFile(path.join(directory, "kept", "0.log"), { keepForFirst: true });
    log.take("stdout", source);
    for (let sent = 0; sent < 3; sent += 1) source.write(Buffer.alloc(500_000, String(sent)));
    source.end("last");
    await once(source, "end");
    expect(log.awaitsFirst()).toBe(true);
    const heard: Record<string, string> = { first: "", second: "" };
    const listen = (who: string) => (_stream: string, chunk: Buffer) => {
      heard[who] += chunk.toString();
      return undefined;
    };
    log.onOutput(listen("first"))();
    log.onOutput(listen("second"));
    expect(log.awaitsFirst()).toBe(false);
    // A mebibyte at most: the oldest went.
    expect(heard).toEqual({ first: `${"1".repeat(500_000)}${"2".repeat(500_000)}last`, second: "" });
    log.finish();
    await log.ended;
  });

  it("is read no faster than who listens takes it, and to its end once the process has ended", async () => {
    const started = await start("floods-log");
    const log = createLogFile(path.join(directory, "held", "0.log"));
    let heard = 0;
    let release: () => void = () => {};
    log.onOutput((_stream, chunk) => {
      heard += chunk.length;
      return new Promise((resolve) => {
        release = resolve;
      });
    });
    log.take("stdout", started.stdout);
    await expect.poll(() => heard).toBeGreaterThan(0);
    for (let round = 0; round < 3; round++) {
      expect(started.stdout.isPaused()).toBe(true);
      const before = heard;
      release();
      await expect.poll(() => heard).toBeGreaterThan(before);
    }
    started.signal("SIGKILL");
    await started.exited;
    log.finish();
    await log.ended;
    expect(readFileSync(log.path).length).toBeGreaterThan(heard);
  });

  it("bounds the disk that a flood takes, by rotation", async () => {
    const started = await start("floods-log");
    const file = path.join(directory, "flood", "0.log");
    const log = createLogFile(file, { maxBytes: 200_000 });
    log.take("stdout", started.stdout);
    const names = () => readdirSync(path.dirname(file));
    await expect.poll(() => names().length, { timeout: 20_000 }).toBe(5);
    started.signal("SIGKILL");
    await started.exited;
    log.finish();
    await log.ended;
    expect(names().sort()).toEqual(["0.log", "0.log.1", "0.log.2", "0.log.3", "0.log.4"]);
    await log.remove();
    expect(names()).toEqual([]);
  });

  it("writes whole entries in the runtime interface's format", async () => {
    const started = await start("exits-with-3");
    const file = path.join(directory, "short", "0.log");
    const log = createLogFile(file);
    log.take("stdout", started.stdout);
    log.take("stderr", started.stderr);
    await started.exited;
    log.finish();
    await log.ended;
    expect(readFileSync(file, "utf8")).toMatch(
      /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z stdout F last words\n$/,
    );
  });
});
