// Strategic merge patch: lists merge by the key that the structure table names, and directives inside the patch say what
// plain JSON cannot. A worked example, with `containers` merged by `name`:
//
//   document  containers: [{name: web, image: a, args: [x]}, {name: log}]
//   patch     containers: [{name: web, image: b}, {name: log, $patch: delete}, {name: new}]
//             $setElementOrder/containers: [{name: new}, {name: web}]
//   result    containers: [{name: new}, {name: web, image: b, args: [x]}]
//
// `$patch: replace | delete | merge` stands in a map or in a list's item; `$retainKeys: […]` clears the other keys of the
// map; `$setElementOrder/LIST` orders a merged list; `$deleteFromPrimitiveList/LIST` takes scalars out of one.
// Source of the rules: apimachinery's strategicpatch.StrategicMergeMapPatch.
import { equalJson, isObject, type JsonObject, setOwn } from "../own.ts";
import type { FieldSchema, TypeLookup } from "../schema.ts";
import { badRequest } from "../status-error.ts";

const PATCH = "$patch";
const RETAIN_KEYS = "$retainKeys";
const SET_ORDER = "$setElementOrder/";
const DELETE_FROM_LIST = "$deleteFromPrimitiveList/";

/** Where the merge is: the schema of the map at hand (undefined: unknown, merged as plain JSON) and the way to look types up. */
interface Place {
  readonly schema: FieldSchema | undefined;
  readonly lookup: TypeLookup;
}

/**
 * The patched document. `schema` names the document's type. Neither argument is changed; the result may share parts with
 * both. Throws 400 BadRequest for directives that make no sense.
 */
export function applyStrategicMergePatch(
  document: unknown,
  patch: unknown,
  schema: string,
  lookup: TypeLookup,
): unknown {
  if (!isObject(patch)) throw badRequest("cannot unmarshal the patch: it is not a JSON object");
  return mergeMap(isObject(document) ? document : {}, patch, { schema: { ref: schema }, lookup });
}

function fieldOf({ schema, lookup }: Place, key: string): FieldSchema | undefined {
  if (!schema) return undefined;
  if (!schema.ref) return schema.values;
  const fields = lookup(schema.ref)?.fields;
  return fields && Object.hasOwn(fields, key) ? fields[key] : undefined;
}

const strategies = (field: FieldSchema | undefined) => field?.patchStrategy?.split(",") ?? [];
const isDirective = (key: string) =>
  key === PATCH || key === RETAIN_KEYS || key.startsWith(SET_ORDER) || key.startsWith(DELETE_FROM_LIST);

function mergeMap(original: JsonObject, patch: JsonObject, place: Place): JsonObject {
  if (Object.hasOwn(patch, PATCH)) {
    const { [PATCH]: directive, ...rest } = patch;
    if (directive === "replace") return withoutDirectives(rest) as JsonObject;
    if (directive === "delete") return {};
    if (directive !== "merge")
      throw badRequest(`unknown patch type: ${String(directive)} in map: ${JSON.stringify(patch)}`);
  }
  const merged = retained(original, patch);
  const ordered = new Set<string>();
  for (const key of Object.keys(patch)) {
    if (!key.startsWith(SET_ORDER)) continue;
    const list = key.slice(SET_ORDER.length);
    orderList(merged, patch, list, { schema: fieldOf(place, list), lookup: place.lookup });
    ordered.add(list);
  }
  for (const key of Object.keys(patch)) {
    if (key.startsWith(DELETE_FROM_LIST))
      deleteFromList(merged, key.slice(DELETE_FROM_LIST.length), patch[key]);
    else if (!isDirective(key) && !ordered.has(key)) mergeField(merged, key, patch[key], place);
  }
  return merged;
}

/** A copy of the original without the keys that `$retainKeys` does not name. */
function retained(original: JsonObject, patch: JsonObject): JsonObject {
  const keep = patch[RETAIN_KEYS];
  let kept: ReadonlySet<unknown> | undefined;
  if (keep !== undefined) {
    if (!Array.isArray(keep)) throw badRequest("invalid patch format of retainKeys");
    kept = new Set<unknown>(keep);
    for (const key of Object.keys(patch))
      if (!isDirective(key) && patch[key] !== null && !kept.has(key))
        throw badRequest("invalid patch format of retainKeys");
  }
  const copy: JsonObject = {};
  for (const key of Object.keys(original)) {
    if (!kept || kept.has(key)) setOwn(copy, key, original[key]);
  }
  return copy;
}

