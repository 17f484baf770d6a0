// The paths of OpenAPI: what can be done with each kind of the registry and its subresources. kubectl looks here for the
// kind of a path, and at PATCH's `fieldValidation` parameter to learn that the server validates.
import type { AnyKind } from "../kind.ts";
import type { JsonObject } from "../own.ts";
import { resourceFacts } from "../schema.ts";
import { type Dialect, gvkOf, listTypeOf } from "./definitions.ts";

interface Gvk {
  readonly group: string;
  readonly kind: string;
  readonly version: string;
}

interface Operation {
  /** `get`, `put` … */
  readonly method: string;
  /** `list`, `patch` …: x-kubernetes-action, and the start of the operation's id. */
  readonly action: string;
  readonly gvk: Gvk;
  /** The type of the request's body. */
  readonly body?: string;
  /** The type of the answer. */
  readonly answer: string;
}

const META = "io.k8s.apimachinery.pkg.apis.meta.v1.";
const PATCH_TYPES = [
  "application/json-patch+json",
  "application/merge-patch+json",
  "application/strategic-merge-patch+json",
  "application/apply-patch+yaml",
];
const JSON_TYPES = ["application/json", "application/yaml", "application/vnd.kubernetes.protobuf"];

/** Kinds that subresources speak instead of their resource's own. */
const SUBRESOURCE_TYPES: Readonly<Record<string, { readonly schema: string; readonly gvk: Gvk }>> = {
  Scale: {
    schema: "io.k8s.api.autoscaling.v1.Scale",
    gvk: { group: "autoscaling", kind: "Scale", version: "v1" },
  },
  Binding: { schema: "io.k8s.api.core.v1.Binding", gvk: { group: "", kind: "Binding", version: "v1" } },
  Eviction: {
    schema: "io.k8s.api.policy.v1.Eviction",
    gvk: { group: "policy", kind: "Eviction", version: "v1" },
  },
  TokenRequest: {
    schema: "io.k8s.api.authentication.v1.TokenRequest",
    gvk: { group: "authentication.k8s.io", kind: "TokenRequest", version: "v1" },
  },
};

interface Subresource {
  readonly name: string;
  readonly schema: string;
  readonly gvk: Gvk;
  readonly verbs: readonly string[];
}

/** The subresources that are read and written as objects; streams (exec, logs …) are not described. */
function subresourcesOf(kind: AnyKind): Subresource[] {
  const { group, version, plural, kind: name } = kind.resource;
  const facts = resourceFacts.find(
    (one) => one.group === group && one.version === version && one.plural === plural,
  );
  const own = { schema: kind.schema, gvk: gvkOf(kind) };
  const found: Subresource[] = [];
  if (kind.hasStatus) found.push({ name: "status", ...own, verbs: ["get", "patch", "update"] });
  if (kind.scale)
    found.push({ name: "scale", ...SUBRESOURCE_TYPES["Scale"]!, verbs: ["get", "patch", "update"] });
  for (const [sub, { kind: spoken, verbs }] of Object.entries(facts?.subresources ?? {})) {
    if (sub === "status" || sub === "scale" || sub === "log") continue;
    const type = spoken === name ? own : SUBRESOURCE_TYPES[spoken];
    if (type) found.push({ name: sub, ...type, verbs });
  }
  return found;
}

/** Types that only subresources of these kinds use. */
export function subresourceTypes(kinds: readonly AnyKind[]): string[] {
  return [...new Set(kinds.flatMap(subresourcesOf).map(({ schema }) => schema))];
}

const METHODS: Readonly<Record<string, string>> = {
  get: "get",
  list: "get",
  watch: "get",
  create: "post",
  update: "put",
  patch: "patch",
  delete: "delete",
  deletecollection: "delete",
};
const ACTIONS: Readonly<Record<string, string>> = { create: "post", update: "put" };
const ID_VERBS: Readonly<Record<string, string>> = { get: "read", put: "replace", post: "create" };

function operationOf(verb: string, schema: string, gvk: Gvk, list = ""): Operation {
  const body = verb.startsWith("delete")
    ? `${META}DeleteOptions`
    : verb === "patch"
      ? `${META}Patch`
      : verb === "create" || verb === "update"
        ? schema
        : undefined;
  const answer = verb.startsWith("delete") ? `${META}Status` : verb === "list" ? list : schema;
  return {
    method: METHODS[verb] ?? verb,
    action: ACTIONS[verb] ?? verb,
    gvk,
    answer,
    ...(body ? { body } : {}),
  };
}

