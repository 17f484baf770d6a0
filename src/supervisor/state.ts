// The two files that say what a cluster is: cluster.json (kept from `up` to `up`) and supervisor.json (while it runs). Anybody may have
// edited them: what is read has every field in its range, or counts as damaged.
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Profile } from "../base/timing.ts";
import type { ProcessIdentity } from "../process/identity.ts";
import type { ProxyMode } from "../process/settings.ts";

/** 127.S.192.0 and up belongs to Services. */
export const MOST_NODES = 190;

/**
 * What the data directory's layout is called. A directory with a larger number was written by a newer kubemu. 2: the database may tell the
 * revision by its newest row alone.
 */
export const DATA_VERSION = 2;

export interface ClusterFile {
  readonly version: number;
  readonly name: string;
  /** The second octet of 127.0.0.0/8 that it had last; taken again if it is free. */
  readonly slot: number;
  readonly apiPort: number;
  readonly nodes: readonly ClusterNode[];
  /** Names of nodes that `up --nodes` has cut and that the API still knows. */
  readonly cutNodes?: readonly string[];
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
export interface ClusterStatus extends ClusterOverview {
  readonly nodes: readonly NodeStatus[];
}

/** What the supervisor knows of its own, without asking the API. */
export interface ClusterOverview {
  readonly name: string;
  readonly phase: Phase;
  readonly apiServer: string;
  readonly kubeconfig: string;
  readonly dataDir: string;
  readonly profile: Profile;
  readonly supervisor: { readonly pid: number };
  readonly controlPlane: { readonly pid: number };
  readonly proxy: {
    readonly pid: number;
    readonly workers: readonly number[];
    readonly mode: ProxyMode;
    /** Why it is not the mode that was hoped for (`--proxy-mode auto`). */
    readonly note?: string;
  };
  readonly nodes: readonly NodeOverview[];
}

/** `partitioned`: it cannot reach the API, and its pods go on. */
export type NodeState = "starting" | "running" | "paused" | "partitioned" | "stopped" | "killed";

export interface NodeOverview {
  readonly name: string;
  /** 0 while it has no process. */
  readonly pid: number;
  readonly state: NodeState;
  readonly address: string;
}

export interface NodeStatus extends NodeOverview {
  /** Absent while the control plane does not answer. */
  readonly pods?: number;
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

/** Nothing is in it where there is no such file or it is no JSON object. */
function readJson(path: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(readFileSync(path, "utf8"));
    return typeof value === "object" && value !== null ? { ...value } : {};
  } catch {
    return {};
  }
}

function writeJson(path: string, value: unknown): void {
  const temporary = `${path}.${process.pid}`;
  try {
    writeFileSync(temporary, `${JSON.stringify(value, null, 2)}\n`, { mode: 0o600 });
    renameSync(temporary, path);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  }
}

const NODE_NAME = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/;
const PHASES: readonly unknown[] = ["Starting", "Running", "Stopping", "Stopped"];

const isWhole = (value: unknown, least: number, most: number) =>
  Number.isInteger(value) && Number(value) >= least && Number(value) <= most;
const isText = (value: unknown): value is string => typeof value === "string";
const isNodeName = (value: unknown) => isText(value) && NODE_NAME.test(value);

/** undefined where there is none or it is damaged. Of one that a newer kubemu wrote only the version is known. */
export function readCluster(dataDir: string): ClusterFile | undefined {
  const file = readJson(join(dataDir, "cluster.json"));
  const { version, nodes, cutNodes = [] } = file;
  const isNewer = isWhole(version, DATA_VERSION + 1, Number.MAX_SAFE_INTEGER);
  const isSound =
    isWhole(version, 1, DATA_VERSION) &&
    isText(file["name"]) &&
    isWhole(file["slot"], 1, 254) &&
    isWhole(file["apiPort"], 0, 65_535) &&
    (file["profile"] === "fast" || file["profile"] === "kubernetes") &&
    typeof file["singleAddress"] === "boolean" &&
    Array.isArray(nodes) &&
    areNodes(nodes) &&
    Array.isArray(cutNodes) &&
    cutNodes.every(isNodeName);
  return isNewer || isSound ? (file as unknown as ClusterFile) : undefined;
}

/** Names become names of files and indexes become addresses: both have to be one node's alone. */
function areNodes(values: readonly unknown[]): boolean {
  const nodes = values.map((value) => ({ ...(value as Partial<ClusterNode> | null) }));
  return (
    nodes.every(({ name, index }) => isNodeName(name) && isWhole(index, 1, MOST_NODES)) &&
    new Set(nodes.map(({ name }) => name)).size === nodes.length &&
    new Set(nodes.map(({ index }) => index)).size === nodes.length
  );
}

/** undefined where there is none or it is damaged. */
export function readSupervisor(dataDir: string): SupervisorFile | undefined {
  const file = readJson(join(dataDir, "supervisor.json"));
  const isSound =
    isWhole(file["pid"], 1, Number.MAX_SAFE_INTEGER) &&
    PHASES.includes(file["phase"]) &&
    ["startTime", "apiServer", "socket"].every((name) => isText(file[name]));
  return isSound ? (file as unknown as SupervisorFile) : undefined;
}

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
