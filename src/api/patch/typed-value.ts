// Values seen through the structure table, as structured-merge-diff sees them: which parts are one indivisible value,
// which are structs, maps, sets and lists with keys; which paths a value has, and what differs between two.
import { equalJson, isObject, type JsonObject } from "../own.ts";
import type { FieldSchema, TypeLookup } from "../schema.ts";
import { type FieldSet, isEmptySet, LEAF, nodeOf } from "./field-set.ts";

export type Shape =
  /** A scalar, or a list or map that has one owner as a whole. */
  | { readonly kind: "leaf" }
  | { readonly kind: "struct"; readonly fields: Readonly<Record<string, FieldSchema>> }
  | { readonly kind: "map"; readonly values: FieldSchema }
  | { readonly kind: "set" }
  | { readonly kind: "list"; readonly keys: readonly string[]; readonly items: FieldSchema };

const A_LEAF: Shape = { kind: "leaf" };

export function shapeOf(field: FieldSchema | undefined, lookup: TypeLookup): Shape {
  if (!field) return A_LEAF;
  if (field.ref) {
    const type = lookup(field.ref);
    if (!type?.fields || (field.mapType ?? type.mapType) === "atomic") return A_LEAF;
    return { kind: "struct", fields: type.fields };
  }
  if (field.type === "array") {
    if (field.listType === "set") return { kind: "set" };
    if (field.listType !== "map" || !field.listMapKeys) return A_LEAF;
    return { kind: "list", keys: field.listMapKeys, items: field.items ?? {} };
  }
  if (field.type === "object" && field.values && field.mapType !== "atomic") {
    return { kind: "map", values: field.values };
  }
  return A_LEAF;
}

/** The schema of one key of a struct or map. */
export function childOf(shape: Shape, key: string): FieldSchema | undefined {
  if (shape.kind === "map") return shape.values;
  if (shape.kind === "struct" && Object.hasOwn(shape.fields, key)) return shape.fields[key];
  return undefined;
}

// The one default that the published schema states for a list's keys.
export const KEY_DEFAULTS: Readonly<Record<string, string>> = { protocol: "TCP" };

// What JSON writes between quotes as it is: most names.
const PLAIN = /^[\w./-]*$/;

/** The path element of an item: `k:{"containerPort":80,"protocol":"TCP"}`, keys in alphabetical order. */
export function itemElement(item: unknown, keys: readonly string[]): string {
  const values = isObject(item) ? item : {};
  const [first = ""] = keys;
  const only = keys.length === 1 ? values[first] : undefined;
  if (typeof only === "string" && PLAIN.test(only)) return `k:{"${first}":"${only}"}`;
  const parts: string[] = [];
  for (const key of keys.length > 1 ? [...keys].sort() : keys) {
    const value = values[key] ?? KEY_DEFAULTS[key];
    if (value !== undefined) parts.push(`${JSON.stringify(key)}:${JSON.stringify(value)}`);
  }
  return `k:{${parts.join(",")}}`;
}

export const valueElement = (item: unknown) => `v:${JSON.stringify(item)}`;

/** The path element of an item of a list or set. */
export const elementOf = (shape: Shape, item: unknown): string =>
  shape.kind === "list" ? itemElement(item, shape.keys) : valueElement(item);

/** The items of a list or set by path element; of several with the same element the first counts. */
export function itemsByElement(shape: Shape, list: readonly unknown[]): Map<string, unknown> {
  const items = new Map<string, unknown>();
  for (const item of list) {
    const element = elementOf(shape, item);
    if (!items.has(element)) items.set(element, item);
  }
  return items;
}

/**
 * The paths that an applied value claims: its leaves, its lists' items and its maps' keys; not the structs on the way.
 */
export function fieldsOf(
  value: unknown,
  field: FieldSchema | undefined,
  lookup: TypeLookup,
): FieldSet | undefined {
  const shape = shapeOf(field, lookup);
  if ((shape.kind === "list" || shape.kind === "set") && Array.isArray(value)) {
    const found: Record<string, FieldSet> = {};
    for (const item of value) {
      const element = elementOf(shape, item);
      if (Object.hasOwn(found, element)) continue;
      const inner = shape.kind === "list" ? fieldsOf(item, shape.items, lookup) : undefined;
      found[element] = inner && !isEmptySet(inner) ? (nodeOf(true, inner) as FieldSet) : LEAF;
    }
    return nodeOf(false, found);
  }
  if (!(shape.kind === "struct" || shape.kind === "map") || !isObject(value)) return LEAF;
  const found: Record<string, FieldSet> = {};
  for (const key of Object.keys(value)) {
    const item = value[key];
    if (typeof item !== "object" || item === null) {
      found[`f:${key}`] = LEAF;
      continue;
    }
    const inner = fieldsOf(item, childOf(shape, key), lookup);
    const empty = isObject(item) && Object.keys(item).length === 0;
    const node = empty
      ? LEAF
      : nodeOf(shape.kind === "map" || (inner !== undefined && isEmptySet(inner)), inner);
    if (node) found[`f:${key}`] = node;
  }
  return nodeOf(false, found);
}

export interface Comparison {
  /** Paths that the second value has and the first has not, or has with another value. */
  readonly changed: FieldSet | undefined;
  /** Paths that only the first has. */
  readonly removed: FieldSet | undefined;
}

