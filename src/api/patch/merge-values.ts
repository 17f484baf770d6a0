// Putting typed values together and taking paths out of them, as structured-merge-diff does: the two halves of an apply.
import { isObject, type JsonObject, setOwn } from "../own.ts";
import type { FieldSchema, TypeLookup } from "../schema.ts";
import { below, elementsOf, type FieldSet, isEmptySet, isMember, nodeOf } from "./field-set.ts";
import { childOf, itemElement, itemsByElement, type Shape, shapeOf, valueElement } from "./typed-value.ts";

/** `live` with everything that `applied` states. Neither is changed; the result may share parts with both. */
export function mergeValues(
  live: unknown,
  applied: unknown,
  field: FieldSchema | undefined,
  lookup: TypeLookup,
): unknown {
  if (live === undefined) return applied;
  const shape = shapeOf(field, lookup);
  if ((shape.kind === "struct" || shape.kind === "map") && isObject(live) && isObject(applied)) {
    const merged: JsonObject = {};
    for (const key of Object.keys(live)) setOwn(merged, key, live[key]);
    for (const key of Object.keys(applied)) {
      const old = Object.hasOwn(live, key) ? live[key] : undefined;
      setOwn(merged, key, mergeValues(old, applied[key], childOf(shape, key), lookup));
    }
    return merged;
  }
  if ((shape.kind === "list" || shape.kind === "set") && Array.isArray(live) && Array.isArray(applied)) {
    return mergeLists(live, applied, shape, lookup);
  }
  return applied;
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
): unknown[] {
  const old = itemsByElement(shape, live);
  const given = itemsByElement(shape, applied);
  const items = shape.kind === "list" ? shape.items : undefined;
  const left = [...old.keys()];
  const right = [...given.keys()];
  const shared = right.filter((element) => old.has(element));
  const result: unknown[] = [];
  let nextShared = shared.shift();
  let l = 0;
  let r = 0;
  const takeRight = () => {
    const element = right[r++] as string;
    result.push(mergeValues(old.get(element), given.get(element), items, lookup));
    if (element === nextShared) nextShared = shared.shift();
  };
  while (l < left.length || r < right.length) {
    const element = left[l];
    if (element !== undefined && r < right.length) {
      if (element === right[r]) {
        l++;
        takeRight();
        continue;
      }
      if (given.has(element) && nextShared !== undefined && element !== nextShared) {
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
      const element = shape.kind === "list" ? itemElement(item, shape.keys) : valueElement(item);
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
