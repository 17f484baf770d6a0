import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { notFound } from "../../../src/api/status-error.ts";
import { silentLog } from "../../../src/base/log.ts";
import type { Client } from "../../../src/client/client.ts";
import { removeCutNodes } from "../../../src/supervisor/cut-nodes.ts";
import { type ClusterFile, DATA_VERSION, readCluster, writeCluster } from "../../../src/supervisor/state.ts";

let dataDir: string;
beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), "kubemu-cut-"));
});
afterEach(() => rmSync(dataDir, { recursive: true, force: true }));

const CLUSTER: ClusterFile = {
  version: DATA_VERSION,
  name: "kubemu",
  slot: 16,
  apiPort: 6443,
  nodes: [{ name: "node-1", index: 1 }],
  profile: "fast",
  singleAddress: false,
};
const CUT: ClusterFile = { ...CLUSTER, cutNodes: ["node-2", "node-3"] };

/** An API with these nodes, and these pods by name and node. */
function api(nodes: string[], pods: Record<string, string>) {
  const client = {
    async delete({ plural }: { plural: string }, { name }: { name: string }) {
      if (plural === "pods") delete pods[name];
      else if (nodes.includes(name)) nodes.splice(nodes.indexOf(name), 1);
      else throw notFound({ group: "", plural: "nodes" }, name);
    },
    async list(_: unknown, { fieldSelector }: { fieldSelector: string }) {
      const bound = Object.keys(pods).filter((name) => fieldSelector === `spec.nodeName=${pods[name]}`);
      return { items: bound.map((name) => ({ metadata: { namespace: "default", name } })) };
    },
  } as unknown as Client;
  return { client, nodes, pods };
}

const remove = (client: Client, cluster: ClusterFile) => {
  writeCluster(dataDir, cluster);
  return removeCutNodes(async () => client, { dataDir, cluster, log: silentLog });
};

test("nodes that were cut go with their pods, and only they; one that is gone already is fine", async () => {
  const { client, nodes, pods } = api(["node-1", "node-3", "theirs"], {
    a: "node-1",
    b: "node-3",
    c: "theirs",
  });
  expect(await remove(client, CUT)).toEqual(CLUSTER);
  expect(nodes).toEqual(["node-1", "theirs"]);
  expect(Object.keys(pods)).toEqual(["a", "c"]);
  expect(readCluster(dataDir)).toEqual(CLUSTER);
});

test("what could not be removed is left to the next start", async () => {
  const { client, nodes } = api(["node-2", "node-3"], {});
  const { delete: given } = client;
  client.delete = ((...parameters: Parameters<typeof given>) =>
    nodes.length === 2
      ? Promise.reject(new Error("away")).finally(() => nodes.shift())
      : given(...parameters)) as typeof given;
  expect(await remove(client, CUT)).toEqual({ ...CLUSTER, cutNodes: ["node-2"] });
  expect(readCluster(dataDir)?.cutNodes).toEqual(["node-2"]);
});
