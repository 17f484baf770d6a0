// Reads the Accept header: which of the forms that an answer can take the client likes best.
import { statusError } from "../api/status-error.ts";

export interface Format {
  readonly encoding: "json" | "yaml" | "protobuf";
  /** "Table" and "PartialObjectMetadata" are transformations of what is stored. */
  readonly as: "object" | "Table" | "PartialObjectMetadata";
  /** Of meta.k8s.io, for the transformations: v1 or v1beta1. */
  readonly version: string;
  readonly includeObject: "None" | "Metadata" | "Object";
}

export const PLAIN: Format = { encoding: "json", as: "object", version: "v1", includeObject: "Metadata" };
export const PROTOBUF = "application/vnd.kubernetes.protobuf";
const ENCODINGS: Readonly<Record<string, Format["encoding"]>> = {
  "application/json": "json",
  "application/yaml": "yaml",
  [PROTOBUF]: "protobuf",
  "application/*": "json",
  "*/*": "json",
};
const ACCEPTED = `application/json, application/yaml, ${PROTOBUF}`;

/** The media types of an Accept header in order of preference, parameters parsed. */
export function mediaTypes(accept: string): { type: string; parameters: ReadonlyMap<string, string> }[] {
  return accept
    .split(",")
    .map((item) => {
      const [type = "", ...parameters] = item.split(";").map((part) => part.trim());
      const pairs = parameters.map((one): [string, string] => {
        const equals = one.indexOf("=");
        return equals < 0 ? [one, ""] : [one.slice(0, equals), one.slice(equals + 1)];
      });
      return { type: type.toLowerCase(), parameters: new Map(pairs) };
    })
    .filter(({ type }) => type !== "")
    .sort((a, b) => quality(b.parameters) - quality(a.parameters));
}

const quality = (parameters: ReadonlyMap<string, string>) => Number(parameters.get("q") ?? 1);

/**
 * The form to answer in. Throws 406 when none will do. Unlike Kubernetes: a client that takes JSON as well as protobuf is
 * given JSON, which is what the server has at hand.
 */
export function negotiate(accept: string, includeObject: string | null): Format {
  if (accept === "" || accept === "application/json" || accept === "*/*") return PLAIN;
  const wanted = mediaTypes(accept);
  let first: Format | undefined;
  for (const { type, parameters } of wanted) {
    const encoding = Object.hasOwn(ENCODINGS, type) ? ENCODINGS[type] : undefined;
    if (!encoding) continue;
    const format = transformation(encoding, parameters, includeObject);
    if (!format) continue;
    if (format.encoding !== "protobuf") return first && first.as !== format.as ? first : format;
    first ??= format;
  }
  if (first) return first;
  throw notAcceptable();
}

const notAcceptable = () =>
  statusError("NotAcceptable", `only the following media types are accepted: ${ACCEPTED}`);

/** Throws 406 for a client that takes nothing but a Table, of what is never shown as one. */
export function refuseTable(accept: string): void {
  const wanted = mediaTypes(accept);
  if (wanted.length > 0 && wanted.every(({ parameters }) => parameters.get("as") === "Table"))
    throw notAcceptable();
}

/**
 * True for a client that takes a plain document in protobuf and in nothing else. Errors, Statuses and discovery go by this and
 * not by `negotiate`: they are never transformed, so that a media type with `as` counts for nothing (NegotiateOutputMediaType with
 * DefaultEndpointRestrictions), and where none is left they are JSON.
 */
export function takesOnlyProtobuf(accept: string): boolean {
  if (!accept.includes(PROTOBUF)) return false;
  const plain = mediaTypes(accept)
    .filter(({ parameters }) => !["as", "g", "v"].some((one) => parameters.has(one)))
    .map(({ type }) => (Object.hasOwn(ENCODINGS, type) ? ENCODINGS[type] : undefined))
    .filter((encoding) => encoding !== undefined);
  return plain.length > 0 && plain.every((encoding) => encoding === "protobuf");
}

function transformation(
  encoding: Format["encoding"],
  parameters: ReadonlyMap<string, string>,
  includeObject: string | null,
): Format | undefined {
  const as = parameters.get("as");
  if (as === undefined) return { ...PLAIN, encoding };
  const version = parameters.get("v") ?? "";
  if (parameters.get("g") !== "meta.k8s.io" || (version !== "v1" && version !== "v1beta1")) return undefined;
  const base = as.endsWith("List") ? as.slice(0, -"List".length) : as;
  if (base !== "Table" && base !== "PartialObjectMetadata") return undefined;
  if (encoding === "protobuf" && base === "Table") return undefined;
  const include = includeObject === "None" || includeObject === "Object" ? includeObject : "Metadata";
  return { encoding, as: base, version, includeObject: include };
}
