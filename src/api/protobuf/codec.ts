// Kubernetes' protobuf encoding, generic over the structure table: `k8s\0`, a runtime.Unknown that names the type, and in
// it the message, whose field numbers stand in the table.
//
// Zero values: Go writes every field that is no pointer, zero or not, and pointers only when they are set. What arrives
// as zero in a field that is no pointer was not set by anybody and is left out (zero-values.ts says which those are);
// `replicas: 0` and `automountServiceAccountToken: false` are pointers and stay. Messages stay even when empty, as Go's
// JSON has them (`status: {}`), except times that are not set.
import { type Parts, whole } from "../../base/parts.ts";
import { isObject, type JsonObject, setOwn } from "../own.ts";
import type { FieldSchema, TypeLookup, TypeSchema } from "../schema.ts";
import { badRequest } from "../status-error.ts";
import { isOmittedWhenZero, isZero } from "../zero-values.ts";
import { decodeScalar, encodeScalar, type Nested } from "./scalars.ts";
import { BYTES, FIXED64, VARINT, WireError, WireReader, WireWriter } from "./wire.ts";

const MAGIC = Uint8Array.of(0x6b, 0x38, 0x73, 0x00);
const DEEPEST = 100;

export interface DecodedProtobuf {
  readonly apiVersion: string;
  readonly kind: string;
  /** As JSON would have it, apiVersion and kind included. */
  readonly object: JsonObject;
}

/**
 * Decodes a request body. `schemaOf` names the type of a kind, undefined when it is not known. Throws 400 BadRequest for
 * malformed bytes and unknown kinds.
 */
export function decodeProtobuf(
  bytes: Uint8Array,
  lookup: TypeLookup,
  schemaOf: (apiVersion: string, kind: string) => string | undefined,
): DecodedProtobuf {
  try {
    const { apiVersion, kind, raw, contentType } = readEnvelope(bytes);
    const schema = schemaOf(apiVersion, kind);
    if (!schema) {
      throw badRequest(`no kind "${kind}" is registered for version "${apiVersion}" in scheme "kubemu"`);
    }
    const content =
      contentType === "application/json"
        ? (JSON.parse(Buffer.from(raw).toString("utf8")) as JsonObject)
        : new Codec(lookup).decode(raw, schema);
    return { apiVersion, kind, object: { apiVersion, kind, ...content } };
  } catch (error) {
    if (!(error instanceof WireError || error instanceof SyntaxError)) throw error;
    throw badRequest(`the provided data cannot be decoded as protobuf: ${error.message}`);
  }
}

/** Encodes an object of type `schema`, in the envelope. */
export const encodeProtobuf = (object: JsonObject, schema: string, lookup: TypeLookup): Uint8Array =>
  whole(encodeInParts(object, schema, lookup));

// Items of a list that are encoded at a time: a few milliseconds' work.
const PIECE = 250;

/** The same, in parts where it is a long list. */
export function* encodeInParts(object: JsonObject, schema: string, lookup: TypeLookup): Parts<Uint8Array> {
  const codec = new Codec(lookup);
  const { items } = object;
  let content: Uint8Array;
  if (Array.isArray(items) && items.length > PIECE) {
    const contents = [codec.encode({ ...object, items: [] }, schema)];
    // Messages written one after the other are one message, whose list is all their lists.
    for (let start = 0; start < items.length; start += PIECE) {
      yield;
      contents.push(codec.encode({ items: items.slice(start, start + PIECE) }, schema));
    }
    content = Buffer.concat(contents);
    yield;
  } else content = codec.encode(object, schema);
  const out = new WireWriter();
  out.raw(MAGIC);
  out.nested(1, () => {
    out.string(1, String(object["apiVersion"] ?? ""));
    out.string(2, String(object["kind"] ?? ""));
  });
  out.bytes(2, content);
  out.string(3, "");
  out.string(4, "");
  return out.finish();
}

function readEnvelope(bytes: Uint8Array) {
  if (!MAGIC.every((byte, index) => bytes[index] === byte)) {
    throw new WireError("it does not appear to be a protobuf message: it must begin with 6b387300");
  }
  const text = (value: Uint8Array | undefined) => Buffer.from(value ?? []).toString("utf8");
  const unknown = readBytesFields(bytes.subarray(MAGIC.length));
  const typeMeta = readBytesFields(unknown.get(1) ?? new Uint8Array());
  return {
    apiVersion: text(typeMeta.get(1)),
    kind: text(typeMeta.get(2)),
    raw: unknown.get(2) ?? new Uint8Array(),
    contentType: text(unknown.get(4)),
  };
}

