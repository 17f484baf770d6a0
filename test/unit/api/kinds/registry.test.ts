import { build } from "esbuild";
import { describe, expect, it } from "vitest";
import type { AnyKind } from "../../../../src/api/kind.ts";
import { builtinKinds, createRegistry } from "../../../../src/api/registry.ts";
import { resourceFacts } from "../../../../src/api/schema.ts";

const RESOURCES = [
  ["configMaps", "config-map"],
  ["controllerRevisions", "controller-revision"],
  ["csiDrivers", "csi-driver"],
  ["csiNodes", "csi-node"],
  ["daemonSets", "daemon-set"],
  ["cronJobs", "cron-job"],
  ["deployments", "deployment"],
  ["endpointSlices", "endpoint-slice"],
  ["endpoints", "endpoints"],
  ["events", "event"],
  ["faults", "fault"],
  ["horizontalPodAutoscalers", "horizontal-pod-autoscaler"],
  ["images", "image"],
  ["runtimeClasses", "runtime-class"],
  ["resourceQuotas", "resource-quota"],
  ["podTemplates", "pod-template"],
  ["podDisruptionBudgets", "pod-disruption-budget"],
  ["networkPolicies", "network-policy"],
  ["limitRanges", "limit-range"],
  ["ingresses", "ingress"],
  ["ingressClasses", "ingress-class"],
  ["jobs", "job"],
  ["leases", "lease"],
  ["namespaces", "namespace"],
  ["nodes", "node"],
  ["persistentVolumeClaims", "persistent-volume-claim"],
  ["persistentVolumes", "persistent-volume"],
  ["pods", "pod"],
  ["priorityClasses", "priority-class"],
  ["proxyWorkers", "proxy-worker"],
  ["replicaSets", "replica-set"],
  ["replicationControllers", "replication-controller"],
  ["secrets", "secret"],
  ["serviceAccounts", "service-account"],
  ["services", "service"],
  ["storageClasses", "storage-class"],
  ["volumeAttachments", "volume-attachment"],
  ["statefulSets", "stateful-set"],
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
      // Kubernetes shows no age of a PodTemplate.
      const ages = [
        "Age",
        "Last Seen",
        "Created At",
        ...(kind.singular === "podtemplate" ? ["Pod Labels"] : []),
      ];
      expect(kind.columns.some((column) => ages.includes(column.name))).toBe(true);
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
    expect(registry.stored()).toEqual(builtinKinds);
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
