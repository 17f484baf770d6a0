// The structure of the API as data: what kubernetes-api.json holds, typed, and the one way to look it up.
// Validation, pruning, patches, OpenAPI and the protobuf codec all walk these records.
import table from "./kubernetes-api.json" with { type: "json" };

/** One field, list item or map value. Exactly one of `ref` and `type` says what it is. */
export interface FieldSchema {
  readonly type?: string;
  readonly format?: string;
  /** The name of another type. */
  readonly ref?: string;
  readonly items?: FieldSchema;
  readonly values?: FieldSchema;
  readonly required?: boolean;
  readonly listType?: string;
  readonly listMapKeys?: readonly string[];
  readonly mapType?: string;
  /** `merge`, `retainKeys`, `merge,retainKeys` … */
  readonly patchStrategy?: string;
  readonly patchMergeKey?: string;
  /** [field number, protobuf type, "repeated" | "map" | absent] */
  readonly wire?: readonly (number | string)[];
  /** Field numbers of the enclosing messages that JSON inlines, outermost first. */
  readonly via?: readonly number[];
}

export interface TypeSchema {
  readonly fields?: Readonly<Record<string, FieldSchema>>;
  /** For types that JSON writes as a scalar or as anything. */
  readonly type?: string;
  readonly format?: string;
  readonly mapType?: string;
  /** Unknown fields are kept (for types that kubemu defines itself and for custom resources). */
  readonly preserveUnknown?: boolean;
  readonly gvk?: readonly (readonly [string, string, string])[];
  readonly wireSelf?: Readonly<Record<string, readonly (number | string)[]>>;
}

/** One served resource as the facts table lists it. */
export interface ResourceFacts {
  readonly group: string;
  readonly version: string;
  readonly plural: string;
  readonly kind: string;
  readonly namespaced: boolean;
  readonly verbs: readonly string[];
  readonly subresources: Readonly<
    Record<string, { readonly kind: string; readonly verbs: readonly string[] }>
  >;
}

const facts = table as unknown as {
  readonly kubernetes: string;
  readonly types: Readonly<Record<string, TypeSchema>>;
  readonly wireOnly: Readonly<Record<string, Readonly<Record<string, readonly (number | string)[]>>>>;
  readonly resources: readonly ResourceFacts[];
};

export const kubernetesTypes = facts.types;
export const wireOnlyMessages = facts.wireOnly;
export const resourceFacts = facts.resources;

/** Finds a type by name; the server's registry adds kubemu's own types to Kubernetes'. */
export type TypeLookup = (name: string) => TypeSchema | undefined;

// Every field of every object read asks: a map answers in half the time.
const typesByName = new Map(Object.entries(facts.types));
export const kubernetesType: TypeLookup = (name) => typesByName.get(name);

export const OBJECT_META = "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta";
