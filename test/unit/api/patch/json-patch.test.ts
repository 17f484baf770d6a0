import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { applyJsonPatch } from "../../../../src/api/patch/json-patch.ts";
import { applyMergePatch } from "../../../../src/api/patch/merge-patch.ts";

describe("applyJsonPatch", () => {
  it.each([
    [{ a: 1 }, [{ op: "add", path: "/b", value: 2 }], { a: 1, b: 2 }],
    [{ a: [1, 3] }, [{ op: "add", path: "/a/1", value: 2 }], { a: [1, 2, 3] }],
    [{ a: [1] }, [{ op: "add", path: "/a/-", value: 2 }], { a: [1, 2] }],
    [{ a: [1, 2] }, [{ op: "add", path: "/a/-1", value: 3 }], { a: [1, 2, 3] }],
    [{ a: [1, 2] }, [{ op: "add", path: "/a/-3", value: 0 }], { a: [0, 1, 2] }],
    [{ a: [1, 2] }, [{ op: "replace", path: "/a/-1", value: 3 }], { a: [1, 3] }],
    [{ a: [{ b: 1 }] }, [{ op: "remove", path: "/a/-1/b" }], { a: [{}] }],
    [{ a: [1, 2] }, [{ op: "remove", path: "/a/-2" }], { a: [2] }],
    [{ a: 1 }, [{ op: "replace", path: "/a", value: null }], { a: null }],
    [{ a: [1, 2] }, [{ op: "remove", path: "/a/0" }], { a: [2] }],
    [{ a: { x: 1 } }, [{ op: "move", from: "/a/x", path: "/b" }], { a: {}, b: 1 }],
    [{ a: { x: 1 } }, [{ op: "copy", from: "/a", path: "/b" }], { a: { x: 1 }, b: { x: 1 } }],
    [{ "a/b": { "c~d": 1 } }, [{ op: "replace", path: "/a~1b/c~0d", value: 2 }], { "a/b": { "c~d": 2 } }],
    [{ a: { y: 1, x: 2 } }, [{ op: "test", path: "/a", value: { x: 2, y: 1 } }], { a: { y: 1, x: 2 } }],
    [{ a: 1 }, [{ op: "add", path: "", value: { b: 1 } }], { b: 1 }],
  ])("%j with %j is %j", (document, patch, expected) =>
    expect(applyJsonPatch(document, patch)).toEqual(expected),
  );

  it.each([
    [
      { op: "replace", path: "/x/y", value: 1 },
      'replace operation does not apply: doc is missing path: "/x/y"',
    ],
    [{ op: "remove", path: "/x" }, 'remove operation does not apply: doc is missing path: "/x"'],
    [{ op: "add", path: "/l/7", value: 1 }, "add operation does not apply: doc is missing index: 7"],
    [{ op: "add", path: "/l/-2", value: 1 }, "add operation does not apply: doc is missing index: -2"],
    [{ op: "remove", path: "/l/-1" }, 'remove operation does not apply: doc is missing path: "/l/-1"'],
    [{ op: "add", path: "/no/where", value: 1 }, "add operation does not apply"],
    [{ op: "test", path: "/a", value: 2 }, "testing value /a failed: test failed"],
    [{ op: "test", path: "/constructor", value: {} }, "test failed"],
    [{ op: "jump", path: "/a" }, "Unexpected kind: jump"],
    [{ op: "move", from: "/a", path: "/a/b" }, "move operation does not apply"],
  ])("says 422 and why for %j", (operation, why) => {
    const document = { a: 1, l: [] };
    expect(() => applyJsonPatch(document, [{ op: "add", path: "/z", value: 1 }, operation])).toThrow(
      expect.objectContaining({
        code: 422,
        status: expect.objectContaining({
          details: { causes: [expect.objectContaining({ message: expect.stringContaining(why) })] },
        }),
      }),
    );
    expect(document).toEqual({ a: 1, l: [] });
  });

  it("says 400 for what is no list of operations", () => {
    expect(() => applyJsonPatch({}, {})).toThrow(expect.objectContaining({ code: 400 }));
  });

  it("does not reach prototypes", () => {
    const patched = applyJsonPatch({}, [{ op: "add", path: "/__proto__", value: { polluted: 1 } }]) as object;
    expect(Object.getPrototypeOf(patched)).toBe(Object.prototype);
    expect(Object.hasOwn(patched, "__proto__")).toBe(true);
    expect(() => applyJsonPatch({}, [{ op: "add", path: "/__proto__/polluted", value: 1 }])).toThrow();
    expect(({} as Record<string, unknown>)["polluted"]).toBeUndefined();
  });
});

describe("applyMergePatch", () => {
  it.each([
    [{ a: 1, b: { c: 1, d: 2 } }, { b: { c: null, e: 3 } }, { a: 1, b: { d: 2, e: 3 } }],
    [{ a: [1, 2] }, { a: [3] }, { a: [3] }],
    [{ a: 1 }, { a: { b: null, c: 1 } }, { a: { c: 1 } }],
    [{}, { a: null }, {}],
    [{ a: 1 }, "x", "x"],
  ])("%j with %j is %j", (document, patch, expected) =>
    expect(applyMergePatch(document, patch)).toEqual(expected),
  );

  it("ends in the same document when applied twice, and never changes its arguments", () => {
    fc.assert(
      fc.property(
        fc.object(),
        fc.object({ values: [fc.constant(null), fc.integer()] }),
        (document, patch) => {
          const [before, given] = [structuredClone(document), structuredClone(patch)];
          const once = applyMergePatch(document, patch);
          expect(applyMergePatch(once, patch)).toEqual(once);
          expect([document, patch]).toEqual([before, given]);
        },
      ),
    );
  });
});
