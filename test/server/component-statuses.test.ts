// What `kubectl get componentstatuses` asks for, and the Table of a scale: answers that are made, not stored.
import { afterAll, beforeAll, expect, test } from "vitest";
import { deployments } from "../../src/api/kinds/deployment.ts";
import { startTestServer, type TestServer } from "./harness.ts";

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(async () => {
  expect(server.errors).toEqual([]);
  await server.stop();
});

const PATH = "/api/v1/componentstatuses";
const TABLE = { accept: "application/json;as=Table;v=v1;g=meta.k8s.io" };

interface Table {
  columnDefinitions: { name: string }[];
  rows: { cells: unknown[] }[];
}

test("the components are a table of three that are healthy, with a warning that the kind is deprecated", async () => {
  const answer = await server.https("GET", PATH, { headers: TABLE });
  const { columnDefinitions, rows } = answer.json() as Table;
  expect(columnDefinitions.map(({ name }) => name)).toEqual(["Name", "Status", "Message", "Error"]);
  expect(rows.map(({ cells }) => cells)).toEqual([
    ["scheduler", "Healthy", "ok", ""],
    ["controller-manager", "Healthy", "ok", ""],
    ["etcd-0", "Healthy", "ok", ""],
  ]);
  expect(answer.headers["warning"]).toContain("v1 ComponentStatus is deprecated in v1.19+");
});

test("one is read by its name, others are not found, and none can be written", async () => {
  const one = await server.https("GET", `${PATH}/scheduler`);
  expect(one.json()).toMatchObject({
    kind: "ComponentStatus",
    conditions: [{ type: "Healthy", status: "True" }],
  });
  const none = await server.https("GET", `${PATH}/absent`);
  expect(none.json()).toMatchObject({ code: 404, message: 'componentstatuses "absent" not found' });
  expect((await server.https("DELETE", `${PATH}/scheduler`)).status).toBe(405);
});

test("selectors choose among them", async () => {
  const answer = await server.https("GET", `${PATH}?fieldSelector=metadata.name%3Detcd-0`);
  expect((answer.json() as { items: object[] }).items).toMatchObject([{ metadata: { name: "etcd-0" } }]);
});

test("a scale is a table too", async () => {
  await server.client.create(deployments, {
    metadata: { name: "web", namespace: "default" },
    spec: {
      replicas: 3,
      selector: { matchLabels: { a: "b" } },
      template: { metadata: { labels: { a: "b" } }, spec: { containers: [{ name: "c", image: "i" }] } },
    },
  });
  const path = "/apis/apps/v1/namespaces/default/deployments/web/scale";
  const { columnDefinitions, rows } = (await server.https("GET", path, { headers: TABLE })).json() as Table;
  expect(columnDefinitions.map(({ name }) => name)).toEqual(["Name", "Desired", "Available", "Age"]);
  expect(rows[0]?.cells).toEqual(["web", 3, 0, expect.stringMatching(/^\d+s$/)]);
});

test("the list of CustomResourceDefinitions is empty, for kubectl, which asks for it when it knows no kind", async () => {
  const path = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
  expect((await server.https("GET", path)).json()).toMatchObject({
    kind: "CustomResourceDefinitionList",
    items: [],
  });
  for (const [method, other] of [
    ["POST", path],
    ["GET", `${path}?watch=true`],
    ["GET", `${path}/some`],
    ["GET", "/apis/apiextensions.k8s.io/v1"],
  ] as const)
    expect((await server.https(method, other)).status, `${method} ${other}`).toBe(404);
});

test("a question about access is answered, and never as a table", async () => {
  const path = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews";
  const spec = { nonResourceAttributes: { path: "/healthz", verb: "get" } };
  const question = { apiVersion: "authorization.k8s.io/v1", kind: "SelfSubjectAccessReview", spec };
  const body = JSON.stringify(question);
  const answer = await server.https("POST", path, { body });
  expect([answer.status, answer.json()]).toMatchObject([201, { status: { allowed: true } }]);
  const refused = await server.https("POST", path, { body, headers: TABLE });
  expect([refused.status, refused.json()]).toMatchObject([406, { reason: "NotAcceptable" }]);
  const either = { accept: `${TABLE.accept},application/json` };
  expect((await server.https("POST", path, { body, headers: either })).status).toBe(201);
});
