import { expect, test } from "vitest";
import { createNodeLookup, nodeAddressOf } from "../../../../agents/proxy/node-places.ts";
import type { Node } from "../../../../src/api/generated/types.ts";

test("a client is of the node whose address or pod range it has", () => {
  const nodeOf = createNodeLookup([
    { name: "a", address: "127.16.1.1", podCidr: "127.16.1.0/24" },
    { name: "b", address: "127.16.2.1" },
    { name: "c", address: "127.16.3.1", podCidr: "nonsense" },
  ]);
  expect(
    ["127.16.1.1", "127.16.1.200", "127.16.2.1", "127.16.2.9", "127.16.3.9", "::1", ""].map(nodeOf),
  ).toEqual(["a", "a", "b", undefined, undefined, undefined, undefined]);
  expect(
    createNodeLookup([{ name: "a", address: "127.0.0.1", podCidr: "127.0.0.0/8" }])("127.0.0.1"),
  ).toBeUndefined();
});

test("a node counts once it has an address, with its zone", () => {
  const node = {
    metadata: { name: "a", labels: { "topology.kubernetes.io/zone": "east" } },
    spec: { podCIDR: "127.16.1.0/24" },
    status: {
      addresses: [
        { type: "Hostname", address: "a" },
        { type: "InternalIP", address: "127.16.1.1" },
      ],
    },
  } as unknown as Node;
  expect(nodeAddressOf(node)).toEqual({
    name: "a",
    address: "127.16.1.1",
    zone: "east",
    podCidr: "127.16.1.0/24",
  });
  expect(nodeAddressOf({ metadata: { name: "a" } } as Node)).toBeUndefined();
});
