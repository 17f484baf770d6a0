// What is wrong with an applied object before it is merged with anything: structured-merge-diff's validation, in its words. It
// knows fields, their types and the keys of lists, nothing of what values mean.
import type { Parts } from "../../base/parts.ts";
import { isObject } from "../own.ts";
import type { FieldSchema, TypeLookup } from "../schema.ts";
import { elementText } from "./field-set.ts";
import { elementOf, KEY_DEFAULTS, shapeOf } from "./typed-value.ts";

// Values looked at between two parts: a millisecond or two.
const AT_ONCE = 2_000;

interface Check {
  readonly lookup: TypeLookup;
  readonly found: string[];
  values: number;
}

/**
 * One sentence for each finding, with its path: `.spec.replicas: expected numeric (int or float), got string`. An item that comes
 * twice is one, though kubectl's client-side apply lets the last win.
 */
export function* typedErrorsInParts(value: unknown, schema: string, lookup: TypeLookup): Parts<string[]> {
  const check: Check = { lookup, found: [], values: 0 };
  yield* checkValue(check, value, { ref: schema }, "");
  return check.found;
}

function* checkValue(check: Check, value: unknown, field: FieldSchema, path: string): Parts<void> {
  check.values += 1;
  if (check.values % AT_ONCE === 0) yield;
  if (value === undefined || value === null) return;
  const tell = (finding: string) => check.found.push(path ? `${path}: ${finding}` : finding);
  if (field.ref) {
    const type = check.lookup(field.ref);
    // Types that JSON writes as a scalar or as anything: they are not looked into.
    if (!type?.fields) return;
    if (!isObject(value)) {
      tell(`expected map, got &{${goText(value)}}`);
      return;
    }
    for (const [key, item] of Object.entries(value)) {
      const child = Object.hasOwn(type.fields, key) ? type.fields[key] : undefined;
      if (child) yield* checkValue(check, item, child, `${path}.${key}`);
      else if (!type.preserveUnknown) check.found.push(`${path}.${key}: field not declared in schema`);
    }
  } else if (field.type === "array") {
    if (Array.isArray(value)) yield* checkItems(check, value, field, path);
    else tell(`expected list, got &{${goText(value)}}`);
  } else if (field.type === "object" && field.values) {
    if (!isObject(value)) tell(`expected map, got &{${goText(value)}}`);
    else
      for (const [key, item] of Object.entries(value))
        yield* checkValue(check, item, field.values, `${path}.${key}`);
  } else {
    const finding = scalarFinding(value, field.type);
    if (finding) tell(finding);
  }
}

function* checkItems(check: Check, list: readonly unknown[], field: FieldSchema, path: string): Parts<void> {
  const shape = shapeOf(field, check.lookup);
  const items = field.items ?? {};
  const seen = new Set<string>();
  for (const [index, item] of list.entries()) {
    if (shape.kind !== "list" && shape.kind !== "set") {
      yield* checkValue(check, item, items, `${path}[${index}]`);
      continue;
    }
    const wrong = shape.kind === "list" ? keysFinding(item, shape.keys) : undefined;
    if (wrong) {
      check.found.push(`${path}: element ${index}: ${wrong}`);
      continue;
    }
    const element = elementText(elementOf(shape, item));
    if (seen.has(element)) check.found.push(`${path}: duplicate entries for key ${element}`);
    seen.add(element);
    yield* checkValue(check, item, items, `${path}${element}`);
  }
}

function keysFinding(item: unknown, keys: readonly string[]): string | undefined {
  if (item === null) return "associative list with keys may not have a null element";
  if (!isObject(item)) return "associative list with keys may not have non-map elements";
  const missing = keys.find((key) => item[key] === undefined && !Object.hasOwn(KEY_DEFAULTS, key));
  return (
    missing &&
    `associative list with keys has an element that omits key field "${missing}" (and doesn't have default value)`
  );
}

function scalarFinding(value: unknown, type: string | undefined): string | undefined {
  if (type === "string" && typeof value !== "string") {
    return `expected string, got &value.valueUnstructured{Value:${goText(value)}}`;
  }
  if ((type === "integer" || type === "number") && typeof value !== "number") {
    return `expected numeric (int or float), got ${goType(value)}`;
  }
  if (type === "boolean" && typeof value !== "boolean") return `expected boolean, got &{${goText(value)}}`;
  return undefined;
}

function goType(value: unknown): string {
  if (Array.isArray(value)) return "[]interface {}";
  if (typeof value === "boolean") return "bool";
  return typeof value === "object" ? "map[string]interface {}" : typeof value;
}

/** As Go's `%v` prints what JSON can hold. */
export function goText(value: unknown): string {
  if (value === null) return "<nil>";
  if (Array.isArray(value)) return `[${value.map(goText).join(" ")}]`;
  if (typeof value !== "object") return String(value);
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return `map[${entries.map(([key, one]) => `${key}:${goText(one)}`).join(" ")}]`;
}
