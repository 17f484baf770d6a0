// Every kind through the real server: stored as given, unchanged when put back as it was read, shown as a table.
import { afterAll, beforeAll, expect, it } from "vitest";
import type { KubeObject } from "../../src/api/object.ts";
import { builtinKinds } from "../../src/api/registry.ts";
import { apiVersionOf, pathOf } from "../../src/api/resource.ts";
import { startTestServer, type TestServer } from "./harness.ts";

const template = {
  metadata: { labels: { app: "a" } },
  spec: {
    containers: [{ name: "a", image: "nginx", resources: { limits: { cpu: 0.5, memory: "1024Mi" } } }],
  },
};
const EXAMPLES: Readonly<Record<string, object>> = {
  Namespace: {},
  Node: { status: { capacity: { cpu: "4" } } },
  Lease: { spec: { holderIdentity: "node-1", leaseDurationSeconds: 40 } },
  Pod: { spec: template.spec },
  ReplicationController: { spec: { template } },
  ReplicaSet: { spec: { selector: { matchLabels: { app: "a" } }, template } },
  Deployment: { spec: { selector: { matchLabels: { app: "a" } }, template } },
  Service: { spec: { type: "LoadBalancer", selector: { app: "a" }, ports: [{ port: 80 }] } },
  Endpoints: { subsets: [{ addresses: [{ ip: "127.16.1.2" }], ports: [{ port: 80 }] }] },
  EndpointSlice: { addressType: "IPv4", endpoints: [{ addresses: ["127.16.1.2"] }], ports: [{ port: 80 }] },
  ConfigMap: { data: { a: "1" } },
  Secret: { stringData: { a: "1" } },
  ServiceAccount: {},
  Event: { involvedObject: { kind: "Pod", name: "a", namespace: "default" }, reason: "Started" },
  ControllerRevision: { data: { spec: {} }, revision: 1 },
  PriorityClass: { value: 5 },
  Image: { spec: { names: ["app:*"], command: ["node", "app.js"], pull: { delayMs: 5 } } },
};

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server.stop());

it.each(builtinKinds.map((kind) => [kind.resource.kind, kind] as const))("%s", async (name, kind) => {
  const { resource } = kind;
  const example = EXAMPLES[name];
  expect(example, "an example in this file").toBeDefined();
  const namespace = resource.namespaced ? { namespace: "default" } : {};
  const metadata = { name: "kind-test", ...namespace };
  const draft = { apiVersion: apiVersionOf(resource), kind: name, metadata, ...example };
  const made = await server.client.create(resource, draft as unknown as KubeObject, {
    fieldValidation: "Strict",
  });
  const again = await server.client.update(resource, structuredClone(made));
  expect(again).toEqual(made);

  const accept = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json";
  const answer = await server.https("GET", pathOf(resource, metadata), { headers: { accept } });
  const table = answer.json() as {
    kind: string;
    columnDefinitions: { name: string }[];
    rows: { cells: unknown[] }[];
  };
  expect(table.kind).toBe("Table");
  expect(table.columnDefinitions.map((column) => column.name)).toEqual(
    kind.columns.map((column) => column.name),
  );
  expect(table.rows[0]?.cells).toHaveLength(kind.columns.length);
  expect(table.rows[0]?.cells).toContain("kind-test");

  await server.client.delete(resource, metadata, { gracePeriodSeconds: 0 });
  expect(server.errors).toEqual([]);
});
