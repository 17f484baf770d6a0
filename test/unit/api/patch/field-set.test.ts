import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  difference,
  equalSets,
  type FieldSet,
  intersection,
  isEmptySet,
  LEAF,
  nodeOf,
  pathsOf,
  sortedSet,
  union,
} from "../../../../src/api/patch/field-set.ts";

/** A set from its paths, each a list of field names. */
function setOfPaths(paths: readonly (readonly string[])[]): FieldSet {
  const groups = new Map<string, string[][]>();
  for (const [first, ...rest] of paths) {
    if (first !== undefined) groups.set(first, [...(groups.get(first) ?? []), rest]);
  }
  const set: Record<string, FieldSet> = {};
  for (const [name, rests] of groups) {
    const node = nodeOf(
      rests.some((rest) => rest.length === 0),
      setOfPaths(rests.filter((rest) => rest.length > 0)),
    );
    if (node) set[`f:${name}`] = node;
  }
  return set;
}

const path = fc.array(fc.constantFrom("a", "b", "c", "__proto__"), { minLength: 1, maxLength: 3 });
const paths = fc.array(path, { maxLength: 12 });
const texts = (list: readonly (readonly string[])[]) =>
  new Set(list.map((one) => one.map((name) => `.${name}`).join("")));
const members = (set: FieldSet) => new Set(pathsOf(set));

describe("field sets", () => {
  it("hold the paths that they are made of", () => {
    fc.assert(
      fc.property(paths, (list) => {
        const set = setOfPaths(list);
        expect(members(set)).toEqual(texts(list));
        expect(isEmptySet(set)).toBe(list.length === 0);
        expect(equalSets(sortedSet(set), set)).toBe(true);
        expect(JSON.parse(JSON.stringify(set))).toEqual(set);
      }),
    );
  });

  it("unite, subtract and intersect as sets of paths do", () => {
    fc.assert(
      fc.property(paths, paths, (one, two) => {
        const [a, b] = [setOfPaths(one), setOfPaths(two)];
        const [inA, inB] = [texts(one), texts(two)];
        const frozen = JSON.stringify([a, b]);
        expect(members(union(a, b))).toEqual(new Set([...inA, ...inB]));
        if ([...inB].every((path) => inA.has(path)) && inA.size > 0) expect(union(a, b)).toBe(a);
        expect(members(difference(a, b))).toEqual(new Set([...inA].filter((each) => !inB.has(each))));
        expect(members(intersection(a, b))).toEqual(new Set([...inA].filter((each) => inB.has(each))));
        expect(JSON.stringify([a, b])).toBe(frozen);
      }),
    );
  });

  it("are equal whatever order they were built in", () => {
    fc.assert(
      fc.property(paths, (list) => {
        expect(equalSets(setOfPaths(list), setOfPaths([...list].reverse()))).toBe(true);
      }),
    );
  });

  it("give the same set back when a difference takes nothing", () => {
    const set = setOfPaths([["a"], ["b", "c"]]);
    expect(difference(set, setOfPaths([["b"], ["x"]]))).toBe(set);
  });

  it("write paths as structured-merge-diff does", () => {
    const set: FieldSet = {
      "f:spec": {
        "f:ports": { 'k:{"containerPort":80,"protocol":"TCP"}': { ".": LEAF, "f:name": LEAF } },
        "f:finalizers": { 'v:"x"': LEAF },
      },
    };
    expect(pathsOf(set)).toEqual([
      '.spec.ports[containerPort=80,protocol="TCP"]',
      '.spec.ports[containerPort=80,protocol="TCP"].name',
      '.spec.finalizers[="x"]',
    ]);
  });
});
