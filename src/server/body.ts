// Reads request bodies: JSON, YAML and protobuf in, decoded objects out, with what fieldValidation has to say about them.
import { decodeObject, fieldProblems, strictDecodingError } from "../api/decode.ts";
import { exceedsValues, parseJson, parseJsonStrict } from "../api/json-text.ts";
import type { AnyKind } from "../api/kind.ts";
import type { KubeObject } from "../api/object.ts";
import { forEachValue } from "../api/own.ts";
import type { Registry } from "../api/registry.ts";
import { apiVersionOf } from "../api/resource.ts";
import type { TypeLookup } from "../api/schema.ts";
import { badRequest, statusError } from "../api/status-error.ts";
import { breathe } from "./breathe.ts";
import type { ApiRequest } from "./request.ts";
import { checkWriteOptions } from "./rest/options.ts";

export type FieldValidation = "Strict" | "Warn" | "Ignore";

export interface DecodedBody {
  readonly object: KubeObject;
  readonly warnings: readonly string[];
}

export interface ReadBody extends DecodedBody {
  /** Characters or bytes; 0 for what never was text. */
  readonly size: number;
}

/** What a body is decoded as. */
export interface BodyType {
  readonly schema: string;
  readonly apiVersion: string;
  readonly kind: string;
}

/**
 * The values (members of objects, items of lists, themselves included) that one object may have. Unlike Kubernetes, which bounds bytes alone: the
 * work goes by values, everybody waits for it, and three megabytes have room for hundreds of thousands.
 */
export const MOST_VALUES = 24_000;
/** What an object may have come to with its defaults, or patch by patch. */
const MOST_STORED_VALUES = 2 * MOST_VALUES;

const tooManyValues = (most: number) =>
  statusError("RequestEntityTooLarge", `Request entity too large: limit is ${most} values`);

/** Throws 413 when an object holds more values than may be stored; managedFields, which are the server's own, do not count. */
export function refuseTooManyValues(object: unknown): void {
  let left = MOST_STORED_VALUES;
  const count = (each: unknown) => {
    left -= 1;
    if (left < 0) throw tooManyValues(MOST_STORED_VALUES);
    forEachValue(each, (child, key) => {
      if (key !== "managedFields") count(child);
    });
  };
  count(object);
}

const JSON_TYPE = "application/json";
const JSON_PATCH_TYPE = "application/json-patch+json";
const YAML_TYPE = "application/yaml";
const PROTOBUF_TYPE = "application/vnd.kubernetes.protobuf";

export const bodyTypeOf = (kind: AnyKind): BodyType => ({
  schema: kind.schema,
  apiVersion: apiVersionOf(kind.resource),
  kind: kind.resource.kind,
});

/** The media type without parameters; no Content-Type at all is JSON, as `kubectl scale --current-replicas` sends it. */
export function mediaTypeOf(contentType: string | undefined): string {
  const type = (contentType ?? "").split(";", 1)[0]?.trim().toLowerCase() ?? "";
  return type === "" ? JSON_TYPE : type;
}

/** Throws 422 for options that Kubernetes refuses. */
export function fieldValidationOf(request: ApiRequest): FieldValidation {
  checkWriteOptions(request);
  return (request.query.get("fieldValidation") || "Warn") as FieldValidation;
}

