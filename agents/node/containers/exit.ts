// What the end of a container's process means: exit code, reason and last words, noted in the container's state.
import { open, readFile } from "node:fs/promises";
import { constants } from "node:os";
import type { Container } from "../../../src/api/generated/types.ts";
import type { Clock } from "../../../src/base/clock.ts";
import type { ContainerRun, PodRecord } from "../context.ts";
import type { ContainerState } from "../pod/state.ts";

// The kubelet's limits of a termination message, from the file and from the log.
const MAX_MESSAGE = 4096;
const MAX_LOG_MESSAGE = 2048;
const MAX_LOG_LINES = 80;

/** Watches `run` to its end, then notes it and wakes the worker. */
export function watchExit(options: {
  record: PodRecord;
  state: ContainerState;
  run: ContainerRun;
  terminationLog: string;
  container: Container;
  clock: Clock;
}): void {
  const { record, state, run, terminationLog, container, clock } = options;
  void run.process.exited.then(async ({ code, signal }) => {
    run.stopProbes();
    run.log.finish();
    const finishedAt = clock.now();
    const signalNumber = signal ? constants.signals[signal] : undefined;
    const exitCode = code ?? 128 + (signalNumber ?? 0);
    await run.log.ended;
    const message = await lastWords({ container, terminationLog, log: run.log.path, exitCode });
    state.beforeLast = state.last;
    state.last = {
      exitCode,
      ...(signalNumber ? { signal: signalNumber } : {}),
      reason: exitCode === 0 ? "Completed" : "Error",
      ...(message ? { message } : {}),
      startedAt: run.startedAt,
      finishedAt,
      containerID: `process://${run.process.pid}`,
    };
    state.running = undefined;
    state.waiting = undefined;
    state.started = false;
    state.ready = false;
    state.stopping = false;
    record.wake();
  });
}

async function lastWords(options: {
  container: Container;
  terminationLog: string;
  log: string;
  exitCode: number;
}): Promise<string> {
  const { container, terminationLog, log, exitCode } = options;
  const written = await firstBytes(terminationLog, MAX_MESSAGE);
  if (written !== "" || exitCode === 0 || container.terminationMessagePolicy !== "FallbackToLogsOnError")
    return written;
  const text = await readFile(log, "utf8").catch(() => "");
  const lines = text.trimEnd().split("\n").slice(-MAX_LOG_LINES);
  return lines
    .map((line) => `${line.split(" ").slice(3).join(" ")}\n`)
    .join("")
    .slice(-MAX_LOG_MESSAGE);
}

async function firstBytes(file: string, limit: number): Promise<string> {
  const handle = await open(file, "r").catch(() => undefined);
  if (!handle) return "";
  try {
    const { bytesRead, buffer } = await handle.read(Buffer.alloc(limit), 0, limit, 0);
    return buffer.subarray(0, bytesRead).toString("utf8");
  } catch {
    return "";
  } finally {
    await handle.close();
  }
}
