// One thread serves everybody: what is done to a large object is done in parts, and each part may find the world changed.
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { configMaps } from "../../src/api/kinds/config-map.ts";
import { startTestServer, type TestServer } from "./harness.ts";

const CONFIG_MAPS = "/api/v1/namespaces/default/configmaps";
const APPLY = "application/apply-patch+yaml";
const KEYS = 5_000;

let s: TestServer;
beforeAll(async () => {
  s = await startTestServer();
});
afterAll(() => s.stop());

const entries = (count: number, value: string, prefix = "k") =>
  Object.fromEntries(Array.from({ length: count }, (_, index) => [`${prefix}${index}`, value]));
const configMap = (name: string, data: Record<string, string>) => ({
  apiVersion: "v1",
  kind: "ConfigMap",
  metadata: { name },
  data,
});

async function request(method: string, path: string, body: unknown, contentType = "application/json") {
  const answer = await s.https(method, path, {
    body: JSON.stringify(body),
    headers: { "content-type": contentType },
  });
  return { status: answer.status, object: answer.json() as { data?: Record<string, string>; code?: number } };
}

/** How often the event loop turns while `work` is done. */
async function turnsDuring(work: () => Promise<unknown>): Promise<number> {
  let turns = 0;
  let isDone = false;
  const count = () => {
    turns += 1;
    if (!isDone) setImmediate(count);
  };
  setImmediate(count);
  await work();
  isDone = true;
  return turns;
}

describe("a large object", () => {
  it("lets others in between the parts of an apply, a JSON Patch and a replacement", async () => {
    const turns = async (name: string, keys: number) => {
      const at = { namespace: "default", name };
      // Within the process: no socket adds turns of its own.
      const object = await s.client.patch(configMaps, at, "apply", configMap(name, entries(keys, "v")), {
        fieldManager: "one",
      });
      const all = configMap(name, entries(keys, "w"));
      const operations = Object.keys(all.data).map((key) => ({
        op: "add",
        path: `/data/${key}`,
        value: "x",
      }));
      return [
        await turnsDuring(() =>
          s.client.patch(configMaps, at, "apply", all, { fieldManager: "two", force: true }),
        ),
        await turnsDuring(() => s.client.patch(configMaps, at, "json", operations)),
        await turnsDuring(() =>
          s.client.update(configMaps, {
            ...object,
            data: entries(keys, "y"),
            metadata: { ...object.metadata, resourceVersion: "" },
          }),
        ),
      ];
    };
    // The first request of its kind waits for its module.
    await turns("first", 1);
    const [small, large] = [await turns("small", 1), await turns("large", KEYS)];
    const more = large.map((each, index) => each - (small[index] ?? 0));
    expect(Math.min(...more), `${large} and ${small} turns`).toBeGreaterThan(3);
  });

  it("keeps every change when several come at once, whatever their kind", async () => {
    expect((await request("POST", CONFIG_MAPS, configMap("shared", entries(KEYS, "v")))).status).toBe(201);
    const path = `${CONFIG_MAPS}/shared`;
    const answers = await Promise.all([
      request("PATCH", path, [{ op: "add", path: "/data/json", value: "1" }], "application/json-patch+json"),
      request("PATCH", path, { data: { merge: "2" } }, "application/merge-patch+json"),
      request("PATCH", path, { data: { strategic: "3" } }, "application/strategic-merge-patch+json"),
      request("PATCH", `${path}?fieldManager=a`, configMap("shared", { applied: "4" }), APPLY),
      request("PATCH", `${path}?fieldManager=b`, configMap("shared", { "applied-too": "5" }), APPLY),
    ]);
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200, 200]);
    const { object } = await request("GET", path, undefined);
    expect(object.data).toEqual({
      ...entries(KEYS, "v"),
      json: "1",
      merge: "2",
      strategic: "3",
      applied: "4",
      "applied-too": "5",
    });
  });

  it("is replaced by one of two who saw the same version", async () => {
    const { object } = await request("POST", CONFIG_MAPS, configMap("replaced", entries(KEYS, "v")));
    const replace = (value: string) =>
      request("PUT", `${CONFIG_MAPS}/replaced`, { ...object, data: entries(KEYS, value) });
    const answers = await Promise.all([replace("a"), replace("b")]);
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 409]);
  });

  it("that went while it was being changed is not found, and is created by an apply", async () => {
    await request("POST", CONFIG_MAPS, configMap("going", entries(KEYS, "v")));
    const [patched, removed, applied] = await Promise.all([
      request("PATCH", `${CONFIG_MAPS}/going`, { data: entries(KEYS, "w") }, "application/merge-patch+json"),
      request("DELETE", `${CONFIG_MAPS}/going`, undefined),
      request("PATCH", `${CONFIG_MAPS}/going?fieldManager=a`, configMap("going", entries(KEYS, "v")), APPLY),
    ]);
    expect(removed.status).toBe(200);
    expect([200, 404]).toContain(patched.status);
    expect([200, 201]).toContain(applied.status);
  });
});