function mergeField(merged: JsonObject, key: string, value: unknown, place: Place): void {
  if (value === null) {
    delete merged[key];
    return;
  }
  const field = fieldOf(place, key);
  const original = Object.hasOwn(merged, key) ? merged[key] : undefined;
  const inner: Place = { schema: field, lookup: place.lookup };
  if (isObject(value) && isObject(original) && !strategies(field).includes("replace")) {
    setOwn(merged, key, mergeMap(original, value, inner));
  } else if (Array.isArray(value) && Array.isArray(original)) {
    setOwn(merged, key, mergeList(original, value, inner));
  } else setOwn(merged, key, withoutDirectives(value));
}

/** What is new is taken as it stands, without directives and without nulls in its maps. */
function withoutDirectives(value: unknown): unknown {
  if (Array.isArray(value)) {
    return value
      .filter((item) => !(isObject(item) && (item[PATCH] === "delete" || onlyReplaces(item))))
      .map(withoutDirectives);
  }
  if (!isObject(value)) return value;
  const clean: JsonObject = {};
  for (const key of Object.keys(value)) {
    if (!isDirective(key) && value[key] !== null) setOwn(clean, key, withoutDirectives(value[key]));
  }
  return clean;
}

const onlyReplaces = (item: JsonObject) => item[PATCH] === "replace" && Object.keys(item).length === 1;

function deleteFromList(merged: JsonObject, key: string, values: unknown): void {
  if (!Array.isArray(values)) throw badRequest("invalid patch format of primitive list");
  const original = merged[key];
  if (Array.isArray(original)) setOwn(merged, key, without(original, values));
}

// Both may be as long as a body: a search of one list for each item of the other would hold up all other requests.
function without(list: readonly unknown[], values: readonly unknown[]): readonly unknown[] {
  const gone = new Set(values);
  return list.filter((item) => !gone.has(item));
}

/** Merges `patch[key]` into `merged[key]` and puts the result into the order that `$setElementOrder/key` states. */
function orderList(merged: JsonObject, patch: JsonObject, key: string, place: Place): void {
  const order = patch[SET_ORDER + key];
  if (!Array.isArray(order)) throw badRequest("invalid patch format of setElementOrder list");
  const original = merged[key];
  const given = patch[key];
  if (given === null) {
    delete merged[key];
    return;
  }
  if (!Array.isArray(original) && !Array.isArray(given)) return;
  const mergeKey = place.schema?.patchMergeKey;
  if (Array.isArray(given)) checkOrder(given, order, mergeKey);
  const list = !Array.isArray(given)
    ? (original as unknown[])
    : Array.isArray(original)
      ? mergeList(original, given, place)
      : (withoutDirectives(given) as unknown[]);
  const deleted = Object.hasOwn(patch, DELETE_FROM_LIST + key)
    ? (patch[DELETE_FROM_LIST + key] as unknown[])
    : [];
  const left = mergeKey || !Array.isArray(deleted) ? list : without(list, deleted);
  setOwn(merged, key, inOrder(left, order, Array.isArray(original) ? original : [], mergeKey));
}

/** The patch's items must stand in the order list, in the same order. */
function checkOrder(
  given: readonly unknown[],
  order: readonly unknown[],
  mergeKey: string | undefined,
): void {
  let at = 0;
  for (const item of given) {
    if (isObject(item) && item[PATCH] !== undefined) continue;
    while (at < order.length && !sameItem(order[at], item, mergeKey)) at++;
    if (at === order.length) {
      throw badRequest(
        `The order in patch list:\n${JSON.stringify(given)}\n doesn't match $setElementOrder list:\n${JSON.stringify(order)}\n`,
      );
    }
    at++;
  }
}

function sameItem(a: unknown, b: unknown, mergeKey: string | undefined): boolean {
  if (!mergeKey) return equalJson(a, b);
  return isObject(a) && isObject(b) && equalJson(a[mergeKey], b[mergeKey]);
}

function mergeList(original: readonly unknown[], patch: readonly unknown[], place: Place): unknown[] {
  const { schema } = place;
  if (!strategies(schema).includes("merge")) return withoutDirectives(patch) as unknown[];
  if (patch.length === 0) return [...original];
  if (!patch.some(isObject)) {
    const merged = [...new Set([...original, ...patch])];
    return inOrder(merged, patch, original, undefined);
  }
  const mergeKey = schema?.patchMergeKey;
  if (!mergeKey) throw badRequest("cannot merge lists without merge key");
  const { kept, plain } = applyItemDirectives(original, patch, mergeKey);
  const inner: Place = { schema: schema?.items, lookup: place.lookup };
  return inOrder(mergeItems(kept, plain, { mergeKey, inner }), plain, original, mergeKey);
}

