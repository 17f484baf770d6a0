// `kubemu up`: starts the supervisor as a process of its own, shows how the start goes, and stays (Ctrl-C stops everything) or leaves.
import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, existsSync, openSync, realpathSync, statSync } from "node:fs";
import { join, resolve } from "node:path";
import type { Profile } from "../../base/timing.ts";
import { childEnvironment, nodeFlags, programFile } from "../../supervisor/children.ts";
import type { ProxyModeWish } from "../../supervisor/proxy-mode.ts";
import type { SupervisorSettings } from "../../supervisor/settings.ts";
import { MOST_NODES } from "../../supervisor/state.ts";
import { type Invocation, parseCount, parseDuration } from "../command.ts";

const HIGHEST_PORT = 65_535;

export async function up(invocation: Invocation): Promise<number> {
  const { options, dataDir } = invocation;
  const settings = parseUp(invocation);
  const { checkDataDir, makeFolder, unusable } = await import("../../supervisor/data-dir.ts");
  let real = settings;
  let child: ChildProcess;
  try {
    makeFolder(join(dataDir, "logs"));
    real = { ...settings, dataDir: realpathSync(dataDir) };
    // The supervisor's own check comes again; this one gives the reason without starting anything.
    checkDataDir(real.dataDir);
    child = startSupervisorProcess(real);
  } catch (error) {
    throw unusable(real.dataDir, error);
  }
  const detach = options["detach"] === true;
  const { follow } = await import("../follow-start.ts");
  return follow(child, { settings: real, detach, merge: options["merge"] !== false });
}

function parseUp({ name, dataDir, arguments: folders, options }: Invocation): SupervisorSettings {
  const count = (option: string, range: readonly [number, number]) => {
    const text = options[option];
    return typeof text === "string"
      ? parseCount(`--${option === "apiPort" ? "api-port" : option}`, text, range)
      : undefined;
  };
  const nodes = count("nodes", [1, MOST_NODES]);
  const apiPort = count("apiPort", [0, HIGHEST_PORT]);
  return {
    name,
    dataDir,
    inMemory: options["inMemory"] === true,
    folders: [...new Set(folders.map(checkFolder))],
    ...(nodes === undefined ? {} : { nodes }),
    ...(apiPort === undefined || apiPort === 0 ? {} : { apiPort }),
    ...(options["profile"] === undefined ? {} : { profile: options["profile"] as Profile }),
    ...(typeof options["endpointLag"] === "string"
      ? { endpointLagMs: parseDuration("--endpoint-lag", options["endpointLag"]) }
      : {}),
    ...(options["proxyMode"] === undefined ? {} : { proxyMode: options["proxyMode"] as ProxyModeWish }),
    ...(options["singleAddress"] === true ? { singleAddress: true } : {}),
  };
}

function checkFolder(folder: string): string {
  const path = resolve(folder);
  if (!existsSync(path)) throw new Error(`the folder ${path} does not exist`);
  if (!statSync(path).isDirectory()) throw new Error(`${path} is no folder`);
  return realpathSync(path);
}

function startSupervisorProcess(settings: SupervisorSettings): ChildProcess {
  const log = openSync(join(settings.dataDir, "logs", "supervisor.log"), "a", 0o600);
  const child = spawn(
    process.execPath,
    [...nodeFlags("supervisor"), programFile("supervisor"), "--settings", JSON.stringify(settings)],
    {
      // A session of its own: Ctrl-C at the terminal is for `up`, which then asks it to stop.
      detached: true,
      stdio: ["ignore", log, log, "ipc"],
      env: childEnvironment(process.env, settings.dataDir),
    },
  );
  closeSync(log);
  return child;
}
