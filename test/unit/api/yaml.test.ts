import { describe, expect, it } from "vitest";
import { parseManifests, parseYaml } from "../../../src/api/yaml.ts";

const value = (text: string) => parseYaml(text).value;

describe("parseYaml", () => {
  it.each([
    ["a: on", { a: true }],
    ["a: No", { a: false }],
    ["a: y", { a: true }],
    ["a: 'yes'", { a: "yes" }],
    ["a: 0644", { a: 420 }],
    ["a: -010", { a: -8 }],
    ["a: 0o17", { a: 15 }],
    ["a: 0x1F", { a: 31 }],
    ["a: 1_000", { a: 1000 }],
    ["a: 08", { a: 8 }],
    ["a: 0", { a: 0 }],
    ["a: 22:22", { a: "22:22" }],
    ["a: 2026-01-02", { a: "2026-01-02" }],
    ["a: 1.10", { a: 1.1 }],
    ["a: 100m", { a: "100m" }],
    ["a: ~", { a: null }],
    ["a:", { a: null }],
    ["on: 1", { true: 1 }],
    ["1: x", { "1": "x" }],
    ['{"a":[1,true,null]}', { a: [1, true, null] }],
    ["a: |\n  x\n  y\n", { a: "x\ny\n" }],
  ])("reads %j", (text, expected) => expect(value(text)).toEqual(expected));

  it("follows merge keys, what is written wins", () => {
    expect(value("base: &b {x: 1, z: 2}\nmore:\n  <<: *b\n  z: 3\n")).toEqual({
      base: { x: 1, z: 2 },
      more: { x: 1, z: 3 },
    });
  });

  it("keeps __proto__ an ordinary key", () => {
    const read = value("__proto__:\n  polluted: true\n") as object;
    expect(Object.hasOwn(read, "__proto__")).toBe(true);
    expect(({} as Record<string, unknown>)["polluted"]).toBeUndefined();
    expect(Object.getPrototypeOf(read)).toBe(Object.prototype);
  });

  it("reports duplicate keys with their path", () => {
    expect(parseYaml("a:\n  - b: 1\n    b: 2\na: 3\n").duplicateFields).toEqual(["a[0].b", "a"]);
  });

  it("refuses malformed text and alias bombs with 400", () => {
    expect(() => parseYaml("a: [1,")).toThrow(expect.objectContaining({ code: 400 }));
    const bomb = ["a0: &a0 [x,x,x,x,x,x,x,x,x]"];
    for (let i = 1; i < 9; i++) bomb.push(`a${i}: &a${i} [${`*a${i - 1},`.repeat(9)}]`);
    expect(() => parseYaml(bomb.join("\n"))).toThrow(
      "error converting YAML to JSON: yaml: Excessive alias count",
    );
  });
});

describe("parseManifests", () => {
  it("gives each document and the line on which it starts", () => {
    const text = "# first\na: 1\n---\n# nothing here\n---\nb: 2\n...\n---\nc: 3\n";
    expect(parseManifests(text, "x.yaml")).toMatchObject({
      documents: [
        { value: { a: 1 }, line: 2 },
        { value: { b: 2 }, line: 6 },
        { value: { c: 3 }, line: 9 },
      ],
    });
  });

  it("says where a broken document is broken, and keeps those before it", () => {
    const { documents, problem } = parseManifests("a: 1\n---\nb: [1, 2\nc: 3\n", "x.yaml");
    expect(documents).toMatchObject([{ value: { a: 1 }, line: 1 }]);
    expect(problem).toMatchObject({ line: 4 });
    expect(problem?.message).not.toContain("\n");
  });

  it("finds the line of a field, or of what should hold it", () => {
    const [document] = parseManifests("a: 1\nspec:\n  ports:\n    - port: 80\n", "x.yaml").documents;
    expect(document?.lineOf(["spec", "ports", 0, "port"])).toBe(4);
    expect(document?.lineOf(["spec", "replicas"])).toBe(3);
  });

  it("says where an alias stands that there is no anchor for", () => {
    expect(parseManifests("a: &a 1\nb: *a\nc: *zz\n", "x.yaml").problem).toMatchObject({
      line: 3,
      column: 4,
    });
  });

  it("names a repeated key and its place", () => {
    expect(parseManifests("spec:\n  replicas: 1\n  replicas: 2\n", "x.yml").problem).toEqual({
      message: 'duplicate field "spec.replicas"',
      line: 3,
      column: 3,
    });
  });

  it("reads JSON files, with the place of an error", () => {
    expect(parseManifests('\uFEFF{"a": 1}', "x.json").documents).toMatchObject([
      { value: { a: 1 }, line: 1 },
    ]);
    expect(parseManifests('{\n  "a": 1,\n  b\n}', "x.json").problem).toMatchObject({ line: 3, column: 3 });
    expect(parseManifests('{"a": ', "x.json").problem).toMatchObject({ line: 1, column: 7 });
  });

  it("reads nothing from an empty file", () => {
    expect(parseManifests("", "x.yaml")).toEqual({ documents: [] });
    expect(parseManifests("# only a comment\n---\n", "x.yaml")).toEqual({ documents: [] });
  });
});
