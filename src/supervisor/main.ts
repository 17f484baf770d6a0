// The program dist/supervisor.js: `kubemu up` starts it, listens to how the start goes, and leaves (--detach) or stays in the foreground. It
// ends the cluster when it is told to, by the command socket, a signal, or the end of a foreground `up`.
import { rmSync } from "node:fs";
import { join } from "node:path";
import { systemClock } from "../base/clock.ts";
import { createLineLog } from "../base/line-log.ts";
import { answerCommand } from "./answer-command.ts";
import { serveCommands, socketPath } from "./command-socket.ts";
import type { FromSupervisor, SupervisorSettings, ToSupervisor } from "./settings.ts";
import { ownIdentity, type Supervisor, startSupervisor } from "./start.ts";
import { type FolderApplied, type Phase, writeSupervisor } from "./state.ts";

const settings = JSON.parse(
  process.argv[process.argv.indexOf("--settings") + 1] ?? "{}",
) as SupervisorSettings;
const log = createLineLog({ part: "supervisor" });
const { dataDir } = settings;
const path = socketPath(dataDir);
const folders = new Map<string, FolderApplied>();
let supervisor: Supervisor | undefined;
let stopping: Promise<void> | undefined;
let attached = true;

const tell = (message: FromSupervisor) => {
  if (process.connected) process.send?.(message, undefined, {}, () => {});
};
const record = (phase: Phase) =>
  writeSupervisor(dataDir, { ...ownIdentity(), phase, apiServer: supervisor?.apiServer ?? "", socket: path });

const stop = (): Promise<void> => {
  stopping ??= (async () => {
    if (supervisor) {
      record("Stopping");
      await supervisor.stop();
    }
    rmSync(join(dataDir, "supervisor.json"), { force: true });
    rmSync(path, { force: true });
    tell({ stopped: true });
    log.info({}, "the cluster is stopped");
    // The answer to whoever asked goes out first.
    setTimeout(() => process.exit(0), 20);
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

try {
  supervisor = await startSupervisor({
    settings,
    env: process.env,
    log,
    clock: systemClock,
    progress: (line) => tell({ progress: line }),
    onFolder: (applied) => folders.set(applied.folder, applied),
    onLine: (line) => tell({ line }),
  });
  const running = supervisor;
  await serveCommands(path, (command) =>
    answerCommand(running, command, { phase: () => (stopping ? "Stopping" : "Running"), stop }),
  );
  record("Running");
  const { status } = await import("./answer-command.ts");
  tell({ ready: true, status: await status(running, "Running"), folders: [...folders.values()] });
} catch (error) {
  const message = error instanceof Error ? error.message : String(error);
  log.error(
    { error: error instanceof Error ? (error.stack ?? message) : message },
    "the cluster could not be started",
  );
  tell({ failed: message });
  setTimeout(() => process.exit(1), 20);
}
