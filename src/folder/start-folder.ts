// The watched folder: keeps the cluster in line with the manifests below it. One loop owns everything; a notice of a change
// only wakes it, and each round looks at the whole folder. Which objects are the folder's is written on the objects, so that
// a restarted control plane goes on where it was. Changes made by others to these objects stay until their file is saved again.
import { realpath, stat } from "node:fs/promises";
import { resolve } from "node:path";
import type { KubeObject } from "../api/object.ts";
import type { Registry } from "../api/registry.ts";
import type { Clock } from "../base/clock.ts";
import type { Log } from "../base/log.ts";
import { runForever } from "../base/run-forever.ts";
import type { Client } from "../client/client.ts";
import type { Recorder } from "../client/recorder.ts";
import { createFolderCluster } from "./cluster.ts";
import { type FolderProblem, problemText } from "./problem.ts";
import { createRounds, type RoundResult } from "./rounds.ts";
import { startWatch } from "./watch.ts";

export type { FolderProblem };

/** One line for the console. */
export interface FolderReport {
  readonly level: "info" | "warning";
  /** `web.yaml:12:3: …`; paths are relative to `folder`. */
  readonly text: string;
  readonly folder: string;
}

export interface FolderWatch {
  /**
   * Resolves once every manifest has been applied or will not be without a change, or after FIRST_APPLY_PATIENCE_MS.
   * `applied` counts objects. Never rejects.
   */
  readonly firstApply: Promise<FirstApply>;
  stop(): Promise<void>;
}

export interface FirstApply {
  readonly applied: number;
  readonly errors: readonly FolderProblem[];
}

export interface FolderOptions {
  readonly folder: string;
  readonly client: Client;
  readonly registry: Registry;
  readonly recorder: Pick<Recorder, "event">;
  readonly log: Log;
  readonly report: (line: FolderReport) => void;
  readonly clock: Clock;
}

// How long the first apply waits for what may heal: a pod whose ServiceAccount is being made, a server that starts.
const FIRST_APPLY_PATIENCE_MS = 5_000;
// Saving several files, or `git checkout`, comes as one round.
const GATHER_MS = 50;
// Where Warning Events about files go: an object that every cluster has.
const REGARDING = { apiVersion: "v1", kind: "Namespace", metadata: { name: "default" } } as KubeObject;

/** Rejects when the folder does not exist or is none. */
export async function startFolder(options: FolderOptions): Promise<FolderWatch> {
  const { folder, client, registry, recorder, clock } = options;
  const root = await realFolder(folder);
  const log = options.log.child({ folder });
  const stopping = new AbortController();
  const alarm = createAlarm(clock);
  const report = (level: FolderReport["level"], text: string) => options.report({ level, text, folder });

  const rounds = createRounds({
    root,
    cluster: createFolderCluster({ root, client, registry }),
    clock,
    onProblem(problem) {
      const text = problemText(problem);
      report("warning", text);
      // Events are combined and dropped when there are many, and a detached cluster has no console.
      log.warn({ problem: text }, "the folder has a problem");
      recorder.event(REGARDING, "Warning", "FolderProblem", text);
    },
    onInfo: (text) => report("info", text),
    onWarning: (text) => report("warning", text),
  });
  const first = createFirstApply(clock.now());
  const loop = async (signal: AbortSignal): Promise<void> => {
    while (!signal.aborted) {
      const result = await rounds.next(signal);
      first.after(result, clock.now());
      await alarm.wait(result.againMs, signal);
    }
  };
  const running = runForever("folder", loop, { log, clock, signal: stopping.signal });
  const watch = startWatch({
    root,
    clock,
    onChange: () => alarm.ring(GATHER_MS),
    onTrouble: (why) => report("warning", why),
  });
  return {
    firstApply: first.done,
    async stop() {
      stopping.abort();
      await Promise.all([watch.stop(), running]);
      first.giveUp();
    },
  };
}

async function realFolder(folder: string): Promise<string> {
  const absolute = resolve(folder);
  try {
    const root = await realpath(absolute);
    if ((await stat(root)).isDirectory()) return root;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") {
      throw new Error(`folder ${folder} does not exist`, { cause: error });
    }
    throw new Error(`folder ${folder} cannot be read: ${(error as Error).message}`, { cause: error });
  }
  throw new Error(`folder ${folder} is a file; name the folder that it lies in`);
}

/** Wakes the loop: `ring` soon after a change, or `wait`'s own time when it is over. */
function createAlarm(clock: Clock) {
  let wake: (() => void) | undefined;
  let rung = false;
  let pending = false;
  return {
    ring(afterMs: number): void {
      if (pending) return;
      pending = true;
      clock.after(afterMs, () => {
        pending = false;
        rung = true;
        wake?.();
      });
    },
    async wait(ms: number | undefined, signal: AbortSignal): Promise<void> {
      if (!rung && !signal.aborted) {
        await new Promise<void>((done) => {
          const cancel = ms === undefined ? undefined : clock.after(ms, done);
          wake = () => {
            cancel?.();
            done();
          };
          signal.addEventListener("abort", wake, { once: true });
        });
        if (wake) signal.removeEventListener("abort", wake);
        wake = undefined;
      }
      rung = false;
    },
  };
}

function createFirstApply(startedAt: number) {
  let settle: (first: FirstApply) => void = () => {};
  const done = new Promise<FirstApply>((resolve) => {
    settle = resolve;
  });
  let last: FirstApply = { applied: 0, errors: [] };
  return {
    done,
    after({ applied, problems, waiting }: RoundResult, nowMs: number): void {
      last = { applied, errors: problems };
      if (!waiting || nowMs - startedAt >= FIRST_APPLY_PATIENCE_MS) settle(last);
    },
    giveUp: () => settle(last),
  };
}
