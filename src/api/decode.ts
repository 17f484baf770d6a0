// Turns what a client sent into an object of a known type, by the structure table: types are checked with the words of
// Go's JSON decoder, quantities and times take their canonical form, and what Go would not write back (null, the zero
// value of a field that is no pointer) is left out. Unknown fields are left out too, and their paths reported.
// The input is never changed; the result shares nothing with it.
import { canonicalQuantity } from "../base/quantity.ts";
import { DEEPEST } from "./json-text.ts";
import type { KubeObject } from "./object.ts";
import { isObject, type JsonObject, setOwn } from "./own.ts";
import type { FieldSchema, TypeLookup, TypeSchema } from "./schema.ts";
import { badRequest, type StatusError } from "./status-error.ts";
import { isOmittedWhenZero, isZero } from "./zero-values.ts";

export interface Decoded {
  readonly object: KubeObject;
  /** `spec.template.spec.containers[0].foo`, in the order in which they stand. */
  readonly unknownFields: string[];
}

/**
 * Decodes `value` as `schema`. Throws 400 BadRequest for values of wrong types:
 * `Deployment in version "v1" cannot be handled as a Deployment: json: cannot unmarshal string into Go struct field …`.
 */
export function decodeObject(value: unknown, schema: string, lookup: TypeLookup): Decoded {
  const decoder = new Decoder(lookup);
  let object: unknown;
  try {
    object = decoder.message(value, schema);
  } catch (error) {
    if (error instanceof DecodeError) throw cannotBeHandled(value, schema, error.message);
    throw error;
  }
  const decoded = object as JsonObject;
  if (lookup(schema)?.fields?.["metadata"] && !Object.hasOwn(decoded, "metadata")) decoded["metadata"] = {};
  return { object: decoded as unknown as KubeObject, unknownFields: decoder.unknownFields };
}

/**
 * 400 for a request with `fieldValidation=Strict` that had unknown or duplicate fields, undefined when it had none:
 * `Pod in version "v1" cannot be handled as a Pod: strict decoding error: unknown field "spec.foo"`.
 */
export function strictDecodingError(
  value: unknown,
  schema: string,
  findings: { unknownFields: readonly string[]; duplicateFields?: readonly string[] },
): StatusError | undefined {
  const problems = fieldProblems(findings);
  if (problems.length === 0) return undefined;
  return cannotBeHandled(value, schema, `strict decoding error: ${problems.join(", ")}`);
}

/** The sentences for unknown and duplicate fields, as `Warning` headers carry them with `fieldValidation=Warn`. */
export function fieldProblems({
  unknownFields,
  duplicateFields = [],
}: {
  unknownFields: readonly string[];
  duplicateFields?: readonly string[];
}): string[] {
  return [
    ...duplicateFields.map((path) => `duplicate field "${path}"`),
    ...unknownFields.map((path) => `unknown field "${path}"`),
  ];
}

function cannotBeHandled(value: unknown, schema: string, why: string): StatusError {
  const kind = shortName(schema);
  const given = isObject(value) ? value : {};
  const apiVersion = String(given["apiVersion"] ?? schema.split(".").at(-2));
  const version = apiVersion.slice(apiVersion.lastIndexOf("/") + 1);
  const named = String(given["kind"] ?? kind);
  return badRequest(`${named} in version "${version}" cannot be handled as a ${kind}: ${why}`);
}

class DecodeError extends Error {}

const INT32_MAX = 2 ** 31 - 1;

/** One decoding: what it has seen, and where it is. */
class Decoder {
  readonly unknownFields: string[] = [];
  readonly #lookup: TypeLookup;
  /** Keys (`spec`) and indexes (`[0]`) from the root to the value at hand. */
  readonly #path: string[] = [];
  /** The type whose field is being decoded. */
  #struct = "";

  constructor(lookup: TypeLookup) {
    this.#lookup = lookup;
  }