function readBytesFields(bytes: Uint8Array): Map<number, Uint8Array> {
  const reader = new WireReader(bytes);
  const fields = new Map<number, Uint8Array>();
  while (!reader.done) {
    const { number, type } = reader.tag();
    if (type === BYTES) fields.set(number, reader.bytes());
    else reader.skip(type);
  }
  return fields;
}

/** A field as it travels. */
interface WireField {
  readonly name: string;
  readonly schema: FieldSchema;
  readonly number: number;
  /** `string`, `int32` …, or a message's name. */
  readonly type: string;
  readonly label: "repeated" | "map" | undefined;
}

/** The fields of one message: by number, with the messages that JSON inlines as levels of their own. */
interface Level {
  readonly fields: Map<number, WireField>;
  readonly inlined: Map<number, Level>;
}

const levelOf = (): Level => ({ fields: new Map(), inlined: new Map() });

// The types of the table never change; a watch encodes its events one by one.
const levels = new WeakMap<TypeSchema, Level>();

/** One use of the table. */
class Codec implements Nested {
  readonly #lookup: TypeLookup;
  #depth = 0;

  constructor(lookup: TypeLookup) {
    this.#lookup = lookup;
  }

  #level(type: TypeSchema): Level {
    let top = levels.get(type);
    if (top) return top;
    top = levelOf();
    // In the order of their numbers, in which Go writes them.
    const wired = Object.entries(type.fields ?? {})
      .filter(([, { wire }]) => wire)
      .sort(([, one], [, other]) => Number(one.wire?.[0]) - Number(other.wire?.[0]));
    for (const [name, schema] of wired) {
      if (!schema.wire) continue;
      const [number, wireType, label] = schema.wire;
      let level = top;
      for (const outer of schema.via ?? []) {
        const inner = level.inlined.get(outer) ?? levelOf();
        level.inlined.set(outer, inner);
        level = inner;
      }
      level.fields.set(Number(number), {
        name,
        schema,
        number: Number(number),
        type: String(wireType),
        label: label === "repeated" || label === "map" ? label : undefined,
      });
    }
    levels.set(type, top);
    return top;
  }

  decode(bytes: Uint8Array, schema: string): JsonObject {
    return this.#message(bytes, schema) as JsonObject;
  }

  #message(bytes: Uint8Array, schema: string): unknown {
    const type = this.#lookup(schema);
    if (!type?.fields) return decodeScalar(bytes, schema, type ?? {}, this);
    if (++this.#depth > DEEPEST) throw new WireError("exceeded max depth");
    const result: JsonObject = {};
    this.#into(result, bytes, this.#level(type));
    this.#depth--;
    for (const name of Object.keys(result)) {
      const field = type.fields[name];
      if (field && isZero(result[name]) && isOmittedWhenZero(schema, name, field)) delete result[name];
    }
    return result;
  }

  #into(result: JsonObject, bytes: Uint8Array, level: Level): void {
    const reader = new WireReader(bytes);
    while (!reader.done) {
      const { number, type } = reader.tag();
      const field = level.fields.get(number);
      const inlined = level.inlined.get(number);
      if (field) this.#readField(result, reader, field, type);
      else if (inlined && type === BYTES) this.#into(result, reader.bytes(), inlined);
      else reader.skip(type);
    }
  }

  #readField(result: JsonObject, reader: WireReader, field: WireField, type: number): void {
    const { name, schema, label } = field;
    if (label === "map") {
      if (type !== BYTES) throw new WireError(`wrong wireType ${type} for ${name}`);
      result[name] ??= {};
      const map = result[name] as JsonObject;
      const { key, value } = this.#mapEntry(reader.bytes(), field);
      setOwn(map, key, value);
    } else if (label === "repeated") {
      result[name] ??= [];
      this.#readRepeated(result[name] as unknown[], reader, field, type);
    } else {
      const value = this.#readValue(reader, schema, field.type, type);
      if (value !== undefined) result[name] = value;
    }
  }

  #readRepeated(list: unknown[], reader: WireReader, field: WireField, type: number): void {
    const items = field.schema.items ?? {};
    const expected = wireTypeOf(field.type);
    if (type !== BYTES || expected === BYTES) {
      list.push(this.#readValue(reader, items, field.type, type));
      return;
    }
    const packed = new WireReader(reader.bytes());
    while (!packed.done) list.push(this.#readValue(packed, items, field.type, expected));
  }

  #mapEntry(bytes: Uint8Array, field: WireField): { key: string; value: unknown } {
    const values = field.schema.values ?? {};
    const entry = readBytesFields(bytes);
    const key = Buffer.from(entry.get(1) ?? []).toString("utf8");
    return { key, value: this.#fromBytes(entry.get(2) ?? new Uint8Array(), values, field.type) };
  }

  #readValue(reader: WireReader, schema: FieldSchema, wireType: string, type: number): unknown {
    const expected = wireTypeOf(wireType);
    if (type !== expected) throw new WireError(`wrong wireType ${type}`);
    if (expected === FIXED64) return reader.double();
    if (expected === VARINT) {
      const value = reader.varint();
      if (wireType === "bool") return value !== 0;
      return wireType === "int32" ? value | 0 : value;
    }
    return this.#fromBytes(reader.bytes(), schema, wireType);
  }

  #fromBytes(bytes: Uint8Array, schema: FieldSchema, wireType: string): unknown {
    if (wireType === "string") return Buffer.from(bytes).toString("utf8");
    if (wireType === "bytes") return Buffer.from(bytes).toString("base64");
    // A list that travels as a message of its own: `items` is field 1 (ExtraValue, Verbs).
    if (schema.type === "array") {
      const reader = new WireReader(bytes);
      const items: string[] = [];
      while (!reader.done) {
        const { number, type } = reader.tag();
        if (number === 1 && type === BYTES) items.push(Buffer.from(reader.bytes()).toString("utf8"));
        else reader.skip(type);
      }
      return items;
    }
    return schema.ref ? this.#message(bytes, schema.ref) : {};
  }

  encode(value: unknown, schema: string): Uint8Array {
    const out = new WireWriter();
    this.#content(out, value, schema);
    return out.finish();
  }

  #content(out: WireWriter, value: unknown, schema: string): void {
    const type = this.#lookup(schema);
    if (!type?.fields) out.raw(encodeScalar(value, schema, type ?? {}, this));
    else if (isObject(value)) this.#write(out, value, this.#level(type));
  }

  /** Writes the fields of a level, those of inlined messages included. */
  #write(out: WireWriter, object: JsonObject, level: Level): void {
    for (const field of level.fields.values()) {
      const value = Object.hasOwn(object, field.name) ? object[field.name] : undefined;
      if (value !== undefined && value !== null) this.#writeField(out, value, field);
    }
    for (const [number, inlined] of level.inlined)
      out.nestedUnlessEmpty(number, () => this.#write(out, object, inlined));
  }

  #writeField(out: WireWriter, value: unknown, field: WireField): void {
    const { schema, number, type, label } = field;
    if (label === "map" && isObject(value)) {
      for (const key of Object.keys(value))
        out.nested(number, () => {
          out.string(1, key);
          this.#writeValue(out, 2, { value: value[key], schema: schema.values ?? {}, type });
        });
    } else if (label === "repeated" && Array.isArray(value)) {
      for (const item of value)
        this.#writeValue(out, number, { value: item, schema: schema.items ?? {}, type });
    } else if (!label) this.#writeValue(out, number, { value, schema, type });
  }

  #writeValue(
    out: WireWriter,
    number: number,
    { value, schema, type }: { value: unknown; schema: FieldSchema; type: string },
  ): void {
    if (type === "string") out.string(number, String(value));
    else if (type === "bytes") out.bytes(number, Buffer.from(String(value), "base64"));
    else if (type === "bool") out.int(number, value ? 1 : 0);
    else if (type === "double") out.double(number, Number(value));
    else if (wireTypeOf(type) === VARINT) out.int(number, Number(value));
    else if (schema.type === "array") {
      out.nested(number, () => {
        for (const item of Array.isArray(value) ? value : []) out.string(1, String(item));
      });
    } else if (schema.ref) {
      const { ref } = schema;
      out.nested(number, () => this.#content(out, value, ref));
    }
  }
}

function wireTypeOf(type: string): number {
  if (type === "int32" || type === "int64" || type === "bool") return VARINT;
  return type === "double" ? FIXED64 : BYTES;
}
