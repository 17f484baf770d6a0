// The official Python client, as Debian packages it, against a cluster.
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Cluster, run, startCluster } from "./harness.ts";

// Debian's own: another Python on the PATH does not see Debian's packages.
const PYTHON = "/usr/bin/python3";

function hasClient(): boolean {
  try {
    execFileSync(PYTHON, ["-c", "import kubernetes"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}

const isThere = hasClient();
if (!isThere) console.log("skipped: the Python client (python3-kubernetes) is not installed");

let cluster: Cluster;
beforeAll(async () => {
  if (isThere) cluster = await startCluster({ nodes: 2 });
});
afterAll(() => cluster?.stop());

test.skipIf(!isThere)("creates, watches, runs commands, forwards ports, scales and evicts", async () => {
  const script = join(import.meta.dirname, "client-python.py");
  const { stdout, stderr } = await run(PYTHON, [script, join(cluster.dataDir, "kubeconfig")]);
  expect(stderr).toBe("");
  expect(JSON.parse(stdout)).toEqual({
    dynamic: "b",
    ready: 2,
    exec: "out\n",
    shell: ["through stdin\n", 3],
    forwarded: "HTTP/1.1 200 OK",
    log: true,
    scale: 1,
    evicted: true,
    absent: [404, 'pods "absent" not found'],
  });
});
