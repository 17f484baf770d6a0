import { expect, test } from "vitest";
import type { Node, Taint } from "../../../src/api/generated/types.ts";
import { TAINT_OUT_OF_SERVICE } from "../../../src/api/names.ts";
import { conflict } from "../../../src/api/status-error.ts";
import type { Client } from "../../../src/client/client.ts";
import { markLost } from "../../../src/supervisor/node-api.ts";

const LOST = { key: TAINT_OUT_OF_SERVICE, value: "nodeshutdown", effect: "NoExecute" };
const OTHER = { key: "example.com/gpu", effect: "NoSchedule" };
type Patch = { spec?: { taints: Taint[] }; metadata?: { resourceVersion: string }; status?: Node["status"] };

/** One Node behind a client that keeps to resourceVersions. `before` runs ahead of each patch of the object itself. */
function cluster(taints: Taint[], ready: string, before: (node: Node) => void = () => {}) {
  const node = {
    metadata: { name: "node-1", resourceVersion: "1" },
    spec: { taints },
    status: { conditions: [{ type: "Ready", status: ready }] },
  } as unknown as Node;
  const bump = () => {
    node.metadata.resourceVersion = String(Number(node.metadata.resourceVersion) + 1);
  };
  const client = {
    find: async () => structuredClone(node),
    get: async () => structuredClone(node),
    patch: async (_: unknown, __: unknown, ___: unknown, patch: Patch) => {
      if (patch.status) node.status = patch.status;
      else {
        before(node);
        if (patch.metadata?.resourceVersion !== node.metadata.resourceVersion)
          throw conflict({ group: "", plural: "nodes" }, "node-1");
        node.spec.taints = patch.spec?.taints ?? [];
      }
      bump();
      return node;
    },
  } as unknown as Client;
  return { node, client, bump };
}

test("a lost node is tainted out of service, and its readiness unknown in the kubelet's absence", async () => {
  const { node, client } = cluster([OTHER], "True");
  await markLost(client, "node-1", Date.parse("2026-01-02T03:04:05Z"));
  expect(node.spec?.taints).toEqual([OTHER, LOST]);
  expect(node.status?.conditions).toEqual([
    {
      type: "Ready",
      status: "Unknown",
      reason: "NodeStatusUnknown",
      message: "Kubelet stopped posting node status.",
      lastHeartbeatTime: "2026-01-02T03:04:05Z",
      lastTransitionTime: "2026-01-02T03:04:05Z",
    },
  ]);
});

test("another writer's taint is not lost to the race", async () => {
  let raced = false;
  const { node, client, bump } = cluster([], "True", (current) => {
    if (raced) return;
    raced = true;
    current.spec.taints = [OTHER];
    bump();
  });
  await markLost(client, "node-1", 0);
  expect(node.spec?.taints).toEqual([OTHER, LOST]);
});