/** Body text or value → any value. `duplicateFields` is empty where the body never was text. */
export async function readValue(
  request: ApiRequest,
  { strict }: { strict: boolean },
): Promise<{ value: unknown; duplicateFields: readonly string[]; size: number }> {
  const body = await request.readBody();
  if ("value" in body) return { value: body.value, duplicateFields: [], size: 0 };
  const text = body.bytes.toString("utf8");
  const size = text.length;
  const type = mediaTypeOf(request.contentType);
  const isYaml = type.endsWith("yaml");
  // kubectl sends JSON in the name of YAML, with server-side apply: it need not be read the slow way.
  const couldBeJson = !isYaml || /^\s*\{/.test(text);
  // Told from the text, before anything is made of it. A JSON Patch is bounded by its operations.
  if (couldBeJson && type !== JSON_PATCH_TYPE && exceedsValues(text, MOST_VALUES))
    throw tooManyValues(MOST_VALUES);
  if (isYaml && !(couldBeJson && isJson(text))) {
    const { parseYaml } = await import("../api/yaml.ts");
    return { ...parseYaml(text), size };
  }
  return strict ? { ...parseJsonStrict(text), size } : { value: parseJson(text), duplicateFields: [], size };
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/** Reads the object that a create or update carries. Throws 400 and 415 in Kubernetes' words. */
export async function readObject(request: ApiRequest, registry: Registry, type: BodyType): Promise<ReadBody> {
  const validation = fieldValidationOf(request);
  const media = mediaTypeOf(request.contentType);
  if (media === PROTOBUF_TYPE) {
    const { object, size } = await readProtobuf(request, registry, type);
    checkType(object, type);
    return { object, warnings: [], size };
  }
  if (media !== JSON_TYPE && media !== YAML_TYPE) throw unsupported(media);
  const { value, duplicateFields, size } = await readValue(request, { strict: validation !== "Ignore" });
  checkIsObject(value);
  checkType(value as { apiVersion?: unknown; kind?: unknown }, type);
  await breathe(size);
  const decoded = decodeValue(value, type, { lookup: registry.lookup, validation, duplicateFields });
  return { ...decoded, size };
}

/** Reads a body whose own apiVersion and kind do not matter (DeleteOptions come under the name of any group). */
export async function readLoosely(
  request: ApiRequest,
  registry: Registry,
  type: BodyType,
): Promise<KubeObject> {
  if (mediaTypeOf(request.contentType) === PROTOBUF_TYPE)
    return (await readProtobuf(request, registry, type)).object;
  const { value } = await readValue(request, { strict: false });
  checkIsObject(value);
  return decodeValue(value, type, { lookup: registry.lookup, validation: "Ignore" }).object;
}

/** Decodes a value and applies fieldValidation to it. `apiVersion` and `kind` are filled in. */
export function decodeValue(
  value: unknown,
  type: BodyType,
  {
    lookup,
    validation,
    duplicateFields = [],
  }: { lookup: TypeLookup; validation: FieldValidation; duplicateFields?: readonly string[] },
): DecodedBody {
  const { object, unknownFields } = decodeObject(value, type.schema, lookup);
  const findings = { unknownFields, duplicateFields };
  if (validation === "Strict") {
    const error = strictDecodingError(value, type.schema, findings);
    if (error) throw error;
  }
  const { apiVersion: _, kind: __, ...rest } = object;
  const typed = { apiVersion: type.apiVersion, kind: type.kind, ...rest };
  return { object: typed, warnings: validation === "Warn" ? fieldProblems(findings) : [] };
}

async function readProtobuf(
  request: ApiRequest,
  registry: Registry,
  type: BodyType,
): Promise<{ object: KubeObject; size: number }> {
  const body = await request.readBody();
  if ("value" in body) throw unsupported(PROTOBUF_TYPE);
  const { decodeProtobuf } = await import("../api/protobuf/codec.ts");
  const { apiVersion, kind, object } = decodeProtobuf(body.bytes, registry.lookup, (_version, name) =>
    name === type.kind || name === "" ? type.schema : undefined,
  );
  refuseTooManyValues(object);
  // Decoded once more as JSON is, so that zero values and empty fields come out alike.
  const decoded = decodeObject(
    { ...(object as object), apiVersion, kind },
    type.schema,
    registry.lookup,
  ).object;
  const { apiVersion: _, kind: __, ...rest } = decoded;
  const typed = { apiVersion: apiVersion || type.apiVersion, kind: kind || type.kind, ...rest };
  return { object: typed, size: body.bytes.length };
}

function checkIsObject(value: unknown): void {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return;
  const what = Array.isArray(value) ? "array" : value === null ? "null" : typeof value;
  throw badRequest(
    `couldn't get version/kind; json parse error: json: cannot unmarshal ${what} into Go value of type struct { APIVersion string "json:\\"apiVersion,omitempty\\""; Kind string "json:\\"kind,omitempty\\"" }`,
  );
}

/** What a client leaves out is taken from the URL; what it says must fit. */
function checkType(value: { apiVersion?: unknown; kind?: unknown }, type: BodyType): void {
  const kind = value.kind ?? "";
  const apiVersion = value.apiVersion ?? "";
  if (apiVersion !== "" && apiVersion !== type.apiVersion) {
    throw badRequest(
      `the API version in the data (${String(apiVersion)}) does not match the expected API version (${type.apiVersion})`,
    );
  }
  if (kind !== "" && kind !== type.kind) {
    const version = type.apiVersion.slice(type.apiVersion.lastIndexOf("/") + 1);
    throw badRequest(
      `${String(kind)} in version "${version}" cannot be handled as a ${type.kind}: the kind in the data does not match the expected kind (${type.kind})`,
    );
  }
}

export const unsupported = (media: string, accepted = `${JSON_TYPE}, ${YAML_TYPE}, ${PROTOBUF_TYPE}`) =>
  statusError(
    "UnsupportedMediaType",
    `the body of the request was in an unknown format - accepted media types include: ${accepted}${media ? ` (was ${JSON.stringify(media)})` : ""}`,
  );
