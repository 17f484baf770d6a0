// The program dist/supervisor.js: `kubemu up` starts it, listens to how the start goes, and leaves (--detach) or stays in the foreground. It
// ends the cluster when it is told to, by the command socket, a signal, or the end of a foreground `up`.
import { rmSync } from "node:fs";
import { systemClock } from "../base/clock.ts";
import { createLineLog } from "../base/line-log.ts";
import { answerCommand, overview } from "./answer-command.ts";
import { serveCommands, socketPath } from "./command-socket.ts";
import type { FromSupervisor, SupervisorSettings, ToSupervisor } from "./settings.ts";
import { type Supervisor, startSupervisor } from "./start.ts";
import { type FolderApplied, recordState, removeState } from "./state.ts";

// Answers that are on their way out still have to leave the process.
const LINGER_MS = 20;

const settings = JSON.parse(
  process.argv[process.argv.indexOf("--settings") + 1] ?? "{}",
) as SupervisorSettings;
const log = createLineLog({ part: "supervisor" });
const { dataDir } = settings;
const path = socketPath(dataDir);
const folders = new Map<string, FolderApplied>();
const cut = new AbortController();
let supervisor: Supervisor | undefined;
let stopping: Promise<void> | undefined;
let attached = true;
// The log is a file: where the disk is full the cluster goes on without one.
process.stdout.on("error", () => {});

const tell = (message: FromSupervisor) => {
  if (process.connected) process.send?.(message, undefined, {}, () => {});
};
const leave = (code: number) => setTimeout(() => process.exit(code), LINGER_MS);

const starting = startSupervisor({
  settings,
  env: process.env,
  log,
  clock: systemClock,
  signal: cut.signal,
  progress: (line) => tell({ progress: line }),
  onFolder: (applied) => folders.set(applied.folder, applied),
  onLine: (line) => tell({ line }),
});

const stop = (): Promise<void> => {
  stopping ??= (async () => {
    try {
      recordState(dataDir, { phase: "Stopping" });
    } catch (error) {
      // A full disk is no reason to go on running.
      log.warn({ error: String(error) }, "the phase could not be recorded");
    }
    cut.abort();
    const running = await starting.catch(() => undefined);
    await running?.stop();
    rmSync(path, { force: true });
    removeState(dataDir);
    tell({ stopped: true });
    log.info({}, "the cluster is stopped");
    leave(0);
  })();
  return stopping;
};

process.on("disconnect", () => {
  if (attached) void stop();
});
process.on("message", (message: ToSupervisor) => {
  if ("stop" in message) void stop();
  if ("detach" in message) attached = false;
});
// Ctrl-C reaches the whole foreground group; the CLI decides what it means.
process.on("SIGINT", () => {});
process.on("SIGHUP", () => {});
process.on("SIGTERM", () => void stop());

const life = {
  phase: () => (stopping ? ("Stopping" as const) : supervisor ? ("Running" as const) : ("Starting" as const)),
  stop,
};

/** Tells whoever waits how the start went, and serves commands from then on. */
async function announce(): Promise<void> {
  try {
    supervisor = await starting;
    // After the start: until then the socket may be that of a supervisor which has the directory.
    await serveCommands(path, (command) => answerCommand(supervisor, command, life));
    recordState(dataDir, { phase: "Running", apiServer: supervisor.apiServer });
    tell({ ready: true, cluster: overview(supervisor, "Running"), folders: [...folders.values()] });
  } catch (error) {
    if (!stopping) {
      const message = error instanceof Error ? error.message : String(error);
      const full = error instanceof Error ? error.stack : undefined;
      log.error({ error: full ?? message }, "the cluster could not be started");
      tell({ failed: message });
      removeState(dataDir);
      leave(1);
    }
  }
}

void announce();
