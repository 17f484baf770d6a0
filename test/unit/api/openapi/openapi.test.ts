import { describe, expect, it } from "vitest";
import { openapiV2, openapiV2Protobuf } from "../../../../src/api/openapi/v2.ts";
import { openapiV3, openapiV3Paths } from "../../../../src/api/openapi/v3.ts";
import type { JsonObject } from "../../../../src/api/own.ts";
import { WireReader } from "../../../../src/api/protobuf/wire.ts";
import { builtinKinds, createRegistry } from "../../../../src/api/registry.ts";

const registry = createRegistry(builtinKinds);
const DEPLOYMENT = "io.k8s.api.apps.v1.Deployment";
const DEPLOYMENT_SPEC = "io.k8s.api.apps.v1.DeploymentSpec";

function at(value: unknown, ...path: string[]): unknown {
  return path.reduce<unknown>((here, key) => (here as JsonObject | undefined)?.[key], value);
}

function references(value: unknown): string[] {
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) =>
    key === "$ref" ? [String(inner)] : references(inner),
  );
}

/** The names in a repeated NamedX field `number` of a message. */
function namesIn(bytes: Uint8Array, number: number): string[] {
  return fieldsOf(bytes, number).map((entry) => Buffer.from(fieldsOf(entry, 1)[0] ?? []).toString("utf8"));
}

function fieldsOf(bytes: Uint8Array, wanted: number): Uint8Array[] {
  const reader = new WireReader(bytes);
  const found: Uint8Array[] = [];
  while (!reader.done) {
    const { number, type } = reader.tag();
    if (number === wanted && type === 2) found.push(reader.bytes());
    else reader.skip(type);
  }
  return found;
}

describe("OpenAPI v3", () => {
  it("lists a document with a hash for every group version", () => {
    const { paths } = openapiV3Paths(registry);
    expect(Object.keys(paths)).toEqual(
      expect.arrayContaining(["api/v1", "apis/apps/v1", "apis/kubemu.dev/v1alpha1"]),
    );
    expect(paths["apis/apps/v1"]?.serverRelativeURL).toMatch(
      /^\/openapi\/v3\/apis\/apps\/v1\?hash=[0-9A-F]{32}$/,
    );
    expect(openapiV3Paths(registry)).toEqual({ paths });
  });

  it("has only references that lead somewhere", () => {
    for (const groupVersion of Object.keys(openapiV3Paths(registry).paths)) {
      const document = openapiV3(registry, groupVersion, {});
      const schemas = at(document, "components", "schemas") as JsonObject;
      const missing = references(document).filter(
        (ref) => !(ref.replace("#/components/schemas/", "") in schemas),
      );
      expect(missing).toEqual([]);
    }
  });

  it("says what kubectl looks for at a path: its kind, and fieldValidation at PATCH", () => {
    const document = openapiV3(registry, "apis/apps/v1", {});
    const patch = at(document, "paths", "/apis/apps/v1/namespaces/{namespace}/deployments/{name}", "patch");
    expect(at(patch, "x-kubernetes-group-version-kind")).toEqual({
      group: "apps",
      version: "v1",
      kind: "Deployment",
    });
    expect(at(patch, "parameters")).toContainEqual(
      expect.objectContaining({ name: "fieldValidation", in: "query" }),
    );
    expect(at(patch, "operationId")).toBe("patchAppsV1NamespacedDeployment");
    const scale = at(
      document,
      "paths",
      "/apis/apps/v1/namespaces/{namespace}/deployments/{name}/scale",
      "get",
    );
    expect(at(scale, "x-kubernetes-group-version-kind")).toEqual({
      group: "autoscaling",
      version: "v1",
      kind: "Scale",
    });
  });

  it("states lists, patch strategies and kinds, and holds only what is reached", () => {
    const schemas = at(openapiV3(registry, "api/v1", {}), "components", "schemas") as JsonObject;
    expect(at(schemas, "io.k8s.api.core.v1.PodSpec", "properties", "containers")).toEqual({
      type: "array",
      items: { $ref: "#/components/schemas/io.k8s.api.core.v1.Container" },
      "x-kubernetes-list-type": "map",
      "x-kubernetes-list-map-keys": ["name"],
      "x-kubernetes-patch-strategy": "merge",
      "x-kubernetes-patch-merge-key": "name",
    });
    expect(at(schemas, "io.k8s.api.core.v1.PodSpec", "required")).toEqual(["containers"]);
    expect(at(schemas, "io.k8s.api.core.v1.Pod", "x-kubernetes-group-version-kind")).toEqual([
      { group: "", version: "v1", kind: "Pod" },
    ]);
    expect(at(schemas, "io.k8s.api.policy.v1.Eviction")).toBeDefined();
    expect(schemas[DEPLOYMENT]).toBeUndefined();
  });

  it("carries descriptions where there are any", () => {
    const descriptions = { [DEPLOYMENT_SPEC]: { "": "The spec.", strategy: "How." } };
    const spec = at(
      openapiV3(registry, "apis/apps/v1", descriptions),
      "components",
      "schemas",
      DEPLOYMENT_SPEC,
    );
    expect(at(spec, "description")).toBe("The spec.");
    expect(at(spec, "properties", "strategy")).toMatchObject({
      description: "How.",
      allOf: [{ $ref: "#/components/schemas/io.k8s.api.apps.v1.DeploymentStrategy" }],
    });
    expect(at(spec, "properties", "replicas")).toEqual({ type: "integer", format: "int32" });
  });

  it("describes a kind that the table does not know", () => {
    const document = openapiV3(registry, "apis/kubemu.dev/v1alpha1", {});
    const kinds = Object.values(at(document, "components", "schemas") as JsonObject).flatMap(
      (schema) => (at(schema, "x-kubernetes-group-version-kind") as { group: string; kind: string }[]) ?? [],
    );
    const own = kinds.filter(({ group }) => group === "kubemu.dev").map(({ kind }) => kind);
    expect(own).toEqual(expect.arrayContaining(["Image", "ImageList"]));
  });
});

describe("OpenAPI v2", () => {
  it("has only references that lead somewhere", () => {
    const document = openapiV2(registry, {});
    const definitions = document["definitions"] as JsonObject;
    expect(references(document).filter((ref) => !(ref.replace("#/definitions/", "") in definitions))).toEqual(
      [],
    );
    expect(Object.keys(definitions)).toEqual(expect.arrayContaining([DEPLOYMENT, `${DEPLOYMENT}List`]));
  });

  it("is the same document as protobuf", () => {
    const document = openapiV2(registry, {});
    const bytes = openapiV2Protobuf(registry, {});
    const [paths, definitions] = [fieldsOf(bytes, 8)[0]!, fieldsOf(bytes, 9)[0]!];
    expect(Buffer.from(fieldsOf(bytes, 1)[0]!).toString()).toBe("2.0");
    expect(namesIn(paths, 2)).toEqual(Object.keys(document["paths"] as JsonObject));
    expect(namesIn(definitions, 1)).toEqual(Object.keys(document["definitions"] as JsonObject));
    const index = namesIn(definitions, 1).indexOf(DEPLOYMENT_SPEC);
    const schema = fieldsOf(fieldsOf(definitions, 1)[index]!, 2)[0]!;
    const fields = at(document, "definitions", DEPLOYMENT_SPEC, "properties") as JsonObject;
    expect(namesIn(fieldsOf(schema, 25)[0]!, 1)).toEqual(Object.keys(fields));
    expect(fieldsOf(schema, 19).map((name) => Buffer.from(name).toString())).toEqual([
      "selector",
      "template",
    ]);
  });
});
