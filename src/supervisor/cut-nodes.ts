// What `up` with fewer nodes than before leaves to do: the machines are not started, but the API has their Nodes and pods bound to them.
// cluster.json remembers which, so that a start which fails in between leaves it to the next one.
import type { Log } from "../base/log.ts";
import type { Client } from "../client/client.ts";
import { removeNode } from "./node-api.ts";
import { type ClusterFile, type ClusterNode, writeCluster } from "./state.ts";

/** The names that are to be removed: of nodes that were there, or were cut before, and are not among `nodes`. */
export function chooseCutNodes(before: ClusterFile | undefined, nodes: readonly ClusterNode[]): string[] {
  const had = [...(before?.cutNodes ?? []), ...(before?.nodes ?? []).map(({ name }) => name)];
  return [...new Set(had)].filter((name) => !nodes.some((node) => node.name === name));
}

/** Removes them from the API and from cluster.json, and resolves with what that says then. Never rejects for what the API says: the next start tries again. */
export async function removeCutNodes(
  client: () => Promise<Client>,
  { dataDir, cluster, log }: { dataDir: string; cluster: ClusterFile; log: Log },
): Promise<ClusterFile> {
  const { cutNodes = [], ...rest } = cluster;
  if (cutNodes.length === 0) return cluster;
  const left: string[] = [];
  for (const name of cutNodes) {
    try {
      await removeNode(await client(), name);
    } catch (error) {
      log.warn({ node: name, error: String(error) }, "a node that was cut could not be removed");
      left.push(name);
    }
  }
  const settled = left.length > 0 ? { ...rest, cutNodes: left } : rest;
  writeCluster(dataDir, settled);
  return settled;
}
