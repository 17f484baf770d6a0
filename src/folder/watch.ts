// Says that something below a folder changed, not what: the folder is then looked at as a whole. Where the system's own
// notices are not to be had (too many watches), it says so now and then.
import { relative, sep } from "node:path";
import type { Clock } from "../base/clock.ts";
import { isHidden, isManifest } from "./scan.ts";

export interface Watch {
  stop(): Promise<void>;
}

const POLL_MS = 2_000;

/**
 * `onChange` is called for every notice, and once when watching has begun, for what changed before. `onTrouble` gets a
 * sentence when notices may be missing.
 */
export function startWatch(options: {
  readonly root: string;
  readonly clock: Clock;
  readonly onChange: () => void;
  readonly onTrouble: (why: string) => void;
}): Watch {
  const { root, clock, onChange, onTrouble } = options;
  const stopping = new AbortController();
  let polling = false;

  const poll = async (): Promise<void> => {
    while (!stopping.signal.aborted) {
      await clock.sleep(POLL_MS, stopping.signal);
      if (!stopping.signal.aborted) onChange();
    }
  };
  const pollInstead = (error: unknown): void => {
    if (polling) return;
    polling = true;
    const why = error instanceof Error ? error.message : String(error);
    onTrouble(`changes are noticed late, by looking every ${POLL_MS / 1000} seconds: ${why}`);
    void poll();
  };
  const ignored = (path: string, stats?: { isFile(): boolean }): boolean => {
    const hidden = relative(root, path)
      .split(sep)
      .some((part) => part !== ".." && isHidden(part));
    // A watch for each file costs: only those that matter get one.
    return hidden || (stats?.isFile() === true && !isManifest(path));
  };
  const open = async () => {
    const { watch } = await import("chokidar");
    if (stopping.signal.aborted) return undefined;
    return watch(root, { ignoreInitial: true, followSymlinks: false, ignored })
      .on("all", onChange)
      .on("ready", onChange)
      .on("error", pollInstead);
  };
  const opened = open().catch((error: unknown) => {
    pollInstead(error);
    return undefined;
  });
  return {
    async stop() {
      stopping.abort();
      await (await opened)?.close();
    },
  };
}
