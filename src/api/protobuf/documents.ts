// Answers in protobuf: which message a document is, by its apiVersion and kind, and the frames in which a watch sends them.
// Owns the messages that the structure table lacks because OpenAPI does not describe them.
import { type Parts, whole } from "../../base/parts.ts";
import type { JsonObject } from "../own.ts";
import { apiVersionOf } from "../resource.ts";
import { kubernetesType, kubernetesTypes, type TypeLookup, type TypeSchema } from "../schema.ts";
import { encodeInParts } from "./codec.ts";
import { WireWriter } from "./wire.ts";

const META = "io.k8s.apimachinery.pkg.apis.meta.v1";
const PARTIAL = `${META}.PartialObjectMetadata`;
const DISCOVERY = "io.k8s.api.apidiscovery.v2";

const text = (number: number) => ({ type: "string", wire: [number, "string"] });
/** Written when it is empty, too. */
const always = (number: number) => ({ ...text(number), required: true });
const texts = (number: number) => ({
  type: "array",
  items: { type: "string" },
  wire: [number, "string", "repeated"],
});
const message = (number: number, ref: string) => ({ ref, wire: [number, ref] });
const messages = (number: number, ref: string) => ({
  type: "array",
  items: { ref },
  wire: [number, ref, "repeated"],
});

/** Field numbers as in the generated.proto of k8s.io/apimachinery's meta/v1 and meta/v1beta1 and of k8s.io/api's apidiscovery/v2. */
const unlisted: Readonly<Record<string, TypeSchema>> = {
  [PARTIAL]: {
    gvk: [
      ["meta.k8s.io", "v1", "PartialObjectMetadata"],
      ["meta.k8s.io", "v1beta1", "PartialObjectMetadata"],
    ],
    fields: { metadata: message(1, `${META}.ObjectMeta`) },
  },
  [`${PARTIAL}List`]: {
    gvk: [["meta.k8s.io", "v1", "PartialObjectMetadataList"]],
    fields: { metadata: message(1, `${META}.ListMeta`), items: messages(2, PARTIAL) },
  },
  // The other way round than v1 and every other list.
  "io.k8s.apimachinery.pkg.apis.meta.v1beta1.PartialObjectMetadataList": {
    gvk: [["meta.k8s.io", "v1beta1", "PartialObjectMetadataList"]],
    fields: { items: messages(1, PARTIAL), metadata: message(2, `${META}.ListMeta`) },
  },
  [`${DISCOVERY}.APIGroupDiscoveryList`]: {
    gvk: [
      ["apidiscovery.k8s.io", "v2", "APIGroupDiscoveryList"],
      ["apidiscovery.k8s.io", "v2beta1", "APIGroupDiscoveryList"],
    ],
    fields: {
      metadata: message(1, `${META}.ListMeta`),
      items: messages(2, `${DISCOVERY}.APIGroupDiscovery`),
    },
  },
  [`${DISCOVERY}.APIGroupDiscovery`]: {
    fields: {
      metadata: message(1, `${META}.ObjectMeta`),
      versions: messages(2, `${DISCOVERY}.APIVersionDiscovery`),
    },
  },
  [`${DISCOVERY}.APIVersionDiscovery`]: {
    fields: {
      version: text(1),
      resources: messages(2, `${DISCOVERY}.APIResourceDiscovery`),
      freshness: text(3),
    },
  },
  [`${DISCOVERY}.APIResourceDiscovery`]: {
    fields: {
      resource: text(1),
      responseKind: message(2, `${META}.GroupVersionKind`),
      scope: text(3),
      singularResource: always(4),
      verbs: texts(5),
      shortNames: texts(6),
      categories: texts(7),
      subresources: messages(8, `${DISCOVERY}.APISubresourceDiscovery`),
    },
  },
  [`${DISCOVERY}.APISubresourceDiscovery`]: {
    fields: { subresource: text(1), responseKind: message(2, `${META}.GroupVersionKind`), verbs: texts(4) },
  },
  [`${META}.GroupVersionKind`]: { fields: { group: always(1), version: always(2), kind: always(3) } },
};

/** Every type that has a message. */
export const messageType: TypeLookup = (name) =>
  kubernetesType(name) ?? (Object.hasOwn(unlisted, name) ? unlisted[name] : undefined);

let schemas: ReadonlyMap<string, string> | undefined;

/** The type of a document; undefined for what has no message: kubemu's own kinds, metrics, tables. */
export function schemaOfDocument(apiVersion: string, kind: string): string | undefined {
  schemas ??= new Map(
    [...Object.entries(kubernetesTypes), ...Object.entries(unlisted)].flatMap(([name, { gvk = [] }]) =>
      gvk.map(([group, version, one]) => [`${apiVersionOf({ group, version })} ${one}`, name] as const),
    ),
  );
  // APIVersions is the one document that names no version.
  return schemas.get(`${apiVersion || "v1"} ${kind}`);
}

/** A document in its envelope; undefined when there is no message for it. */
export const encodeDocument = (value: unknown): Uint8Array | undefined => whole(documentInParts(value));

/** The same, in parts where it is a long list. */
export function* documentInParts(value: unknown): Parts<Uint8Array | undefined> {
  const { apiVersion, kind } = (value ?? {}) as { apiVersion?: unknown; kind?: unknown };
  const schema = schemaOfDocument(String(apiVersion ?? ""), String(kind ?? ""));
  return schema === undefined ? undefined : yield* encodeInParts(value as JsonObject, schema, messageType);
}

/**
 * An event of a watch, as `application/vnd.kubernetes.protobuf;stream=watch` has it: the length in four bytes, most
 * significant first, then a meta/v1 WatchEvent. Unlike its object it has no envelope: apimachinery streams through the
 * serializer that writes none. Undefined when there is no message for the object.
 */
export function encodeWatchEvent(type: string, object: unknown): Buffer | undefined {
  const raw = encodeDocument(object);
  if (!raw) return undefined;
  const event = new WireWriter();
  event.string(1, type);
  event.nested(2, () => event.bytes(1, raw));
  const bytes = event.finish();
  const frame = Buffer.alloc(4 + bytes.length);
  frame.writeUInt32BE(bytes.length);
  frame.set(bytes, 4);
  return frame;
}