  message(value: unknown, name: string): unknown {
    const type = this.#lookup(name);
    if (!type) return this.#anything(value);
    if (!type.fields) return this.#special(value, name, type);
    if (!isObject(value)) throw this.#mismatch(value, goType(name));
    if (this.#path.length > DEEPEST) throw new DecodeError("exceeded max depth");
    const outer = this.#struct;
    this.#struct = name;
    const result: JsonObject = {};
    for (const key of Object.keys(value)) {
      const field = Object.hasOwn(type.fields, key) ? type.fields[key] : undefined;
      const item = value[key];
      // Only what comes from within the process can hold undefined; as text it would not be there.
      if (item === undefined) continue;
      if (!field) {
        if (type.preserveUnknown) setOwn(result, key, this.#anything(item));
        else this.unknownFields.push(this.#pathText(key));
        continue;
      }
      if (item === null && !mayBeNull(field)) continue;
      this.#path.push(key);
      const decoded = this.#field(item, field);
      this.#path.pop();
      if (decoded === undefined || (isZero(decoded) && isOmittedWhenZero(name, key, field))) continue;
      result[key] = decoded;
    }
    this.#struct = outer;
    return result;
  }

  #field(value: unknown, field: FieldSchema): unknown {
    if (field.ref) return this.message(value, field.ref);
    switch (field.type) {
      case "string":
        return field.format === "byte" ? this.#bytes(value) : this.#string(value);
      case "integer":
        return this.#integer(value, field.format ?? "int64");
      case "number":
        if (typeof value !== "number") throw this.#mismatch(value, "float64");
        return value;
      case "boolean":
        if (typeof value !== "boolean") throw this.#mismatch(value, "bool");
        return value;
      case "array":
        return this.#list(value, field);
      case "object":
        return field.values ? this.#map(value, field) : this.#anything(value);
      default:
        return this.#anything(value);
    }
  }

  #list(value: unknown, field: FieldSchema): unknown {
    if (!Array.isArray(value)) throw this.#mismatch(value, goFieldType(field));
    const items = field.items ?? {};
    return value.map((item, index) => {
      if (item === null) return this.#zero(items);
      this.#path.push(`[${index}]`);
      const decoded = this.#field(item, items);
      this.#path.pop();
      return decoded ?? this.#zero(items);
    });
  }

  #map(value: unknown, field: FieldSchema): unknown {
    if (!isObject(value)) throw this.#mismatch(value, goFieldType(field));
    const values = field.values ?? {};
    const result: JsonObject = {};
    // Go's messages leave the map's key out; only what has fields of its own needs it in the path.
    const inPath = values.ref !== undefined;
    for (const key of Object.keys(value)) {
      if (inPath) this.#path.push(key);
      const item = value[key];
      setOwn(result, key, item === null ? this.#zero(values) : this.#field(item, values));
      if (inPath) this.#path.pop();
    }
    return result;
  }

  /** What Go has in the place of a null inside a list or a map. */
  #zero(field: FieldSchema): unknown {
    if (field.ref) {
      if (field.ref.endsWith(".Quantity")) return "0";
      return this.#lookup(field.ref)?.fields ? {} : null;
    }
    if (field.type === "string") return "";
    if (field.type === "boolean") return false;
    if (field.type === "array") return [];
    return field.type === "object" ? {} : field.type === "any" ? null : 0;
  }

  #string(value: unknown): string {
    if (typeof value !== "string") throw this.#mismatch(value, "string");
    return value;
  }

  #integer(value: unknown, format: string): number {
    if (typeof value !== "number") throw this.#mismatch(value, format);
    const fits = format === "int32" ? Math.abs(value + 0.5) <= INT32_MAX + 0.5 : Math.abs(value) < 2 ** 63;
    if (!Number.isInteger(value) || !fits) throw this.#mismatch(value, format, ` ${value}`);
    return Object.is(value, -0) ? 0 : value;
  }

  #bytes(value: unknown): string {
    if (typeof value !== "string") throw this.#mismatch(value, "[]uint8");
    const text = value.replace(/[\r\n]/g, "");
    const at = illegalBase64(text);
    if (at >= 0) throw new DecodeError(`illegal base64 data at input byte ${at}`);
    return text;
  }

  #special(value: unknown, name: string, type: TypeSchema): unknown {
    switch (shortName(name)) {
      case "Quantity":
        return quantity(value);
      case "Time":
        return time(value, 0);
      case "MicroTime":
        return time(value, 6);
      case "IntOrString":
        if (typeof value === "string") return value;
        if (typeof value !== "number") throw notA(value, "int32");
        return this.#integer(value, "int32");
    }
    if (type.type === "object" && !isObject(value)) throw this.#mismatch(value, goType(name));
    return this.#anything(value);
  }

  /** A copy of a value that has no schema. */
  #anything(value: unknown, depth = this.#path.length): unknown {
    if (depth > DEEPEST) throw new DecodeError("exceeded max depth");
    if (Array.isArray(value)) return value.map((item) => this.#anything(item, depth + 1));
    if (!isObject(value)) return value;
    const copy: JsonObject = {};
    for (const key of Object.keys(value)) setOwn(copy, key, this.#anything(value[key], depth + 1));
    return copy;
  }

  #pathText(last: string): string {
    let text = "";
    for (const part of this.#path) text += part.startsWith("[") || !text ? part : `.${part}`;
    return text ? `${text}.${last}` : last;
  }

  #mismatch(value: unknown, wanted: string, shown = ""): DecodeError {
    const names = this.#path.filter((part) => !part.startsWith("["));
    const where = this.#struct ? `Go struct field ${shortName(this.#struct)}.${names.join(".")}` : "Go value";
    return new DecodeError(
      `json: cannot unmarshal ${jsonKind(value)}${shown} into ${where} of type ${wanted}`,
    );
  }
}

