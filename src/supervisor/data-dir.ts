// What may be done with a data directory, and what in it is kubemu's: nothing else is ever removed.
import { accessSync, constants, existsSync, mkdirSync, readdirSync, rmdirSync, rmSync } from "node:fs";
import { dirname, join, sep } from "node:path";
import { inUse, ownerOf } from "./lock.ts";
import { DATA_VERSION, readCluster } from "./state.ts";

const OWN =
  /^(cluster\.json|supervisor\.json|kubeconfig)(\.\d+)?$|^(supervisor|api)\.sock$|^(pki|store|store-in-memory|volumes|volumes-in-memory|logs|nodes|lock|nftables-\d+)$/;

/** As mkdir's own `recursive`, which never returns where the system lets nobody make a folder in one that is there (/proc). */
export function makeFolder(path: string): void {
  if (existsSync(path)) return;
  makeFolder(dirname(path));
  try {
    mkdirSync(path, { mode: 0o700 });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
  }
}

/** Refuses, with the reason, a data directory that another supervisor uses, that a newer kubemu wrote, or that cannot be read. */
export function checkDataDir(dataDir: string): void {
  const owner = ownerOf(dataDir);
  if (owner) throw inUse(dataDir, owner);
  const cluster = readCluster(dataDir);
  if (cluster && cluster.version > DATA_VERSION)
    throw new Error(
      `${dataDir} was written by a newer kubemu (version ${cluster.version}, this one reads ${DATA_VERSION})`,
    );
  const file = join(dataDir, "cluster.json");
  if (cluster || !existsSync(file)) return;
  try {
    accessSync(file, constants.R_OK);
  } catch (error) {
    throw unusable(dataDir, error);
  }
  throw new Error(`${file} is damaged; repair it, or remove ${dataDir} to start anew`);
}

// Writing to an open file fails without saying which.
const DISK_CODES: readonly unknown[] = ["ENOSPC", "EDQUOT", "EROFS", "EIO"];

/** What the operating system has against a file of the data directory, with the directory named; any other error as it is. */
export function unusable(dataDir: string, error: unknown): unknown {
  if (!(error instanceof Error)) return error;
  const { code, path, dest }: NodeJS.ErrnoException & { dest?: string } = error;
  // Above it: what could not be made on the way to it.
  const isOfIt = (each = "") => each === dataDir || each.startsWith(dataDir + sep) || isAbove(each);
  const isAbove = (each: string) => each !== "" && dataDir.startsWith(each + sep);
  if (code === undefined || !(isOfIt(path) || isOfIt(dest) || DISK_CODES.includes(code))) return error;
  return new Error(`the data directory ${dataDir} cannot be used: ${error.message}`, { cause: error });
}

/** True once a supervisor has been at work there. */
export function isDataDir(dataDir: string): boolean {
  return existsSync(join(dataDir, "cluster.json")) || existsSync(join(dataDir, "lock"));
}

/** Removes the cluster's data, and the directory where nothing else lies in it. Returns the names of what is left. */
export function deleteData(dataDir: string): string[] {
  for (const name of readdirSync(dataDir))
    if (OWN.test(name)) rmSync(join(dataDir, name), { recursive: true, force: true });
  const left = readdirSync(dataDir);
  if (left.length === 0) rmdirSync(dataDir);
  return left;
}

/** Removes what a cluster started with --in-memory had written. */
export function forgetMemory(dataDir: string): void {
  for (const name of ["store-in-memory", "volumes-in-memory"])
    rmSync(join(dataDir, name), { recursive: true, force: true });
}
