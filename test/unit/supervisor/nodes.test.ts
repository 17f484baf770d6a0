import fc from "fast-check";
import { expect, test } from "vitest";
import { chooseNodes, nextNode } from "../../../src/supervisor/nodes.ts";

test("a new cluster has three nodes, numbered from one", () => {
  expect(chooseNodes([], undefined).map(({ name }) => name)).toEqual(["node-1", "node-2", "node-3"]);
});

test("a cluster that was has its nodes again, cut or grown to the number asked for", () => {
  const had = [
    { name: "node-1", index: 1 },
    { name: "extra", index: 2 },
  ];
  expect(chooseNodes(had, undefined)).toEqual(had);
  expect(chooseNodes(had, 1)).toEqual([had[0]]);
  expect(chooseNodes(had, 3)).toEqual([...had, { name: "node-3", index: 3 }]);
});

test("names and indexes never clash, whatever was added and removed", () => {
  const step = fc.oneof(fc.constant("add"), fc.nat({ max: 20 }));
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      let nodes = chooseNodes([], undefined);
      for (const each of steps) {
        nodes = each === "add" ? [...nodes, nextNode(nodes)] : nodes.filter((_, at) => at !== each);
        expect(new Set(nodes.map(({ name }) => name)).size).toBe(nodes.length);
        expect(new Set(nodes.map(({ index }) => index)).size).toBe(nodes.length);
        expect(nodes.every(({ index }) => index >= 1 && index <= 190)).toBe(true);
      }
    }),
  );
});
