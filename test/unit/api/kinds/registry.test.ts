import { build } from "esbuild";
import { describe, expect, it } from "vitest";
import type { AnyKind } from "../../../../src/api/kind.ts";
import { builtinKinds, createRegistry } from "../../../../src/api/registry.ts";
import { resourceFacts } from "../../../../src/api/schema.ts";

const RESOURCES = [
  ["configMaps", "config-map"],
  ["controllerRevisions", "controller-revision"],
  ["deployments", "deployment"],
  ["endpointSlices", "endpoint-slice"],
  ["endpoints", "endpoints"],
  ["events", "event"],
  ["images", "image"],
  ["leases", "lease"],
  ["namespaces", "namespace"],
  ["nodes", "node"],
  ["pods", "pod"],
  ["priorityClasses", "priority-class"],
  ["replicaSets", "replica-set"],
  ["replicationControllers", "replication-controller"],
  ["secrets", "secret"],
  ["serviceAccounts", "service-account"],
  ["services", "service"],
];

describe("the built-in kinds", () => {
  it("are served where Kubernetes serves them", () => {
    for (const { resource } of builtinKinds) {
      if (resource.group === "kubemu.dev") continue;
      const facts = resourceFacts.find(
        ({ group, version, plural }) =>
          group === resource.group && version === resource.version && plural === resource.plural,
      );
      expect(facts, resource.plural).toMatchObject({ kind: resource.kind, namespaced: resource.namespaced });
    }
  });

  it("have a type, unique short names, and columns that begin with kubectl's", () => {
    const registry = createRegistry(builtinKinds);
    const names = builtinKinds.flatMap(({ shortNames = [], singular }) => [singular, ...shortNames]);
    expect(new Set(names).size).toBe(names.length);
    for (const kind of builtinKinds) {
      expect(registry.lookup(kind.schema)?.fields, kind.schema).toBeDefined();
      expect(kind.columns.filter(({ format }) => format === "name")).toHaveLength(1);
      expect(kind.columns.some(({ name }) => name === "Age" || name === "Last Seen")).toBe(true);
    }
  });

  it("cost nothing in programs that import only their resources", async () => {
    const { outputFiles } = await build({
      stdin: {
        contents: RESOURCES.map(([name, file]) => `export { ${name} } from "./${file}.ts";`).join("\n"),
        resolveDir: "src/api/kinds",
        loader: "ts",
      },
      bundle: true,
      write: false,
      format: "esm",
      platform: "node",
    });
    const code = outputFiles[0]?.text ?? "";
    expect(code.match(/plural: /g)).toHaveLength(builtinKinds.length);
    expect(code).not.toContain("nameRule");
    expect(code).not.toContain("function");
  });
});

describe("createRegistry", () => {
  const widget: AnyKind = {
    resource: { group: "example.com", version: "v1", kind: "Widget", plural: "widgets", namespaced: true },
    schema: "com.example.Widget",
    types: { "com.example.Widget": { fields: {} } },
    singular: "widget",
    nameRule: "dns-subdomain",
    columns: [],
  };

  it("finds a kind by resource and by kind, with the types it brings, until it is taken out", () => {
    const registry = createRegistry(builtinKinds);
    const remove = registry.add(widget);
    expect(registry.find("example.com", "v1", "widgets")).toBe(widget);
    expect(registry.byKind("example.com", "v1", "Widget")).toBe(widget);
    expect(registry.lookup("com.example.Widget")).toEqual({ fields: {} });
    remove();
    expect(registry.find("example.com", "v1", "widgets")).toBeUndefined();
    expect(registry.byKind("example.com", "v1", "Widget")).toBeUndefined();
    expect(registry.lookup("com.example.Widget")).toBeUndefined();
    expect(registry.all()).toEqual(builtinKinds);
  });

  it("replaces a kind of the same resource, and its old remover then does nothing", () => {
    const registry = createRegistry([]);
    const remove = registry.add(widget);
    const next = { ...widget, singular: "other" };
    registry.add(next);
    remove();
    expect(registry.all()).toEqual([next]);
  });
});
