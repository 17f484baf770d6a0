// The drill's side of the process that sends its traffic.
import { spawn } from "node:child_process";
import type { Counts, FromTraffic, StreamSettings, ToTraffic, TrafficResult } from "./protocol.ts";

export interface RunningTraffic {
  readonly startedAt: number;
  readonly counts: Counts;
  /** Resolves once so many requests have been sent, or the traffic is over. */
  whenSent(count: number): Promise<void>;
  /** Sends no more, waits for the answers, and resolves with what was measured. */
  stop(): Promise<TrafficResult>;
}

/** `program` is the built dist/traffic.js. Resolves once the first requests are sent; rejects where the process cannot run. */
export async function startTraffic(
  program: string,
  streams: readonly StreamSettings[],
): Promise<RunningTraffic> {
  const child = spawn(process.execPath, [program], { stdio: ["ignore", "ignore", "inherit", "ipc"] });
  let counts: Counts = { sent: 0, served: 0, failed: 0 };
  const waiting: { readonly count: number; readonly resolve: () => void }[] = [];
  const over = new Promise<never>((_, reject) => {
    child.once("error", reject);
    child.once("exit", (code, signal) =>
      reject(new Error(`the process that sends the traffic ended with ${signal ?? `exit code ${code}`}`)),
    );
  });
  // Whoever waits for it hears of it; it is no fault while nobody does.
  over.catch(() => {});
  const heard = <T>(read: (message: FromTraffic) => T | undefined): Promise<T> =>
    Promise.race([
      over,
      new Promise<T>((resolve) => {
        child.on("message", (message: FromTraffic) => {
          const value = read(message);
          if (value !== undefined) resolve(value);
        });
      }),
    ]);
  child.on("message", (message: FromTraffic) => {
    if ("counts" in message) counts = message.counts;
    for (const each of [...waiting])
      if (counts.sent >= each.count) {
        waiting.splice(waiting.indexOf(each), 1);
        each.resolve();
      }
  });
  const tell = (message: ToTraffic) => child.send(message);
  const started = heard((message) => ("startedAt" in message ? message.startedAt : undefined));
  tell({ start: streams });
  const startedAt = await started;
  let result: Promise<TrafficResult> | undefined;
  return {
    startedAt,
    get counts() {
      return counts;
    },
    whenSent: (count) =>
      counts.sent >= count
        ? Promise.resolve()
        : Promise.race([over, new Promise<void>((resolve) => waiting.push({ count, resolve }))]).catch(
            () => {},
          ),
    stop() {
      if (!result) {
        result = heard((message) => ("done" in message ? message.done : undefined));
        tell({ stop: true });
      }
      return result;
    },
  };
}
