import { describe, expect, test } from "vitest";
import { objectsOf } from "../../../src/cli/manifest-files.ts";

describe("a List", () => {
  test("is its items", () => {
    const items = [{ apiVersion: "v1", kind: "ConfigMap", metadata: { name: "a" } }];
    expect(objectsOf("x.json", JSON.stringify({ apiVersion: "v1", kind: "List", items }))).toEqual(items);
  });

  test("without items is nothing, one that lacks them is told", () => {
    expect(objectsOf("x.yaml", "apiVersion: v1\nkind: List\nitems: null\n")).toEqual([]);
    expect(() => objectsOf("x.yaml", "apiVersion: v1\nkind: List\n")).toThrow(/metadata.name is missing/);
  });
});
