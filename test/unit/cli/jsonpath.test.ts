import { describe, expect, test } from "vitest";
import { parseJsonPath } from "../../../src/cli/jsonpath.ts";

const pods = {
  items: [
    { metadata: { name: "a", labels: { "app.kubernetes.io/name": "web" } }, spec: { n: 1 }, ready: true },
    { metadata: { name: "b" }, spec: { n: 3, list: ["x", "y", "z"] }, ready: false },
  ],
};

describe("JSONPath templates", () => {
  test.each([
    ["{.items[*].metadata.name}", "a b"],
    [".items[0].metadata.name", "a"],
    ["{.items[-1].metadata.name}", "b"],
    ['{range .items[*]}{.metadata.name}={.spec.n}{"\\n"}{end}', "a=1\nb=3\n"],
    ['{.items[?(@.metadata.name=="b")].spec.n}', "3"],
    ["{.items[?(@.spec.n>2)].metadata.name}", "b"],
    ["{.items[?(@.ready==true)].metadata.name}", "a"],
    ["{.items[?(@.spec.list)].metadata.name}", "b"],
    ["{.items[0].metadata.labels.app\\.kubernetes\\.io/name}", "web"],
    ["{.items[0].metadata.labels['app.kubernetes.io/name']}", "web"],
    ["{.items[1].spec.list[0:2]}", "x y"],
    ["{.items[1].spec.list[0,2]}", "x z"],
    ["{..name}", "a b"],
    ["{.items[1].spec.list}", '["x","y","z"]'],
    ["{.nothing.at.all}", ""],
    ["names: {.items[*].metadata.name}!", "names: a b!"],
    ["{$.items[0].ready}", "true"],
  ])("%s", (template, text) => {
    expect(parseJsonPath(template).print(pods)).toBe(text);
  });

  test.each(["{range .items[*]}", "{end}", "{.a[x]}", "{.items[0]"])("refuses %s", (template) => {
    expect(() => parseJsonPath(template)).toThrow(/error parsing jsonpath/);
  });
});
