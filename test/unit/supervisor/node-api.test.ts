import { expect, test } from "vitest";
import type { Node, Taint } from "../../../src/api/generated/types.ts";
import { TAINT_OUT_OF_SERVICE } from "../../../src/api/names.ts";
import { conflict } from "../../../src/api/status-error.ts";
import { systemClock } from "../../../src/base/clock.ts";
import type { Client } from "../../../src/client/client.ts";
import { awaitReady, markLost } from "../../../src/supervisor/node-api.ts";

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

const waiting = (takeBackLoss: boolean, signal = new AbortController().signal) => ({
  takeBackLoss,
  clock: systemClock,
  signal,
});

test("a node that is back loses that taint and no other", async () => {
  const { node, client } = cluster([OTHER, LOST], "True");
  await awaitReady(client, "node-1", waiting(true));
  expect(node.spec?.taints).toEqual([OTHER]);
});

test("an administrator's taint stays where the supervisor sets none", async () => {
  const { node, client } = cluster([LOST], "True");
  await awaitReady(client, "node-1", waiting(false));
  expect(node.spec?.taints).toEqual([LOST]);
});

test("readiness is awaited, and the wait can be cut off", async () => {
  const { node, client } = cluster([], "Unknown");
  const cut = new AbortController();
  let settled = false;
  const wait = awaitReady(client, "node-1", waiting(true)).then(() => {
    settled = true;
  });
  const cutOff = awaitReady(client, "node-1", waiting(true, cut.signal));
  await new Promise(setImmediate);
  expect(settled).toBe(false);
  cut.abort();
  await cutOff;
  expect(settled).toBe(false);
  node.status = { conditions: [{ type: "Ready", status: "True" }] };
  await wait;
});