/** Carries out `$patch: delete` and `$patch: replace` of a list's items; `plain` is what is left to merge. */
function applyItemDirectives(original: readonly unknown[], patch: readonly unknown[], mergeKey: string) {
  const deleted = new Set<string | undefined>();
  let replaced = false;
  const plain: JsonObject[] = [];
  for (const item of patch) {
    if (!isObject(item)) throw badRequest("invalid JSON document: lists may not mix maps and scalars");
    const directive = item[PATCH];
    if (directive === undefined) plain.push(item);
    else if (directive === "replace") replaced = true;
    else if (directive === "delete") {
      if (!Object.hasOwn(item, mergeKey)) throw badRequest("delete patch type with no merge key defined");
      deleted.add(identityOf(item, mergeKey));
    } else if (directive === "merge") throw badRequest("merging lists cannot yet be specified in the patch");
    else throw badRequest(`unknown patch type: ${String(directive)}`);
  }
  const kept = original.filter((item) => !deleted.has(identityOf(item, mergeKey)));
  return { kept: replaced ? [] : kept, plain };
}

function mergeItems(
  kept: readonly unknown[],
  plain: readonly JsonObject[],
  { mergeKey, inner }: { mergeKey: string; inner: Place },
): unknown[] {
  const merged = [...kept];
  const places = placesIn(kept, mergeKey);
  for (const item of plain) {
    if (!Object.hasOwn(item, mergeKey)) {
      throw badRequest(`map: ${JSON.stringify(item)} does not contain declared merge key: ${mergeKey}`);
    }
    // The first match, as Kubernetes: of two ports that differ in protocol only, the first is changed.
    const identity = identityOf(item, mergeKey);
    const index = places.get(identity) ?? merged.length;
    const existing = merged[index];
    merged[index] = isObject(existing) ? mergeMap(existing, item, inner) : withoutDirectives(item);
    places.set(identity, index);
  }
  return merged;
}

/**
 * Items that `order` names come in its order, the others in that of `before`; where both orders say something about two
 * items, `before` decides which of a named and an unnamed one comes first, else the named one does.
 */
function inOrder(
  items: readonly unknown[],
  order: readonly unknown[],
  before: readonly unknown[],
  mergeKey: string | undefined,
): unknown[] {
  const [ordered, earlier] = [placesIn(order, mergeKey), placesIn(before, mergeKey)];
  const placeIn = (places: Places, item: unknown) => places.get(identityOf(item, mergeKey)) ?? -1;
  const sorted = (list: readonly unknown[], by: Places) =>
    list
      .map((item, index) => {
        const at = placeIn(by, item);
        return { item, index, at: at < 0 ? Number.POSITIVE_INFINITY : at };
      })
      .sort((a, b) => (a.at === b.at ? a.index - b.index : a.at - b.at))
      .map(({ item }) => item);
  const isNamed = (item: unknown) => placeIn(ordered, item) >= 0;
  const named = sorted(items.filter(isNamed), ordered);
  const others = sorted(
    items.filter((item) => !isNamed(item)),
    earlier,
  );
  const result: unknown[] = [];
  let [nextNamed, nextOther] = [0, 0];
  while (nextNamed < named.length && nextOther < others.length) {
    const other = placeIn(earlier, others[nextOther]);
    const name = placeIn(earlier, named[nextNamed]);
    result.push(other >= 0 && name >= 0 && other < name ? others[nextOther++] : named[nextNamed++]);
  }
  return [...result, ...named.slice(nextNamed), ...others.slice(nextOther)];
}

/** Where each item stands first, by what tells it from others. */
type Places = ReadonlyMap<string | undefined, number>;

function placesIn(list: readonly unknown[], mergeKey: string | undefined): Map<string | undefined, number> {
  const places = new Map<string | undefined, number>();
  for (const [index, item] of list.entries()) {
    const identity = identityOf(item, mergeKey);
    if (identity !== undefined && !places.has(identity)) places.set(identity, index);
  }
  return places;
}

/** Equal for items that are the same one, as `sameItem` has it; undefined for what is the same as nothing. */
function identityOf(item: unknown, mergeKey: string | undefined): string | undefined {
  if (!mergeKey) return identityText(item);
  return isObject(item) ? identityText(item[mergeKey]) : undefined;
}

function identityText(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(identityText).join()}]`;
  if (!isObject(value)) return JSON.stringify(value) ?? "";
  const fields = Object.keys(value).sort();
  return `{${fields.map((key) => `${JSON.stringify(key)}:${identityText(value[key])}`).join()}}`;
}
