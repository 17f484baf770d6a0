// An OpenAPI v2 document as gnostic's protobuf message openapi.v2.Document. Only what our documents hold is written; field
// numbers are those of gnostic's OpenAPIv2.proto.
import { isObject, type JsonObject } from "../own.ts";
import { WireWriter } from "../protobuf/wire.ts";

type Write = (out: WireWriter) => void;

function message(write: Write): Uint8Array {
  const out = new WireWriter();
  write(out);
  return out.finish();
}

const objectAt = (value: JsonObject, key: string): JsonObject => {
  const found = value[key];
  return isObject(found) ? found : {};
};
const listAt = (value: JsonObject, key: string): unknown[] => {
  const found = value[key];
  return Array.isArray(found) ? found : [];
};

function text(out: WireWriter, number: number, value: unknown): void {
  if (typeof value === "string" && value !== "") out.string(number, value);
}

export function encodeGnostic(document: JsonObject): Uint8Array {
  const info = objectAt(document, "info");
  return message((out) => {
    text(out, 1, document["swagger"]);
    out.bytes(
      2,
      message((inner) => {
        text(inner, 1, info["title"]);
        text(inner, 2, info["version"]);
      }),
    );
    out.bytes(
      8,
      message((inner) => named(inner, 2, objectAt(document, "paths"), pathItem)),
    );
    out.bytes(
      9,
      message((inner) => named(inner, 1, objectAt(document, "definitions"), schema)),
    );
  });
}

/** A map: a repeated message of name and value. */
function named(
  out: WireWriter,
  number: number,
  map: JsonObject,
  encode: (value: JsonObject) => Uint8Array,
): void {
  for (const [name, value] of Object.entries(map)) {
    out.bytes(
      number,
      message((entry) => {
        entry.string(1, name);
        entry.bytes(2, encode(isObject(value) ? value : {}));
      }),
    );
  }
}

/** `x-…`: a name and an Any, which holds YAML; JSON is YAML. */
function extensions(out: WireWriter, number: number, value: JsonObject): void {
  for (const [name, extension] of Object.entries(value)) {
    if (!name.startsWith("x-")) continue;
    out.bytes(
      number,
      message((entry) => {
        entry.string(1, name);
        entry.bytes(
          2,
          message((any) => any.string(2, `${JSON.stringify(extension)}\n`)),
        );
      }),
    );
  }
}

function schema(value: JsonObject): Uint8Array {
  return message((out) => {
    text(out, 1, value["$ref"]);
    text(out, 2, value["format"]);
    text(out, 4, value["description"]);
    for (const name of listAt(value, "required")) text(out, 19, name);
    const additional = value["additionalProperties"];
    if (isObject(additional)) {
      out.bytes(
        21,
        message((inner) => inner.bytes(1, schema(additional))),
      );
    }
    if (typeof value["type"] === "string") {
      out.bytes(
        22,
        message((inner) => text(inner, 1, value["type"])),
      );
    }
    const items = value["items"];
    if (isObject(items)) {
      out.bytes(
        23,
        message((inner) => inner.bytes(1, schema(items))),
      );
    }
    if (isObject(value["properties"])) {
      out.bytes(
        25,
        message((inner) => named(inner, 1, objectAt(value, "properties"), schema)),
      );
    }
    extensions(out, 31, value);
  });
}

const METHOD_NUMBERS: Readonly<Record<string, number>> = { get: 2, put: 3, post: 4, delete: 5, patch: 8 };

function pathItem(value: JsonObject): Uint8Array {
  return message((out) => {
    for (const [method, number] of Object.entries(METHOD_NUMBERS)) {
      if (isObject(value[method])) out.bytes(number, operation(objectAt(value, method)));
    }
    for (const item of listAt(value, "parameters")) if (isObject(item)) out.bytes(9, parameter(item));
  });
}

function operation(value: JsonObject): Uint8Array {
  return message((out) => {
    text(out, 5, value["operationId"]);
    for (const type of listAt(value, "produces")) text(out, 6, type);
    for (const type of listAt(value, "consumes")) text(out, 7, type);
    for (const item of listAt(value, "parameters")) if (isObject(item)) out.bytes(8, parameter(item));
    out.bytes(
      9,
      message((inner) => named(inner, 1, objectAt(value, "responses"), response)),
    );
    extensions(out, 13, value);
  });
}

/** ResponseValue { response: Response { description, schema: SchemaItem { schema } } } */
function response(value: JsonObject): Uint8Array {
  const inner = message((out) => {
    text(out, 1, value["description"]);
    if (isObject(value["schema"])) {
      const item = message((entry) => entry.bytes(1, schema(objectAt(value, "schema"))));
      out.bytes(2, item);
    }
  });
  return message((out) => out.bytes(1, inner));
}

/** ParametersItem { parameter: Parameter { body_parameter | non_body_parameter { query | path } } } */
function parameter(value: JsonObject): Uint8Array {
  const place = value["in"];
  const inner = message((out) => {
    if (place === "body") {
      out.bytes(
        1,
        message((body) => {
          text(body, 2, value["name"]);
          text(body, 3, place);
          body.bytes(5, schema(objectAt(value, "schema")));
        }),
      );
      return;
    }
    const plain = message((one) => {
      if (value["required"] === true) one.int(1, 1);
      text(one, 2, place);
      text(one, 4, value["name"]);
      // The query's message has one field more before the type than the path's.
      text(one, place === "query" ? 6 : 5, value["type"]);
      one.int(place === "query" ? 20 : 19, 1);
    });
    out.bytes(
      2,
      message((one) => one.bytes(place === "query" ? 3 : 4, plain)),
    );
  });
  return message((out) => out.bytes(1, inner));
}
