import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  formatLabelSelector,
  formatLabels,
  labelMatcher,
  labelMatcherOf,
  parseFieldSelector,
  parseLabelSelector,
  selectorText,
} from "../../../src/api/selectors.ts";

describe("label selector text", () => {
  it.each([
    ["", {}, true],
    ["app=web", { app: "web" }, true],
    ["app==web", { app: "db" }, false],
    ["app = web , tier!=db", { app: "web" }, true],
    ["app!=web", {}, true],
    ["app", { app: "" }, true],
    ["app", {}, false],
    ["!app", {}, true],
    ["! app", { app: "x" }, false],
    ["app in (a,b)", { app: "b" }, true],
    ["app in (a, b),x", { app: "b" }, false],
    ["app notin (a,b)", { app: "c" }, true],
    ["app notin (a,b)", {}, true],
    ["app in (a,)", { app: "" }, true],
    ["app=", { app: "" }, true],
    ["in in (in)", { in: "in" }, true],
    ["example.com/x=1", { "example.com/x": "1" }, true],
    ["n>3", { n: "10" }, true],
    ["n<3", { n: "10" }, false],
    ["toString", {}, false],
    ["constructor", {}, false],
  ])("%j on %j is %s", (text, labels, matches) => expect(parseLabelSelector(text)(labels)).toBe(matches));

  it.each([
    ["a b", "unable to parse requirement: found 'b', expected: in, notin, =, ==, !=, gt, lt"],
    ["=a", "found '=', expected: !, identifier, or 'end of string'"],
    ["a,", "found '', expected: identifier after ','"],
    ["a in x", "unable to parse requirement: found 'x' expected: '('"],
    ["a in ()", "for 'in', 'notin' operators, values set can't be empty"],
    ["a in (b", "expected: ',', ')' or identifier"],
    ["a=b c", "found 'c', expected: ',' or 'end of string'"],
    ["-a=b", 'unable to parse requirement: <nil>: Invalid value: "-a": name part must consist of'],
    ["a=b$", 'unable to parse requirement: values[0][a]: Invalid value: "b$": a valid label must be'],
    ["a=(", "found '(', expected: identifier"],
  ])("refuses %j", (text, message) => {
    expect(() => parseLabelSelector(text)).toThrow(message);
    expect(() => parseLabelSelector(text)).toThrow(expect.objectContaining({ code: 400 }));
  });
});

describe("LabelSelector", () => {
  it("selects nothing when absent and everything when empty", () => {
    expect(labelMatcher(undefined)({ a: "1" })).toBe(false);
    expect(labelMatcher({})({ a: "1" })).toBe(true);
    expect(labelMatcher({})(undefined)).toBe(true);
    expect(labelMatcherOf({})(undefined)).toBe(true);
    expect(labelMatcherOf({ a: "1" })(undefined)).toBe(false);
  });

  it("is written as kubectl shows it", () => {
    const selector = {
      matchLabels: { tier: "web", app: "x" },
      matchExpressions: [
        { key: "env", operator: "In", values: ["prod", "dev"] },
        { key: "gone", operator: "DoesNotExist" },
        { key: "zone", operator: "Exists" },
        { key: "a", operator: "NotIn", values: ["q"] },
      ],
    };
    expect(formatLabelSelector(selector)).toBe("a notin (q),app=x,env in (dev,prod),!gone,tier=web,zone");
    expect(formatLabelSelector({})).toBe("<none>");
    expect(formatLabelSelector(undefined)).toBe("<none>");
    expect(formatLabelSelector({ matchExpressions: [{ key: "a", operator: "Like" }] })).toBe("<error>");
    expect(formatLabels({ b: "2", a: "1" })).toBe("a=1,b=2");
    expect(formatLabels({})).toBe("<none>");
  });

  it("selects the same when written as text and read again", () => {
    const word = fc.constantFrom("a", "b", "c", "d");
    const labels = fc.dictionary(word, word);
    const expression = fc.oneof(
      fc.record({
        key: word,
        operator: fc.constantFrom("In", "NotIn"),
        values: fc.array(word, { minLength: 1 }),
      }),
      fc.record({ key: word, operator: fc.constantFrom("Exists", "DoesNotExist") }),
    );
    const selector = fc.record({ matchLabels: labels, matchExpressions: fc.array(expression) });
    fc.assert(
      fc.property(selector, labels, (one, on) => {
        expect(parseLabelSelector(selectorText(one))(on)).toBe(labelMatcher(one)(on));
      }),
    );
  });
});

describe("field selector", () => {
  it("reads terms, operators and escapes", () => {
    expect(parseFieldSelector("")).toEqual([]);
    expect(parseFieldSelector("metadata.name=web,status.phase!=Running,a==b")).toEqual([
      { field: "metadata.name", operator: "=", value: "web" },
      { field: "status.phase", operator: "!=", value: "Running" },
      { field: "a", operator: "=", value: "b" },
    ]);
    expect(parseFieldSelector("a=x\\,y\\=z\\\\,b=")).toEqual([
      { field: "a", operator: "=", value: "x,y=z\\" },
      { field: "b", operator: "=", value: "" },
    ]);
  });

  it.each([
    ["abc", "invalid selector: 'abc'; can't understand 'abc'"],
    ["a=\\x", "invalid field selector: invalid escape sequence: \\x"],
    ["a=b=c", "invalid field selector: unescaped character in value: ="],
  ])("refuses %j", (text, message) => expect(() => parseFieldSelector(text)).toThrow(message));
});
