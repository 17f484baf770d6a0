// The types that JSON writes as one value and protobuf as a message (`wireSelf` in the structure table).
import { isObject } from "../own.ts";
import type { TypeSchema } from "../schema.ts";
import { WireReader, WireWriter } from "./wire.ts";

/** How the codec treats the messages inside these types. */
export interface Nested {
  decode(bytes: Uint8Array, schema: string): unknown;
  encode(value: unknown, schema: string): Uint8Array;
}

const JSON_SCHEMA = "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaProps";
const STRING = 1;
const shortName = (schema: string) => schema.slice(schema.lastIndexOf(".") + 1);

/** The JSON value of such a message; undefined for a time that is not set. */
export function decodeScalar(bytes: Uint8Array, schema: string, type: TypeSchema, nested: Nested): unknown {
  const fields = readAll(bytes);
  const last = (number: number) => fields.get(number)?.at(-1);
  switch (shortName(schema)) {
    case "Time":
    case "MicroTime":
      return timeText(numberOf(last(1)), numberOf(last(2)), shortName(schema) === "Time");
    case "Quantity":
      return textOf(last(1)) || "0";
    case "IntOrString":
      return numberOf(last(1)) === STRING ? textOf(last(3)) : numberOf(last(2)) | 0;
    case "JSONSchemaPropsOrBool":
      return fields.has(2) ? nested.decode(bytesOf(last(2)), JSON_SCHEMA) : numberOf(last(1)) !== 0;
    case "JSONSchemaPropsOrArray":
      if (!fields.has(2)) return nested.decode(bytesOf(last(1)), JSON_SCHEMA);
      return fields.get(2)?.map((item) => nested.decode(bytesOf(item), JSON_SCHEMA));
    case "JSONSchemaPropsOrStringArray":
      return fields.has(2) ? fields.get(2)?.map(textOf) : nested.decode(bytesOf(last(1)), JSON_SCHEMA);
  }
  if (!type.wireSelf) return {};
  const text = textOf(last(1));
  return text ? JSON.parse(text) : undefined;
}

export function encodeScalar(value: unknown, schema: string, type: TypeSchema, nested: Nested): Uint8Array {
  const out = new WireWriter();
  switch (shortName(schema)) {
    case "Time":
    case "MicroTime":
      encodeTime(out, String(value));
      break;
    case "Quantity":
      out.string(1, String(value));
      break;
    case "IntOrString":
      out.int(1, typeof value === "string" ? STRING : 0);
      out.int(2, typeof value === "number" ? value : 0);
      out.string(3, typeof value === "string" ? value : "");
      break;
    case "JSONSchemaPropsOrBool":
      out.int(1, value === false ? 0 : 1);
      if (isObject(value)) out.bytes(2, nested.encode(value, JSON_SCHEMA));
      break;
    case "JSONSchemaPropsOrArray":
      if (!Array.isArray(value)) out.bytes(1, nested.encode(value, JSON_SCHEMA));
      else for (const item of value) out.bytes(2, nested.encode(item, JSON_SCHEMA));
      break;
    case "JSONSchemaPropsOrStringArray":
      if (!Array.isArray(value)) out.bytes(1, nested.encode(value, JSON_SCHEMA));
      else for (const item of value) out.string(2, String(item));
      break;
    default:
      if (type.wireSelf) out.string(1, JSON.stringify(value));
  }
  return out.finish();
}

/** The fields of a small message by number: numbers for varints, bytes for the rest. */
function readAll(bytes: Uint8Array): Map<number, (number | Uint8Array)[]> {
  const reader = new WireReader(bytes);
  const fields = new Map<number, (number | Uint8Array)[]>();
  while (!reader.done) {
    const { number, type } = reader.tag();
    if (type !== 0 && type !== 2) {
      reader.skip(type);
      continue;
    }
    const value = type === 0 ? reader.varint() : reader.bytes();
    fields.set(number, [...(fields.get(number) ?? []), value]);
  }
  return fields;
}

const numberOf = (value: number | Uint8Array | undefined) => (typeof value === "number" ? value : 0);
const bytesOf = (value: number | Uint8Array | undefined) =>
  value instanceof Uint8Array ? value : new Uint8Array();
const textOf = (value: number | Uint8Array | undefined) => Buffer.from(bytesOf(value)).toString("utf8");

/** Go's zero time travels as an empty message. */
function timeText(seconds: number, nanos: number, whole: boolean): string | undefined {
  if (seconds === 0 && nanos === 0) return undefined;
  const date = new Date(seconds * 1000);
  if (Number.isNaN(date.getTime())) return undefined;
  const text = date.toISOString().slice(0, -5);
  if (text === "0001-01-01T00:00:00") return undefined;
  return whole ? `${text}Z` : `${text}.${String(Math.floor(nanos / 1000)).padStart(6, "0")}Z`;
}

function encodeTime(out: WireWriter, text: string): void {
  const fraction = /\.(\d+)/.exec(text)?.[1] ?? "";
  const seconds = Math.floor(Date.parse(text) / 1000);
  if (!Number.isFinite(seconds)) return;
  out.int(1, seconds);
  out.int(2, Number(fraction.slice(0, 9).padEnd(9, "0")));
}
