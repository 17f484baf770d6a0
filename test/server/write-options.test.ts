import { afterAll, beforeAll, expect, test } from "vitest";
import { configMaps } from "../../src/api/kinds/config-map.ts";
import { startTestServer, type TestServer } from "./harness.ts";

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
  await server.client.create(configMaps, { metadata: { namespace: "default", name: "target" } });
});
afterAll(async () => {
  expect(server.errors).toEqual([]);
  await server.stop();
});

const COLLECTION = "/api/v1/namespaces/default/configmaps";
const TARGET = `${COLLECTION}/target`;
const BODY = '{"metadata":{"name":"target"}}';
const ask = async (method: string, path: string, body: string | undefined, type = "application/json") => {
  const answer = await server.https(method, path, {
    ...(body === undefined ? {} : { body }),
    headers: { "content-type": type },
  });
  return answer.json() as { code: number; message: string; details: unknown };
};

test.each([
  ["POST", COLLECTION, BODY, "CreateOptions"],
  ["PUT", TARGET, BODY, "UpdateOptions"],
  ["PATCH", TARGET, "{}", "PatchOptions"],
  ["DELETE", TARGET, undefined, "DeleteOptions"],
  // Of which nothing matches the selector.
  ["DELETE", `${COLLECTION}?labelSelector=no=such`, undefined, "DeleteOptions"],
  ["POST", "/api/v1/namespaces/default/pods/none/eviction", "{}", "CreateOptions"],
])("%s %s with a wrong dryRun is told of %4$s", async (method, path, body, kind) => {
  const type = method === "PATCH" ? "application/merge-patch+json" : "application/json";
  const query = `${path.includes("?") ? "&" : "?"}dryRun=client`;
  const message = 'Unsupported value: ["client"]: supported values: "All"';
  expect(await ask(method, path + query, body, type)).toMatchObject({
    code: 422,
    message: `${kind}.meta.k8s.io "" is invalid: dryRun: ${message}`,
    details: {
      group: "meta.k8s.io",
      kind,
      causes: [{ reason: "FieldValueNotSupported", message, field: "dryRun" }],
    },
  });
});

test("DeleteOptions in a body are checked as those in a URL", async () => {
  const options = { dryRun: ["client"], propagationPolicy: "Sideways", orphanDependents: true };
  const causes = [
    'propagationPolicy: Invalid value: "Sideways": orphanDependents and deletionPropagation cannot be both set',
    'propagationPolicy: Unsupported value: "Sideways": supported values: "Foreground", "Background", "Orphan", "nil"',
    'dryRun: Unsupported value: ["client"]: supported values: "All"',
  ];
  const answer = await ask("DELETE", TARGET, JSON.stringify(options));
  expect([answer.code, answer.message]).toEqual([
    422,
    `DeleteOptions.meta.k8s.io "" is invalid: [${causes.join(", ")}]`,
  ]);
  const eviction = { metadata: { name: "none" }, deleteOptions: { dryRun: ["client"] } };
  const evicted = await ask(
    "POST",
    "/api/v1/namespaces/default/pods/none/eviction",
    JSON.stringify(eviction),
  );
  expect(evicted.message).toBe(`DeleteOptions.meta.k8s.io "" is invalid: ${causes[2]}`);
});

test("every wrong option is told at once", async () => {
  const query = `?fieldManager=${"m".repeat(129)}&fieldValidation=Maybe&dryRun=Some`;
  const answer = await ask("PUT", TARGET + query, BODY);
  expect(answer.message).toBe(
    `UpdateOptions.meta.k8s.io "" is invalid: [${[
      "fieldManager: Too long: may not be more than 128 bytes",
      'dryRun: Unsupported value: ["Some"]: supported values: "All"',
      'fieldValidation: Unsupported value: "Maybe": supported values: "", "Ignore", "Strict", "Warn"',
    ].join(", ")}]`,
  );
  const apply = await ask("PATCH", TARGET, "{}", "application/apply-patch+yaml");
  expect(apply).toMatchObject({
    code: 422,
    message:
      'PatchOptions.meta.k8s.io "" is invalid: fieldManager: Required value: is required for apply patch',
    details: { group: "meta.k8s.io", kind: "PatchOptions" },
  });
});