const SAME: Comparison = { changed: undefined, removed: undefined };
// Fields of structs that Go's types hold by value: they are there in every object, so that nobody adds them.
const ALWAYS_THERE = new Set([
  "metadata",
  "spec",
  "status",
  "template",
  "strategy",
  "updateStrategy",
  "jobTemplate",
]);

/** What differs between two values of one type. */
export function compareValues(
  before: unknown,
  after: unknown,
  field: FieldSchema | undefined,
  lookup: TypeLookup,
): Comparison {
  if (before === after) return SAME;
  if (before === undefined) return { changed: allPaths(after, field, lookup), removed: undefined };
  if (after === undefined) return { changed: undefined, removed: allPaths(before, field, lookup) };
  const shape = shapeOf(field, lookup);
  if ((shape.kind === "struct" || shape.kind === "map") && isObject(before) && isObject(after)) {
    return compareMaps(before, after, shape, lookup);
  }
  if ((shape.kind === "list" || shape.kind === "set") && Array.isArray(before) && Array.isArray(after)) {
    return compareLists(before, after, shape, lookup);
  }
  return equalJson(before, after) ? SAME : { changed: LEAF, removed: undefined };
}

/** Gathers what differs below one value. */
class Differences {
  #changed: Record<string, FieldSet> | undefined;
  #removed: Record<string, FieldSet> | undefined;

  add(element: string, { changed, removed }: Comparison): void {
    if (changed) {
      this.#changed ??= {};
      this.#changed[element] = changed;
    }
    if (removed) {
      this.#removed ??= {};
      this.#removed[element] = removed;
    }
  }

  result(): Comparison {
    return { changed: this.#changed, removed: this.#removed };
  }
}

function compareMaps(before: JsonObject, after: JsonObject, shape: Shape, lookup: TypeLookup): Comparison {
  const found = new Differences();
  for (const key of Object.keys(after)) {
    const child = childOf(shape, key);
    const old = Object.hasOwn(before, key) ? before[key] : undefined;
    const start = old === undefined ? emptyInGo(key, after[key], child) : old;
    if (start !== after[key]) found.add(`f:${key}`, compareValues(start, after[key], child, lookup));
  }
  for (const key of Object.keys(before)) {
    if (Object.hasOwn(after, key)) continue;
    found.add(`f:${key}`, compareValues(before[key], undefined, childOf(shape, key), lookup));
  }
  return found.result();
}

/** What Go's types have where nothing was set: structs that are held by value, and lists that are always written. */
function emptyInGo(key: string, value: unknown, field: FieldSchema | undefined): unknown {
  if (ALWAYS_THERE.has(key) && isObject(value)) return {};
  return field?.required && Array.isArray(value) && field.listType === "map" ? [] : undefined;
}

function compareLists(
  before: readonly unknown[],
  after: readonly unknown[],
  shape: Shape,
  lookup: TypeLookup,
): Comparison {
  const found = new Differences();
  const items = shape.kind === "list" ? shape.items : undefined;
  if (shape.kind === "list" && addPairs(found, before, after, shape, lookup)) return found.result();
  const [old, now] = [itemsByElement(shape, before), itemsByElement(shape, after)];
  for (const [element, item] of now) {
    found.add(element, compareValues(old.get(element), item, items, lookup));
  }
  for (const [element, item] of old) {
    if (!now.has(element)) found.add(element, compareValues(item, undefined, items, lookup));
  }
  return found.result();
}

/** Compares item by item where both lists have the same ones in the same order; false where they have not. */
function addPairs(
  found: Differences,
  before: readonly unknown[],
  after: readonly unknown[],
  { keys, items }: Shape & { kind: "list" },
  lookup: TypeLookup,
): boolean {
  if (before.length !== after.length) return false;
  const pairs: { element: string; old: unknown; now: unknown }[] = [];
  for (const [index, now] of after.entries()) {
    const old = before[index];
    if (old === now) continue;
    const element = itemElement(now, keys);
    if (itemElement(old, keys) !== element) return false;
    pairs.push({ element, old, now });
  }
  for (const { element, old, now } of pairs) found.add(element, compareValues(old, now, items, lookup));
  return true;
}

/** Every path of a value, the structs, lists and maps on the way included; the value itself only where it `counts`. */
function allPaths(
  value: unknown,
  field: FieldSchema | undefined,
  lookup: TypeLookup,
  counts = true,
): FieldSet {
  const shape = shapeOf(field, lookup);
  const found: Record<string, FieldSet> = {};
  if ((shape.kind === "list" || shape.kind === "set") && Array.isArray(value)) {
    const items = shape.kind === "list" ? shape.items : undefined;
    for (const [element, item] of itemsByElement(shape, value))
      found[element] = allPaths(item, items, lookup);
  } else if ((shape.kind === "struct" || shape.kind === "map") && isObject(value)) {
    for (const key of Object.keys(value)) {
      const isOfObject = shape.kind === "struct" && ALWAYS_THERE.has(key);
      found[`f:${key}`] = allPaths(value[key], childOf(shape, key), lookup, !isOfObject);
    }
  }
  if (isEmptySet(found)) return LEAF;
  if (counts) found["."] = LEAF;
  return found;
}
