import { expect, test } from "vitest";
import { ensureNode, schedulableReason } from "../../../../../agents/node/registration/register.ts";
import type { Node } from "../../../../../src/api/generated/types.ts";
import { nodes } from "../../../../../src/api/kinds/node.ts";
import { TAINT_OUT_OF_SERVICE } from "../../../../../src/api/names.ts";
import { alreadyExists, notFound, statusError } from "../../../../../src/api/status-error.ts";
import type { Client } from "../../../../../src/client/client.ts";
import type { NodeAgentSettings } from "../../../../../src/process/settings.ts";

const settings = { node: "node-1", slot: 1, index: 1, singleAddress: false } as NodeAgentSettings;
const status = { conditions: [{ type: "Ready", status: "True" }] } as Node["status"] & object;

/** A Node that was lost; each of `mishaps` happens to one write of it. */
function lostNode(mishaps: ("changed" | "deleted")[]) {
  let version = 1;
  let stored: Node | undefined = {
    metadata: { name: "node-1", uid: "u", resourceVersion: "1" },
    spec: { taints: [{ key: TAINT_OUT_OF_SERVICE, effect: "NoExecute" }] },
  } as unknown as Node;
  const client: Partial<Client> = {
    async create(_resource, object) {
      if (stored) throw alreadyExists(nodes, "node-1");
      stored = object as unknown as Node;
      return stored as never;
    },
    async get() {
      if (!stored) throw notFound(nodes, "node-1");
      return structuredClone(stored) as never;
    },
    async patch(_resource, _at, _type, patch) {
      const mishap = mishaps.shift();
      if (mishap === "deleted") stored = undefined;
      if (!stored) throw notFound(nodes, "node-1");
      if (mishap === "changed") stored.metadata.resourceVersion = String(++version);
      const { metadata, spec } = patch as Node;
      if (metadata.resourceVersion !== stored.metadata.resourceVersion)
        throw statusError("Conflict", "the object has been modified");
      stored = { ...stored, spec: { ...stored.spec, ...spec } } as Node;
      return stored as never;
    },
  };
  return client as Client;
}

test("takes the Node over even while others write to it", async () => {
  const { node, isNew } = await ensureNode({ settings, client: lostNode(["changed", "changed"]) }, status);
  expect([isNew, node.spec?.taints, node.spec?.podCIDR]).toEqual([false, [], "127.1.1.0/24"]);
});

test("makes the Node anew when it is deleted meanwhile", async () => {
  const { node, isNew } = await ensureNode({ settings, client: lostNode(["deleted"]) }, status);
  expect([isNew, node.status]).toEqual([true, status]);
});

test("a node that is cordoned or uncordoned has the kubelet's reason for it, and no other change has one", () => {
  const node = (unschedulable?: boolean) =>
    ({
      metadata: { name: "node-1" },
      spec: unschedulable === undefined ? {} : { unschedulable },
    }) as Node;
  expect(schedulableReason(node(true), node())).toBe("NodeNotSchedulable");
  expect(schedulableReason(node(), node(true))).toBe("NodeSchedulable");
  expect(schedulableReason(node(false), node())).toBeUndefined();
  expect(schedulableReason(node(true), node(true))).toBeUndefined();
  expect(schedulableReason(node(true), undefined)).toBeUndefined();
  expect(schedulableReason(undefined, node(true))).toBeUndefined();
});
