// Requests that Kubernetes refuses: each with its code, its words, and nothing changed.
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Status } from "../../src/api/generated/types.ts";
import { configMaps } from "../../src/api/kinds/config-map.ts";
import { pods } from "../../src/api/kinds/pod.ts";
import { builtinKinds } from "../../src/api/registry.ts";
import { pathOf } from "../../src/api/resource.ts";
import { startTestServer, type TestServer } from "./harness.ts";

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(async () => {
  expect(server.errors).toEqual([]);
  await server.stop();
});

async function ask(method: string, path: string, body?: object) {
  const answer = await server.https(method, path, {
    ...(body ? { body: JSON.stringify(body), headers: { "content-type": "application/json" } } : {}),
  });
  return answer.json() as Status;
}

const POD = {
  metadata: { name: "held", namespace: "default" },
  spec: { containers: [{ name: "c", image: "i" }] },
};

it("a collection of all namespaces can be read, not deleted", async () => {
  await server.client.create(configMaps, { metadata: { name: "kept", namespace: "default" } });
  expect(await ask("DELETE", "/api/v1/configmaps")).toMatchObject({
    code: 405,
    reason: "MethodNotAllowed",
    message: "the server does not allow this method on the requested resource",
  });
  expect(await server.client.find(configMaps, { name: "kept", namespace: "default" })).toBeDefined();
  expect(await ask("DELETE", "/api/v1/configmaps/kept")).toMatchObject({ code: 404 });
});

it.each(
  builtinKinds.filter(({ verbs }) => !verbs || verbs.includes("create")).map((kind) => [kind.resource]),
)("$kind without a name is invalid", async (resource) => {
  const path = pathOf(resource, resource.namespaced ? { namespace: "default" } : {});
  const { code, details } = await ask("POST", path, { metadata: {}, spec: {} });
  expect(code).toBe(422);
  expect(details?.causes).toContainEqual({
    field: "metadata.name",
    message: "Required value: name or generateName is required",
    reason: "FieldValueRequired",
  });
  expect(JSON.stringify(details)).not.toContain("undefined");
});

it("a write whose answer the client does not take is not made", async () => {
  const answer = await server.https("POST", "/api/v1/namespaces/default/configmaps", {
    body: JSON.stringify({ metadata: { name: "unanswered" } }),
    headers: { "content-type": "application/json", accept: "application/foo" },
  });
  expect(answer.status).toBe(406);
  expect(await server.client.find(configMaps, { name: "unanswered", namespace: "default" })).toBeUndefined();
});

describe("a list", () => {
  const PODS = "/api/v1/namespaces/default/pods";

  it.each([
    [
      "/apis/apps/v1/deployments",
      '"spec.x" is not a known field selector: only "metadata.name", "metadata.namespace"',
    ],
    [PODS, "field label not supported: spec.x"],
  ])("of %s by a field that it does not offer", async (path, message) => {
    expect(await ask("GET", `${path}?fieldSelector=spec.x=1`)).toMatchObject({ code: 400, message });
  });

  it("with options that do not go together is told of all of them", async () => {
    const answer = await ask("GET", `${PODS}?resourceVersionMatch=Exactly&continue=x`);
    expect([answer.code, answer.details?.group, answer.details?.kind]).toEqual([
      422,
      "meta.k8s.io",
      "ListOptions",
    ]);
    expect(answer.details?.causes?.map(({ message }) => message)).toEqual([
      "Forbidden: resourceVersionMatch is forbidden unless resourceVersion is provided",
      "Forbidden: resourceVersionMatch is forbidden when continue is provided",
      'Unsupported value: "Exactly": supported values: "Exact", "NotOlderThan", ""',
    ]);
    expect(await ask("GET", `${PODS}?watch=true&resourceVersionMatch=Exact&resourceVersion=1`)).toMatchObject(
      {
        code: 422,
        details: {
          kind: "ListOptions",
          causes: [{ field: "resourceVersionMatch", reason: "FieldValueForbidden" }],
        },
      },
    );
  });
});

describe("a scale", () => {
  const at = (plural: string) => `/apis/apps/v1/namespaces/default/${plural}/none/scale`;

  it.each([
    [at("deployments"), 'deployments/scale.apps "none" not found'],
    [at("replicasets"), 'replicasets/scale.apps "none" not found'],
    [at("statefulsets"), 'statefulsets.apps "none" not found'],
    [
      "/api/v1/namespaces/default/replicationcontrollers/none/scale",
      'replicationcontrollers/scale.autoscaling "none" not found',
    ],
  ])("%s of nothing", async (path, message) => {
    expect(await ask("GET", path)).toMatchObject({ code: 404, message });
  });

  it("of another name is not written", async () => {
    const scale = { kind: "Scale", apiVersion: "autoscaling/v1", metadata: { name: "other" } };
    expect(await ask("PUT", at("deployments"), scale)).toMatchObject({
      code: 400,
      message: "the name of the object (other) does not match the name on the URL (none)",
    });
  });
});

it("a binding of a pod that has a node, or of another pod", async () => {
  await server.client.create(pods, POD);
  const path = `${pathOf(pods, { namespace: "default", name: "held" })}/binding`;
  const target = { kind: "Node", name: "n1" };
  expect(await ask("POST", path, { metadata: { name: "other" }, target })).toMatchObject({
    code: 400,
    message: "name in URL does not match name in Binding object",
  });
  expect(await ask("POST", path, { metadata: { name: "held" }, target })).toMatchObject({ code: 201 });
  expect(await ask("POST", path, { metadata: { name: "held" }, target })).toMatchObject({
    code: 409,
    message:
      'Operation cannot be fulfilled on pods/binding "held": pod held is already assigned to node "n1"',
    details: { kind: "pods/binding" },
  });
});
