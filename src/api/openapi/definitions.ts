// The schemas of OpenAPI, from the structure table: of what the registry's kinds reach and of nothing else, so that the
// documents stay small. Both versions of OpenAPI share this; a Dialect says where they differ.
import type { AnyKind } from "../kind.ts";
import { metricsKinds, metricsTypes } from "../metrics.ts";
import type { JsonObject } from "../own.ts";
import type { Registry } from "../registry.ts";
import type { FieldSchema, TypeSchema } from "../schema.ts";
import type { Descriptions } from "./descriptions.ts";

export interface Dialect {
  readonly version: 2 | 3;
  /** `#/definitions/` or `#/components/schemas/`. */
  readonly prefix: string;
}

/** What OpenAPI describes: kinds, and the types that they are made of. */
export type Described = Pick<Registry, "all" | "lookup">;

/** The registry's kinds, and what is served beside them. */
export const describedBy = (registry: Registry): Described => ({
  all: () => [...registry.all(), ...metricsKinds],
  lookup: (name) => metricsTypes[name] ?? registry.lookup(name),
});

/** Types that requests and answers of every kind use. */
export const COMMON_TYPES: readonly string[] = [
  "DeleteOptions",
  "Status",
  "Patch",
  "WatchEvent",
  "APIResourceList",
  "APIGroup",
].map((name) => `io.k8s.apimachinery.pkg.apis.meta.v1.${name}`);

const LIST_META = "io.k8s.apimachinery.pkg.apis.meta.v1.ListMeta";
const shortName = (name: string) => name.slice(name.lastIndexOf(".") + 1);

/** The list type of a kind: Kubernetes' own, or one made up for kinds that bring none along. */
export const listTypeOf = (kind: AnyKind) => `${kind.schema}List`;

/** Every type that is reached from `roots`, sorted. */
export function reachableTypes(registry: Described, roots: readonly string[]): string[] {
  const found = new Set<string>();
  const visit = (name: string) => {
    if (found.has(name)) return;
    found.add(name);
    for (const field of Object.values(registry.lookup(name)?.fields ?? {})) visitField(field);
  };
  const visitField = (field: FieldSchema) => {
    if (field.ref) visit(field.ref);
    if (field.items) visitField(field.items);
    if (field.values) visitField(field.values);
  };
  for (const root of roots) visit(root);
  return [...found].sort();
}

/** The definitions of what `kinds` and `extra` types reach, by name. */
export function definitionsOf(
  registry: Described,
  { kinds, extra }: { kinds: readonly AnyKind[]; extra: readonly string[] },
  { dialect, descriptions }: { dialect: Dialect; descriptions: Descriptions },
): JsonObject {
  const ownLists = new Map(
    kinds.filter((kind) => !registry.lookup(listTypeOf(kind))).map((kind) => [listTypeOf(kind), kind]),
  );
  const lists = kinds.map(listTypeOf).filter((name) => !ownLists.has(name));
  const roots = [...kinds.map((kind) => kind.schema), ...lists, ...COMMON_TYPES, LIST_META, ...extra];
  const byType = new Map(kinds.map((kind) => [kind.schema, kind]));
  const result: JsonObject = {};
  for (const name of reachableTypes(registry, roots)) {
    const type = registry.lookup(name);
    if (!type) continue;
    const definition = definitionOf(name, type, { dialect, descriptions });
    const kind = byType.get(name);
    if (kind && !type.gvk) definition["x-kubernetes-group-version-kind"] = [gvkOf(kind)];
    result[name] = definition;
  }
  for (const [name, kind] of ownLists) result[name] = ownListOf(kind, dialect);
  return result;
}

export const gvkOf = ({ resource: { group, kind, version } }: AnyKind) => ({ group, kind, version });

function ownListOf(kind: AnyKind, dialect: Dialect): JsonObject {
  return {
    type: "object",
    required: ["items"],
    properties: {
      apiVersion: { type: "string" },
      items: { type: "array", items: { $ref: dialect.prefix + kind.schema } },
      kind: { type: "string" },
      metadata: { $ref: dialect.prefix + LIST_META },
    },
    "x-kubernetes-group-version-kind": [{ ...gvkOf(kind), kind: `${kind.resource.kind}List` }],
  };
}

function definitionOf(
  name: string,
  type: TypeSchema,
  { dialect, descriptions }: { dialect: Dialect; descriptions: Descriptions },
): JsonObject {
  const texts = Object.hasOwn(descriptions, name) ? descriptions[name] : undefined;
  const description = texts?.[""] ? { description: texts[""] } : {};
  if (!type.fields) return { ...description, ...scalarOf(name, type, dialect) };
  const properties: JsonObject = {};
  const required: string[] = [];
  for (const [key, field] of Object.entries(type.fields)) {
    properties[key] = propertyOf(field, dialect, texts && Object.hasOwn(texts, key) ? texts[key] : undefined);
    if (field.required) required.push(key);
  }
  return {
    ...description,
    type: "object",
    ...(required.length > 0 ? { required } : {}),
    properties,
    ...(type.mapType ? { "x-kubernetes-map-type": type.mapType } : {}),
    ...(type.preserveUnknown ? { "x-kubernetes-preserve-unknown-fields": true } : {}),
    ...(type.gvk
      ? {
          "x-kubernetes-group-version-kind": type.gvk.map(([group, version, kind]) => ({
            group,
            kind,
            version,
          })),
        }
      : {}),
  };
}

/** Types that JSON writes as one value. */
function scalarOf(name: string, type: TypeSchema, { version }: Dialect): JsonObject {
  const either = (...types: string[]) => ({ oneOf: types.map((one) => ({ type: one })) });
  switch (shortName(name)) {
    case "Quantity":
      return version === 3 ? either("string", "number") : { type: "string" };
    case "IntOrString":
      return version === 3
        ? { format: "int-or-string", ...either("integer", "string") }
        : { type: "string", format: "int-or-string" };
  }
  if (!type.type || type.type === "any") return {};
  return { type: type.type, ...(type.format ? { format: type.format } : {}) };
}

function propertyOf(field: FieldSchema, dialect: Dialect, description: string | undefined): JsonObject {
  const extensions: JsonObject = {
    ...(field.listType ? { "x-kubernetes-list-type": field.listType } : {}),
    ...(field.listMapKeys ? { "x-kubernetes-list-map-keys": field.listMapKeys } : {}),
    ...(field.mapType ? { "x-kubernetes-map-type": field.mapType } : {}),
    ...(field.patchStrategy ? { "x-kubernetes-patch-strategy": field.patchStrategy } : {}),
    ...(field.patchMergeKey ? { "x-kubernetes-patch-merge-key": field.patchMergeKey } : {}),
  };
  const described = description ? { description } : {};
  if (field.ref) {
    const reference = { $ref: dialect.prefix + field.ref };
    // In OpenAPI 3.0 a reference allows nothing beside it.
    const alone = !description && Object.keys(extensions).length === 0;
    return {
      ...described,
      ...(alone || dialect.version === 2 ? reference : { allOf: [reference] }),
      ...extensions,
    };
  }
  if (field.type === "array") {
    return {
      ...described,
      type: "array",
      items: propertyOf(field.items ?? {}, dialect, undefined),
      ...extensions,
    };
  }
  if (field.type === "object") {
    const values = field.values ? { additionalProperties: propertyOf(field.values, dialect, undefined) } : {};
    return { ...described, type: "object", ...values, ...extensions };
  }
  if (!field.type || field.type === "any") return { ...described, ...extensions };
  return { ...described, type: field.type, ...(field.format ? { format: field.format } : {}), ...extensions };
}
