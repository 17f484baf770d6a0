// One thread serves everybody: what is done to a large object is done in parts, and each part may find the world changed.
import { once } from "node:events";
import { connect } from "node:http2";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { configMaps } from "../../src/api/kinds/config-map.ts";
import { createClient } from "../../src/client/create-client.ts";
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

  it("is replaced by both of two who named no version", async () => {
    await request("POST", CONFIG_MAPS, configMap("overwritten", entries(KEYS, "v")));
    const replace = (value: string) =>
      request("PUT", `${CONFIG_MAPS}/overwritten`, configMap("overwritten", entries(KEYS, value)));
    const answers = await Promise.all([replace("a"), replace("b"), replace("c")]);
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200]);
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

describe("a collection of many objects", () => {
  const COUNT = 700;
  const MANY = "/api/v1/namespaces/many/configmaps";
  const get = (path: string, accept: string) => s.https("GET", path, { headers: { accept } });

  beforeAll(async () => {
    await request("POST", "/api/v1/namespaces", { metadata: { name: "many" } });
    await Promise.all(
      Array.from({ length: COUNT }, (_, index) =>
        s.client.create(configMaps, {
          metadata: { name: `m-${String(index).padStart(3, "0")}`, namespace: "many" },
          // Together more than may wait for a watcher that does not read.
          data: { text: "x".repeat(16 * 1024) },
        }),
      ),
    );
  });

  it("is listed whole in each form, and as it is listed in chunks", async () => {
    for (const as of [
      "",
      ";as=Table;v=v1;g=meta.k8s.io",
      ";as=PartialObjectMetadataList;v=v1;g=meta.k8s.io",
    ]) {
      const accept = `application/json${as}`;
      const { headers, text } = await get(MANY, accept);
      expect(headers["transfer-encoding"]).toBe("chunked");
      const whole = JSON.parse(text) as Listed;
      const half = JSON.parse((await get(`${MANY}?limit=${COUNT - 200}`, accept)).text) as Listed;
      const rest = `${MANY}?limit=200&continue=${encodeURIComponent(half.metadata.continue ?? "")}`;
      const other = JSON.parse((await get(rest, accept)).text) as Listed;
      const [all, halves] = [rowsOf(whole), [...rowsOf(half), ...rowsOf(other)]];
      expect(all).toHaveLength(COUNT);
      expect(halves).toEqual(all);
      expect(Object.keys(whole)).toEqual(Object.keys(other));
    }
  });

  it("is watched from its beginning by a client that takes it, and what is written meanwhile follows", async () => {
    const names: string[] = [];
    const ended = new AbortController();
    const added = { metadata: { name: "n-later", namespace: "many" } };
    let creating: Promise<unknown> | undefined;
    const transport = s.remote();
    await createClient(transport, { userAgent: "test" }).watch(
      configMaps,
      { namespace: "many", resourceVersion: "0", allowWatchBookmarks: true, signal: ended.signal },
      (event) => {
        names.push((event.object as { metadata: { name: string } }).metadata.name);
        creating ??= s.client.create(configMaps, added);
        if (names.at(-1) === "n-later") ended.abort();
      },
    );
    await creating;
    transport.close();
    expect(names).toHaveLength(COUNT + 1);
    expect(new Set(names).size).toBe(COUNT + 1);
    await s.client.delete(configMaps, added.metadata);
  });

  it("waits for a client over HTTP/2 that does not read", async () => {
    const session = connect(`https://127.0.0.1:${s.server.port}`, {
      ca: s.pki("ca.crt"),
      cert: s.pki("admin.crt"),
      key: s.pki("admin.key"),
    });
    const watch = session.request({ ":path": `${MANY}?watch=true&resourceVersion=0` });
    await once(watch, "response");
    watch.pause();
    // The server has all the time it wants.
    for (let times = 0; times < 5; times++) await get(MANY, "application/json");
    let lines = 0;
    for await (const chunk of watch) {
      lines += String(chunk).split("\n").length - 1;
      if (lines === COUNT) break;
    }
    expect(lines).toBe(COUNT);
    session.destroy();
  });

  it("is removed whole, and the answer says what it was", async () => {
    const answer = await s.https("DELETE", `${MANY}?labelSelector=!none`);
    expect(answer.status).toBe(200);
    expect(rowsOf(answer.json() as Listed).length).toBeGreaterThanOrEqual(COUNT);
    expect(rowsOf((await get(MANY, "application/json")).json() as Listed)).toEqual([]);
  });
});

interface Listed {
  readonly metadata: { readonly continue?: string };
  readonly items?: readonly unknown[];
  readonly rows?: readonly unknown[];
}
const rowsOf = ({ items, rows }: Listed) => items ?? rows ?? [];