// JSON is the one field type for which null is a value of its own (`default: null` in a CustomResourceDefinition).
const mayBeNull = (field: FieldSchema) => field.ref?.endsWith(".JSON") === true;

function jsonKind(value: unknown): string {
  if (Array.isArray(value)) return "array";
  if (typeof value === "boolean") return "bool";
  return typeof value;
}

const notA = (value: unknown, wanted: string) =>
  new DecodeError(`json: cannot unmarshal ${jsonKind(value)} into Go value of type ${wanted}`);

function quantity(value: unknown): string {
  try {
    return canonicalQuantity(typeof value === "string" || typeof value === "number" ? value : "?");
  } catch (error) {
    throw new DecodeError(error instanceof Error ? error.message : String(error));
  }
}

const RFC3339 = /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(\.\d+)?(Z|[+-]\d\d:\d\d)$/;

/** Throws an Error in Go's words. */
export const checkTime = (text: string): void => void time(text, 0);

/** A time in UTC with `decimals` digits of a second, as Go writes it back. */
function time(value: unknown, decimals: 0 | 6): string | undefined {
  if (typeof value !== "string") throw notA(value, "string");
  const match = RFC3339.exec(value);
  const at = match ? Date.parse(value) : Number.NaN;
  const layout = decimals === 0 ? "2006-01-02T15:04:05Z07:00" : "2006-01-02T15:04:05.000000Z07:00";
  if (!match || Number.isNaN(at)) {
    const shown = JSON.stringify(value);
    const why = match ? ": day out of range" : ` as "${layout}": cannot parse ${shown} as "2006"`;
    throw new DecodeError(`parsing time ${shown}${why}`);
  }
  const seconds = new Date(at).toISOString().slice(0, 19);
  if (seconds === "0001-01-01T00:00:00") return undefined;
  return decimals === 0 ? `${seconds}Z` : `${seconds}.${(match[7] ?? ".").slice(1, 7).padEnd(6, "0")}Z`;
}

/** The index of the first byte that is wrong in standard base64, or -1. */
function illegalBase64(text: string): number {
  const good = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?/.exec(text)?.[0].length ?? 0;
  if (good === text.length) return -1;
  const strange = text.slice(good).search(/[^A-Za-z0-9+/]/);
  return strange >= 0 ? good + strange : text.length;
}

function shortName(name: string): string {
  return name.slice(name.lastIndexOf(".") + 1);
}

/** `v1.PodSpec`: how Go prints the type. */
function goType(name: string): string {
  return name.split(".").slice(-2).join(".");
}

function goFieldType(field: FieldSchema): string {
  if (field.ref) return goType(field.ref);
  if (field.type === "array") return `[]${goFieldType(field.items ?? {})}`;
  if (field.type === "object") return `map[string]${goFieldType(field.values ?? {})}`;
  if (field.type === "integer") return field.format ?? "int64";
  if (field.type === "boolean") return "bool";
  return field.format === "byte" ? "[]uint8" : field.type === "number" ? "float64" : "string";
}
