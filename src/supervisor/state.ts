// The two files that say what a cluster is: cluster.json (kept from `up` to `up`) and supervisor.json (while it runs).
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Profile } from "../base/timing.ts";
import type { ProcessIdentity } from "../process/identity.ts";

/** What the data directory's layout is called. A directory with a larger number was written by a newer kubemu. */
export const DATA_VERSION = 1;

export interface ClusterFile {
  readonly version: number;
  readonly name: string;
  /** The second octet of 127.0.0.0/8 that it had last; taken again if it is free. */
  readonly slot: number;
  readonly apiPort: number;
  readonly nodes: readonly ClusterNode[];
  readonly profile: Profile;
  readonly singleAddress: boolean;
}

export interface ClusterNode {
  readonly name: string;
  /** i of `127.S.i.1`. */
  readonly index: number;
}

export interface SupervisorFile extends ProcessIdentity {
  readonly phase: Phase;
  readonly apiServer: string;
  /** The Unix socket that takes commands. */
  readonly socket: string;
}

export type Phase = "Starting" | "Running" | "Stopping" | "Stopped";

/** What `kubemu status -o json` prints. */
export interface ClusterStatus {
  readonly name: string;
  readonly phase: Phase;
  readonly apiServer: string;
  readonly kubeconfig: string;
  readonly dataDir: string;
  readonly profile: Profile;
  readonly supervisor: { readonly pid: number };
  readonly controlPlane: { readonly pid: number };
  readonly proxy: { readonly pid: number; readonly workers: readonly number[] };
  readonly nodes: readonly NodeStatus[];
}

export type NodeState = "starting" | "running" | "paused" | "stopped" | "killed";

export interface NodeStatus {
  readonly name: string;
  /** 0 while it has no process. */
  readonly pid: number;
  readonly state: NodeState;
  readonly address: string;
  readonly pods: number;
}

/** A problem of one document of a watched folder. */
export interface FolderError {
  readonly file: string;
  readonly line?: number;
  readonly column?: number;
  readonly message: string;
}

/** What the control plane says once it has applied a folder for the first time, over IPC. */
export interface FolderApplied {
  readonly folder: string;
  readonly applied: number;
  readonly errors: readonly FolderError[];
}

/** A line about a watched folder, for the console. */
export interface FolderLine {
  readonly folder: string;
  readonly level: "info" | "warning";
  readonly text: string;
}

/** undefined where there is no such file or it is no JSON. */
function readJson<T>(path: string): T | undefined {
  try {
    return JSON.parse(readFileSync(path, "utf8")) as T;
  } catch {
    return undefined;
  }
}

function writeJson(path: string, value: unknown): void {
  const temporary = `${path}.${process.pid}`;
  writeFileSync(temporary, `${JSON.stringify(value, null, 2)}\n`, { mode: 0o600 });
  renameSync(temporary, path);
}

export const readCluster = (dataDir: string) => readJson<ClusterFile>(join(dataDir, "cluster.json"));
export const readSupervisor = (dataDir: string) => readJson<SupervisorFile>(join(dataDir, "supervisor.json"));
export const writeSupervisor = (dataDir: string, file: SupervisorFile) =>
  writeJson(join(dataDir, "supervisor.json"), file);

export function writeCluster(dataDir: string, file: ClusterFile): void {
  mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  writeJson(join(dataDir, "cluster.json"), file);
}

/** Records what has changed; nothing where supervisor.json is not this process's: then the directory is another's. */
export function recordState(
  dataDir: string,
  change: Pick<SupervisorFile, "phase"> & Partial<SupervisorFile>,
): void {
  const file = readSupervisor(dataDir);
  if (file?.pid === process.pid) writeSupervisor(dataDir, { ...file, ...change });
}

/** Removes supervisor.json where it is this process's. */
export function removeState(dataDir: string): void {
  if (readSupervisor(dataDir)?.pid === process.pid) rmSync(join(dataDir, "supervisor.json"), { force: true });
}
