// Putting typed values together and taking paths out of them, as structured-merge-diff does: the two halves of an apply.
import { equalJson, isObject, type JsonObject, setOwn } from "../own.ts";
import type { FieldSchema, TypeLookup } from "../schema.ts";
import { below, elementsOf, type FieldSet, isEmptySet, isMember, nodeOf } from "./field-set.ts";
import { childOf, elementOf, itemsByElement, type Shape, shapeOf } from "./typed-value.ts";

/**
 * `live` with everything that `applied` states. Neither is changed; the result may share parts with both, and what the merge leaves as it
 * is, is `live`'s own: who compares the two need not look into it.
 */
export function mergeValues(
  live: unknown,
  applied: unknown,
  field: FieldSchema | undefined,
  lookup: TypeLookup,
): unknown {
  if (live === undefined) return applied;
  const shape = shapeOf(field, lookup);
  if ((shape.kind === "struct" || shape.kind === "map") && isObject(live) && isObject(applied)) {
    return mergeMaps(live, applied, shape, lookup);
  }
  if ((shape.kind === "list" || shape.kind === "set") && Array.isArray(live) && Array.isArray(applied)) {
    return mergeLists(live, applied, shape, lookup);
  }
  return equalJson(live, applied) ? live : applied;
}

function mergeMaps(live: JsonObject, applied: JsonObject, shape: Shape, lookup: TypeLookup): JsonObject {
  let merged: JsonObject | undefined;
  for (const key of Object.keys(applied)) {
    const isOld = Object.hasOwn(live, key);
    const old = isOld ? live[key] : undefined;
    const value = mergeValues(old, applied[key], childOf(shape, key), lookup);
    if (isOld && value === old) continue;
    merged ??= { ...live };
    setOwn(merged, key, value);
  }
  return merged ?? live;
}

/**
 * Items of both lists: those of `applied` in its order, those that only `live` has where they stood among them.
 *   live [a, x, b], applied [b, c, a] → [x, b, c, a]
 */
function mergeLists(
  live: readonly unknown[],
  applied: readonly unknown[],
  shape: Shape,
  lookup: TypeLookup,
): readonly unknown[] {
  const items = shape.kind === "list" ? shape.items : undefined;
  const old = itemsByElement(shape, live);
  const given = itemsByElement(shape, applied);
  if (old.size === live.length && haveSameOrder(old, given)) {
    const merged = [...old].map(([element, item]) => mergeValues(item, given.get(element), items, lookup));
    return merged.every((item, index) => item === live[index]) ? live : merged;
  }
  const left = [...old.keys()];
  const right = [...given.keys()];
  const shared = right.filter((element) => old.has(element));
  const result: unknown[] = [];
  let s = 0;
  let l = 0;
  let r = 0;
  const takeRight = () => {
    const element = right[r++] as string;
    result.push(mergeValues(old.get(element), given.get(element), items, lookup));
    if (element === shared[s]) s++;
  };
  while (l < left.length || r < right.length) {
    const element = left[l];
    if (element !== undefined && r < right.length) {
      if (element === right[r]) {
        l++;
        takeRight();
        continue;
      }
      if (given.has(element) && s < shared.length && element !== shared[s]) {
        l++;
        continue;
      }
    }
    if (element !== undefined && !given.has(element)) {
      result.push(old.get(element));
      l++;
    } else if (r < right.length) takeRight();
    else l++;
  }
  return result;
}

function haveSameOrder(a: ReadonlyMap<string, unknown>, b: ReadonlyMap<string, unknown>): boolean {
  if (a.size !== b.size) return false;
  const others = b.keys();
  for (const element of a.keys()) if (element !== others.next().value) return false;
  return true;
}

/** `value` without the paths of `gone`, and with each of them all that is below; undefined when nothing is left. */
export function withoutFields(
  value: unknown,
  gone: FieldSet,
  field: FieldSchema | undefined,
  lookup: TypeLookup,
): unknown {
  if (isEmptySet(gone)) return value;
  const shape = shapeOf(field, lookup);
  if ((shape.kind === "list" || shape.kind === "set") && Array.isArray(value)) {
    const left = value.flatMap((item) => {
      const element = elementOf(shape, item);
      if (!Object.hasOwn(gone, element)) return [item];
      if (isMember(below(gone, element))) return [];
      const rest = withoutFields(
        item,
        below(gone, element),
        shape.kind === "list" ? shape.items : undefined,
        lookup,
      );
      return rest === undefined ? [] : [rest];
    });
    return left.length > 0 ? left : undefined;
  }
  if (!(shape.kind === "struct" || shape.kind === "map") || !isObject(value)) return value;
  const left: JsonObject = {};
  for (const key of Object.keys(value)) {
    const element = `f:${key}`;
    if (!Object.hasOwn(gone, element)) {
      setOwn(left, key, value[key]);
      continue;
    }
    if (isMember(below(gone, element))) continue;
    const rest = withoutFields(value[key], below(gone, element), childOf(shape, key), lookup);
    if (rest !== undefined) setOwn(left, key, rest);
  }
  return Object.keys(left).length > 0 ? left : undefined;
}

/** The set with every struct's field that is on the way to one of its paths; keys of maps and items are not added. */
export function withNamedFields(set: FieldSet, field: FieldSchema | undefined, lookup: TypeLookup): FieldSet {
  const shape = shapeOf(field, lookup);
  const all: Record<string, FieldSet> = {};
  for (const element of elementsOf(set)) {
    const node = below(set, element);
    const key = element.slice(2);
    const isField = element.startsWith("f:");
    const child = isField ? childOf(shape, key) : shape.kind === "list" ? shape.items : undefined;
    const named = isField && shape.kind === "struct" && child !== undefined;
    const inner = isEmptySet(node) ? undefined : withNamedFields(node, child, lookup);
    const result = nodeOf(isMember(node) || named, inner);
    if (result) all[element] = result;
  }
  return all;
}