/** Every path of `kinds`, as OpenAPI of `dialect` describes it. */
export function pathsOf(kinds: readonly AnyKind[], dialect: Dialect): JsonObject {
  const paths: JsonObject = {};
  const add = (path: string, operations: readonly Operation[]) => {
    if (operations.length > 0) paths[path] = pathItem(path, operations, dialect);
  };
  for (const kind of kinds) {
    const { group, version, plural, namespaced } = kind.resource;
    const root = group ? `/apis/${group}/${version}` : `/api/${version}`;
    const collection = namespaced ? `${root}/namespaces/{namespace}/${plural}` : `${root}/${plural}`;
    const has = (verb: string) => !kind.verbs || kind.verbs.includes(verb);
    const operations = (...verbs: string[]) =>
      verbs.filter(has).map((verb) => operationOf(verb, kind.schema, gvkOf(kind), listTypeOf(kind)));
    add(collection, operations("list", "create", "deletecollection"));
    if (namespaced) add(`${root}/${plural}`, operations("list"));
    add(`${collection}/{name}`, operations("get", "update", "patch", "delete"));
    for (const { name, schema, gvk, verbs } of subresourcesOf(kind)) {
      add(
        `${collection}/{name}/${name}`,
        verbs.filter((verb) => verb !== "delete").map((verb) => operationOf(verb, schema, gvk)),
      );
    }
  }
  return paths;
}

function pathItem(path: string, operations: readonly Operation[], dialect: Dialect): JsonObject {
  const parameters = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) =>
    parameter({ name: name as string, in: "path", required: true }, "string", dialect),
  );
  const item: JsonObject = {};
  for (const operation of operations) item[operation.method] = operationItem(path, operation, dialect);
  return { ...item, ...(parameters.length > 0 ? { parameters } : {}) };
}

const title = (word: string) => word.slice(0, 1).toUpperCase() + word.slice(1);

function operationId(path: string, { action, method, gvk }: Operation): string {
  const [, root, ...rest] = path.split("/");
  const [group, version] = root === "api" ? ["core", rest[0]] : [rest[0], rest[1]];
  const scope = path.includes("{namespace}") ? "Namespaced" : "";
  const verb = action === "deletecollection" ? "deleteCollection" : (ID_VERBS[action] ?? action);
  const sub = path.split("{name}/")[1];
  const all = action === "list" && !scope && method === "get" ? "ForAllNamespaces" : "";
  const groupName = title((group ?? "").replace(/\.k8s\.io$/, "").replace(/[.-]/g, ""));
  return `${verb}${groupName}${title(version ?? "")}${scope}${gvk.kind}${sub ? title(sub) : ""}${all}`;
}

function operationItem(path: string, operation: Operation, dialect: Dialect): JsonObject {
  const { action, gvk, body, answer } = operation;
  const consumes = action === "patch" ? PATCH_TYPES : ["*/*"];
  const parameters = queryParameters(operation).map(([name, type]) =>
    parameter({ name, in: "query" }, type, dialect),
  );
  const schema = { $ref: dialect.prefix + answer };
  const shared: JsonObject = {
    operationId: operationId(path, operation),
    "x-kubernetes-action": action,
    "x-kubernetes-group-version-kind": gvk,
  };
  if (dialect.version === 2) {
    const bodies = body ? [{ in: "body", name: "body", schema: { $ref: dialect.prefix + body } }] : [];
    return {
      ...shared,
      consumes,
      produces: JSON_TYPES,
      parameters: [...bodies, ...parameters],
      responses: { "200": { description: "OK", schema } },
    };
  }
  const contentOf = (types: readonly string[], content: JsonObject) =>
    Object.fromEntries(types.map((type) => [type, content]));
  return {
    ...shared,
    parameters,
    ...(body
      ? { requestBody: { content: contentOf(consumes, { schema: { $ref: dialect.prefix + body } }) } }
      : {}),
    responses: { "200": { description: "OK", content: contentOf(JSON_TYPES, { schema }) } },
  };
}

function queryParameters({ action, method }: Operation): [string, string][] {
  if (action === "list" || action === "deletecollection") {
    return [
      ["allowWatchBookmarks", "boolean"],
      ["continue", "string"],
      ["fieldSelector", "string"],
      ["labelSelector", "string"],
      ["limit", "integer"],
      ["resourceVersion", "string"],
      ["resourceVersionMatch", "string"],
      ["sendInitialEvents", "boolean"],
      ["timeoutSeconds", "integer"],
      ["watch", "boolean"],
    ];
  }
  if (method === "delete") {
    return [
      ["dryRun", "string"],
      ["gracePeriodSeconds", "integer"],
      ["propagationPolicy", "string"],
    ];
  }
  if (method === "get") return [];
  const write: [string, string][] = [
    ["dryRun", "string"],
    ["fieldManager", "string"],
    ["fieldValidation", "string"],
  ];
  return method === "patch" ? [...write, ["force", "boolean"]] : write;
}

function parameter(base: JsonObject, type: string, dialect: Dialect): JsonObject {
  return dialect.version === 2
    ? { ...base, type, uniqueItems: true }
    : { ...base, schema: { type, uniqueItems: true } };
}
