// What may be done with a data directory, and what in it is kubemu's: nothing else is ever removed.
import { existsSync, readdirSync, rmdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { inUse, ownerOf } from "./lock.ts";
import { DATA_VERSION, readCluster } from "./state.ts";

const OWN =
  /^(cluster\.json|supervisor\.json|kubeconfig)(\.\d+)?$|^supervisor\.sock$|^(pki|store|store-in-memory|logs|nodes|lock)$/;

/** Refuses, with the reason, a data directory that another supervisor uses, that a newer kubemu wrote, or that cannot be read. */
export function checkDataDir(dataDir: string): void {
  const owner = ownerOf(dataDir);
  if (owner) throw inUse(dataDir, owner);
  const cluster = readCluster(dataDir);
  if (cluster && cluster.version > DATA_VERSION)
    throw new Error(
      `${dataDir} was written by a newer kubemu (version ${cluster.version}, this one reads ${DATA_VERSION})`,
    );
  if (!cluster && existsSync(join(dataDir, "cluster.json")))
    throw new Error(`${join(dataDir, "cluster.json")} is damaged; remove ${dataDir} to start anew`);
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
