import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { duplicateFields, parseJsonStrict } from "../../../src/api/json-text.ts";

describe("parseJsonStrict", () => {
  it("reports keys that stand twice, with their path, and lets the last win", () => {
    const text = '{"a":{"b":1,"b":2},"l":[{"x":[1,2]},{"x":"}","\\u0078":2}],"a":3,"s":"\\"a\\":,{"}';
    const { value, duplicateFields } = parseJsonStrict(text);
    expect(duplicateFields).toEqual(["a.b", "l[1].x", "a"]);
    expect(value).toMatchObject({ a: 3 });
  });

  it("finds none in what JSON.stringify writes", () => {
    fc.assert(
      fc.property(fc.json(), (text) => {
        expect(duplicateFields(text)).toEqual([]);
      }),
    );
  });

  it("finds every key that is written twice", () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.string()), fc.jsonValue(), (keys, value) => {
        const pairs = keys.map((key) => `${JSON.stringify(key)}:${JSON.stringify(value)}`);
        expect(duplicateFields(`{${[...pairs, ...pairs].join(",")}}`)).toEqual(keys);
      }),
    );
  });

  it("says 400 for what is no JSON", () => {
    expect(() => parseJsonStrict("{")).toThrow(expect.objectContaining({ code: 400 }));
    expect(() => parseJsonStrict("kind: Pod")).toThrow("json parse error: invalid character 'k'");
  });
});
