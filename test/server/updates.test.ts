// What the server makes of an update beside what the client sent.
import { afterAll, beforeAll, expect, it } from "vitest";
import { configMaps } from "../../src/api/kinds/config-map.ts";
import { controllerRevisions } from "../../src/api/kinds/controller-revision.ts";
import { deployments } from "../../src/api/kinds/deployment.ts";
import { pods } from "../../src/api/kinds/pod.ts";
import { priorityClasses } from "../../src/api/kinds/priority-class.ts";
import { startTestServer, type TestServer } from "./harness.ts";

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(async () => {
  expect(server.errors).toEqual([]);
  await server.stop();
});

const at = (name: string) => ({ namespace: "default", name });
const containers = [{ name: "c", image: "i" }];

it("a pod's tolerations may be replaced without those that every pod has", async () => {
  await server.client.create(pods, { metadata: at("tolerant"), spec: { containers } });
  const patched = await server.client.patch(pods, at("tolerant"), "strategic", {
    spec: { tolerations: [{ key: "disk", operator: "Exists" }] },
  });
  expect(patched.spec.tolerations?.map(({ key }) => key)).toEqual([
    "disk",
    "node.kubernetes.io/not-ready",
    "node.kubernetes.io/unreachable",
  ]);
});

it("a Deployment's labels are not its status's to change, its annotations are", async () => {
  const made = await server.client.create(deployments, {
    metadata: { ...at("web"), labels: { a: "b" } },
    spec: {
      selector: { matchLabels: { a: "b" } },
      template: { metadata: { labels: { a: "b" } }, spec: { containers } },
    },
  });
  const metadata = { ...made.metadata, labels: { c: "d" }, annotations: { e: "f" } };
  const updated = await server.client.updateStatus(deployments, { ...made, metadata });
  expect([updated.metadata.labels, updated.metadata.annotations]).toEqual([{ a: "b" }, { e: "f" }]);
});

it("a PUT creates a Lease that is not there, but not under another's uid", async () => {
  const path = "/apis/coordination.k8s.io/v1/namespaces/default/leases/leader";
  const put = (metadata: object) =>
    server.https("PUT", path, {
      body: JSON.stringify({ metadata, spec: { holderIdentity: "a" } }),
      headers: { "content-type": "application/json" },
    });
  expect((await put({ name: "leader", uid: "gone" })).status).toBe(409);
  const made = await put({ name: "leader", resourceVersion: "5" });
  expect([made.status, made.json()]).toMatchObject([201, { spec: { holderIdentity: "a" } }]);
  expect((await put({ name: "leader" })).status).toBe(200);
});

it("a ControllerRevision has a number", async () => {
  const made = await server.client.create(controllerRevisions, { metadata: at("first"), data: {} });
  expect(made.revision).toBe(0);
});

it("a PriorityClass keeps its preemption policy", async () => {
  const name = "gentle";
  await server.client.create(priorityClasses, { metadata: { name }, value: 1 });
  const patch = { preemptionPolicy: "Never" };
  await expect(server.client.patch(priorityClasses, { name }, "merge", patch)).rejects.toThrow(
    'is invalid: preemptionPolicy: Invalid value: "Never": field is immutable',
  );
});

it("owners that come twice are kept once, with a Warning", async () => {
  const owner = { apiVersion: "v1", kind: "ConfigMap", name: "o", uid: "u1", controller: true };
  const other = { ...owner, name: "p", uid: "u2", controller: false };
  const warned = await server.https("POST", "/api/v1/namespaces/default/configmaps", {
    body: JSON.stringify({ metadata: { name: "owned", ownerReferences: [owner, other, owner] } }),
    headers: { "content-type": "application/json" },
  });
  expect(String(warned.headers["warning"])).toContain(
    ".metadata.ownerReferences contains duplicate entries; API server dedups owner references in 1.20+, and may reject such requests as early as 1.24; please fix your requests; duplicate UID(s) observed: u1",
  );
  const stored = await server.client.get(configMaps, at("owned"));
  expect(stored.metadata.ownerReferences).toEqual([owner, { ...other, controller: false }]);
});
