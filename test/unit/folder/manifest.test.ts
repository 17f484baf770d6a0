import { describe, expect, it } from "vitest";
import { parseFile } from "../../../src/folder/manifest.ts";
import { inApplyOrder } from "../../../src/folder/order.ts";

const configMap = (name: string) => `apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: ${name}\n`;

describe("parseFile", () => {
  it("finds many documents, each with its line, and skips empty ones", () => {
    const text = `# nothing\n---\n${configMap("a")}---\n---\n${configMap("b")}`;
    const { declared, problem } = parseFile("x.yaml", text);
    expect(problem).toBeUndefined();
    expect(declared.map(({ name, line }) => [name, line])).toEqual([
      ["a", 3],
      ["b", 9],
    ]);
  });

  it("takes Lists apart, typed ones too", () => {
    const text = JSON.stringify({
      apiVersion: "v1",
      kind: "List",
      items: [
        { apiVersion: "v1", kind: "Secret", metadata: { name: "s", namespace: "n" } },
        { apiVersion: "apps/v1", kind: "DeploymentList", items: [{ metadata: { name: "d" } }] },
      ],
    });
    const { declared } = parseFile("x.json", text);
    expect(declared.map(({ group, version, kind, name }) => [group, version, kind, name])).toEqual([
      ["", "v1", "Secret", "s"],
      ["apps", "v1", "Deployment", "d"],
    ]);
    expect(declared[0]?.namespace).toBe("n");
    expect(declared[1]?.object["kind"]).toBe("Deployment");
  });

  it.each([
    "apiVersion: v1\nkind: List\nitems: null\n",
    "apiVersion: v1\nkind: List\nitems:\n",
    "apiVersion: v1\nkind: List\nitems: []\n",
    "apiVersion: v1\nkind: ConfigMapList\nitems: null\n",
  ])("takes a List without items for what it is: %j", (text) => {
    expect(parseFile("x.yaml", text)).toEqual({ declared: [] });
    const { declared } = parseFile("x.yaml", `${configMap("a")}---\n${text}`);
    expect(declared.map(({ name }) => name)).toEqual(["a"]);
  });

  it.each([
    ["malformed text", "kind: [Pod\n", /Flow sequence/],
    ["no kind", "apiVersion: v1\nmetadata: {name: a}\n", /Object 'Kind' is missing/],
    ["no apiVersion", "kind: Pod\nmetadata: {name: a}\n", /Object 'apiVersion' is missing/],
    [
      "a name that is no string",
      "apiVersion: v1\nkind: Pod\nmetadata: {name: 123}\n",
      /metadata.name must be a string, not a number: quote it/,
    ],
    ["a List that lacks its items", "apiVersion: v1\nkind: List\n", /metadata.name is missing/],
    ["no name", "apiVersion: v1\nkind: Pod\n", /metadata.name is missing/],
    [
      "a generated name",
      "apiVersion: v1\nkind: Pod\nmetadata: {generateName: a-}\n",
      /give it a metadata.name/,
    ],
    ["a text", "hello\n", /must be a mapping, not a text/],
    ["a list", "- a\n", /must be a mapping, not a list/],
  ])("declares nothing when one document has %s", (_what, text, words) => {
    const { declared, problem } = parseFile("x.yaml", `${configMap("fine")}---\n${text}`);
    expect(declared).toEqual([]);
    expect(problem?.message).toMatch(words);
    expect(problem?.line).toBeGreaterThan(4);
    expect(problem?.column).toBeGreaterThan(0);
  });
});

describe("inApplyOrder", () => {
  it("puts namespaces and types first, workloads last, and keeps the order otherwise", () => {
    const kinds = [
      "Deployment",
      "Widget",
      "Service",
      "ConfigMap",
      "Namespace",
      "CustomResourceDefinition",
      "Pod",
    ];
    expect(inApplyOrder(kinds.map((kind) => ({ kind }))).map(({ kind }) => kind)).toEqual([
      "Namespace",
      "CustomResourceDefinition",
      "ConfigMap",
      "Service",
      "Widget",
      "Deployment",
      "Pod",
    ]);
  });
});
