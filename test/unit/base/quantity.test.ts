import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  addQuantities,
  canonicalQuantity,
  compareQuantities,
  formatQuantity,
  isQuantity,
  milliValue,
  parseQuantity,
  quantityToNumber,
} from "../../../src/base/quantity.ts";

// Binary quantities are capped at the largest int64; these stay below it, sums too.
const SUFFIXES = ["", "n", "u", "m", "k", "M", "G", "T", "Ki", "Mi", "Gi", "Ti", "e3", "E-2", "e+1"];
const quantity = fc
  .tuple(fc.integer({ min: -1e6, max: 1e6 }), fc.option(fc.nat(999)), fc.constantFrom(...SUFFIXES))
  .map(([whole, fraction, suffix]) => `${whole}${fraction === null ? "" : `.${fraction}`}${suffix}`);

describe("quantity", () => {
  it.each([
    ["0", "0"],
    ["0Gi", "0"],
    ["0m", "0"],
    ["100", "100"],
    ["1000m", "1"],
    ["1000", "1k"],
    ["0.5", "500m"],
    [".5", "500m"],
    ["1.", "1"],
    ["1024Ki", "1Mi"],
    ["0.5Gi", "512Mi"],
    ["1.5Gi", "1536Mi"],
    ["1000Ki", "1000Ki"],
    ["512", "512"],
    ["1023", "1023"],
    ["0.5Ki", "512"],
    ["1e3", "1e3"],
    ["10000e0", "10e3"],
    ["1E", "1E"],
    ["1E3", "1e3"],
    ["12e-3", "12e-3"],
    ["1n", "1n"],
    ["0.1n", "1n"],
    ["+3", "3"],
    ["-2500m", "-2500m"],
    ["100000000", "100M"],
    ["007", "7"],
  ])("writes %s as %s", (text, canonical) => expect(canonicalQuantity(text)).toBe(canonical));

  it("takes numbers as JSON has them", () => {
    expect(canonicalQuantity(1)).toBe("1");
    expect(canonicalQuantity(0.25)).toBe("250m");
  });

  it.each(["", "abc", "1x", "1 Gi", "1Gi ", "--1", "1.2.3", "Gi"])("refuses %j", (text) => {
    expect(isQuantity(text)).toBe(false);
    expect(() => parseQuantity(text)).toThrow("quantities must match the regular expression");
  });

  it("names a suffix that does not exist", () => {
    expect(() => parseQuantity("1ki")).toThrow("unable to parse quantity's suffix");
    expect(() => parseQuantity("1e999999999")).toThrow("unable to parse quantity's suffix");
  });

  it("gives numbers in plain units and thousandths", () => {
    expect(quantityToNumber("250m")).toBe(0.25);
    expect(quantityToNumber("1Gi")).toBe(1073741824);
    expect(milliValue("0.5")).toBe(500);
    expect(milliValue("1u")).toBe(1);
    expect(milliValue("2")).toBe(2000);
    expect(formatQuantity(0.25, "decimal")).toBe("250m");
    expect(formatQuantity(2 ** 31, "binary")).toBe("2Gi");
    expect(addQuantities("500m", "1.5")).toBe("2");
    expect(addQuantities("1Gi", "1024Mi")).toBe("2Gi");
    expect(compareQuantities("1000m", "1")).toBe(0);
    expect(compareQuantities("1G", "1Gi")).toBe(-1);
  });

  it("keeps the value and is stable when written canonically", () => {
    fc.assert(
      fc.property(quantity, (text) => {
        const canonical = canonicalQuantity(text);
        expect(parseQuantity(canonical).nanos).toBe(parseQuantity(text).nanos);
        expect(canonicalQuantity(canonical)).toBe(canonical);
        expect(canonical).not.toContain(".");
      }),
    );
  });

  it("adds and compares as the numbers do", () => {
    fc.assert(
      fc.property(quantity, quantity, (a, b) => {
        const [left, right] = [parseQuantity(a).nanos, parseQuantity(b).nanos];
        expect(parseQuantity(addQuantities(a, b)).nanos).toBe(left + right);
        expect(Math.sign(compareQuantities(a, b))).toBe(left < right ? -1 : left > right ? 1 : 0);
      }),
    );
  });
});
