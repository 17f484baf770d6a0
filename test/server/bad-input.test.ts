// Requests that are large, deep or made to explode: each is answered soon with what is wrong, and the server goes on.
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Status } from "../../src/api/generated/types.ts";
import { configMaps } from "../../src/api/kinds/config-map.ts";
import { MOST_VALUES } from "../../src/server/body.ts";
import { type HttpAnswer, startTestServer, type TestServer } from "./harness.ts";

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
  await server.client.create(configMaps, {
    metadata: { namespace: "default", name: "target", annotations: { a: "1" } },
    data: { a: "1" },
  });
});
afterAll(() => server.stop());

const COLLECTION = "/api/v1/namespaces/default/configmaps";
const TARGET = `${COLLECTION}/target`;
const JSON_TYPE = "application/json";
const patchType = (type: string) => `application/${type}-patch+json`;
// Far above what any of these takes on a loaded machine, far below what an explosion would.
const LONGEST_BLOCK_MS = 3_000;

const deep = (levels: number, open = '{"a":', close = "}") =>
  `${open.repeat(levels)}1${close.repeat(levels)}`;

/** Sends, and watches for how long nobody else could have been answered. */
async function send(
  method: string,
  path: string,
  body?: string,
  contentType = JSON_TYPE,
): Promise<HttpAnswer> {
  let [last, longest, watching] = [performance.now(), 0, true];
  const tick = () => {
    const now = performance.now();
    longest = Math.max(longest, now - last);
    last = now;
    if (watching) setImmediate(tick);
  };
  tick();
  const headers = { "content-type": contentType };
  const answer = await server.https(method, path, { ...(body === undefined ? {} : { body }), headers });
  watching = false;
  expect(longest).toBeLessThan(LONGEST_BLOCK_MS);
  expect(server.errors).toEqual([]);
  return answer;
}

describe("a body that is", () => {
  const bomb = `a: &a [x,x,x,x,x,x,x,x,x]\n${"bcdefghi"
    .split("")
    .map((name, index) => `${name}: &${name} [${`*${"abcdefgh"[index]},`.repeat(9)}]`)
    .join("\n")}\n`;

  it.each<[string, string, string, string, string]>([
    [
      "deep where it is known",
      "POST",
      COLLECTION,
      `{"metadata":{"name":"x"},"data":${deep(50_000)}}`,
      JSON_TYPE,
    ],
    [
      "deep where it is not",
      "POST",
      COLLECTION,
      `{"metadata":{"name":"x"},"foo":${deep(50_000)}}`,
      JSON_TYPE,
    ],
    ["deep lists", "POST", COLLECTION, deep(500_000, "[", "]"), JSON_TYPE],
    ["a deep merge patch", "PATCH", TARGET, deep(50_000), patchType("merge")],
    ["a deep strategic merge patch", "PATCH", TARGET, deep(50_000), patchType("strategic-merge")],
    [
      "a deep value of a JSON patch",
      "PATCH",
      TARGET,
      `[{"op":"add","path":"/data","value":${deep(50_000)}}]`,
      patchType("json"),
    ],
    ["a deep apply", "PATCH", `${TARGET}?fieldManager=f`, deep(50_000), "application/apply-patch+yaml"],
    ["YAML that is deep", "POST", COLLECTION, deep(5_000, "[", "]"), "application/yaml"],
    ["a YAML bomb", "POST", COLLECTION, bomb, "application/yaml"],
    ["many quotes that never end", "POST", COLLECTION, `{"a":"${'\\"'.repeat(1_000_000)}`, JSON_TYPE],
    [
      "no protobuf at all",
      "POST",
      COLLECTION,
      "k8s\0".repeat(100_000),
      "application/vnd.kubernetes.protobuf",
    ],
  ])("%s is refused or taken", async (_, method, path, body, type) => {
    const { status } = await send(method, path, body, type);
    expect(status).toBeLessThan(500);
  });

  it("a patch that copies copies is refused before it fills the memory", async () => {
    const copies = Array.from({ length: 60 }, (_, index) => ({
      op: "copy",
      from: "/metadata",
      path: `/metadata/x${index}`,
    }));
    const answer = await send("PATCH", TARGET, JSON.stringify(copies), patchType("json"));
    expect(answer.status).toBe(422);
    expect((answer.json() as Status).details?.causes?.[0]?.message).toMatch(
      /^Unable to complete the copy, the accumulated size increase of copy is \d+, exceeding the limit 3145728$/,
    );
  });

  it("too many operations, or many that each take a while, are bounded", async () => {
    const many = (count: number, one: object) => JSON.stringify(Array.from({ length: count }, () => one));
    const tooMany = await send(
      "PATCH",
      TARGET,
      many(10_001, { op: "test", path: "", value: 1 }),
      patchType("json"),
    );
    expect(tooMany.status).toBe(413);
    const inserts = [
      { op: "add", path: "/metadata/finalizers", value: [] },
      ...JSON.parse(many(9_000, { op: "add", path: "/metadata/finalizers/0", value: "x" })),
    ];
    expect((await send("PATCH", TARGET, JSON.stringify(inserts), patchType("json"))).status).toBe(422);
  });
});

describe("many values", () => {
  const CONFIG_MAPS = "/api/v1/namespaces/default/configmaps";
  const data = (count: number, value: string) =>
    Object.fromEntries(Array.from({ length: count }, (_, index) => [`k${index}`, value]));
  const named = (name: string, entries: object) =>
    JSON.stringify({ apiVersion: "v1", kind: "ConfigMap", metadata: { name }, data: entries });
  const APPLY = "application/apply-patch+yaml";

  it("are refused before anything is made of them, however they come", async () => {
    const body = named("many", data(MOST_VALUES, "v"));
    for (const answer of [
      await send("POST", CONFIG_MAPS, body),
      await send("PATCH", `${CONFIG_MAPS}/many?fieldManager=a`, body, APPLY),
    ]) {
      expect(answer.status).toBe(413);
      expect(answer.text).toContain(`limit is ${MOST_VALUES} values`);
    }
  });

  it("cannot be gathered patch by patch, but as many as were gathered can still be changed", async () => {
    const part = (from: number) =>
      JSON.stringify({
        data: Object.fromEntries(
          Array.from({ length: MOST_VALUES - 10 }, (_, index) => [`k${from + index}`, "v"]),
        ),
      });
    expect((await send("POST", CONFIG_MAPS, named("grown", data(MOST_VALUES - 10, "v")))).status).toBe(201);
    const grow = (from: number) =>
      send("PATCH", `${CONFIG_MAPS}/grown`, part(from * MOST_VALUES), patchType("merge"));
    expect((await grow(1)).status).toBe(200);
    expect((await grow(2)).status).toBe(413);
    const change = JSON.stringify({ data: { k0: "w", k1: null } });
    expect((await send("PATCH", `${CONFIG_MAPS}/grown`, change, patchType("merge"))).status).toBe(200);
  });

  it("that are all in conflict are all told", async () => {
    const apply = (manager: string, value: string) =>
      send(
        "PATCH",
        `${CONFIG_MAPS}/owned?fieldManager=${manager}`,
        named("owned", data(10_000, value)),
        APPLY,
      );
    expect((await apply("a", "v")).status).toBe(201);
    const refused = await apply("b", "w");
    expect(refused.status).toBe(409);
    const { details } = refused.json() as { details: { causes: unknown[] } };
    expect(details.causes).toHaveLength(10_000);
  });
});

describe("long lists", () => {
  const MANY = 3_000;
  const numbered = <T>(make: (index: number) => T) => Array.from({ length: MANY }, (_, index) => make(index));
  const containers = numbered((index) => ({
    name: `c${index}`,
    image: "nginx",
    ports: [{ containerPort: index + 1 }],
  }));
  const template = { metadata: { labels: { app: "a" } }, spec: { containers } };
  const deployment = {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name: "wide" },
    spec: { replicas: 0, selector: { matchLabels: { app: "a" } }, template },
  };
  const DEPLOYMENTS = "/apis/apps/v1/namespaces/default/deployments";

  it("are created, patched and applied", async () => {
    expect((await send("POST", DEPLOYMENTS, JSON.stringify(deployment))).status).toBe(201);
    const reversed = [...containers].reverse();
    const order = reversed.map(({ name }) => ({ name }));
    const strategic = {
      spec: {
        template: {
          spec: {
            $setElementOrder: undefined,
            "$setElementOrder/containers": order,
            containers: reversed.map(({ name }) => ({ name, image: "httpd" })),
          },
        },
      },
    };
    expect(
      (await send("PATCH", `${DEPLOYMENTS}/wide`, JSON.stringify(strategic), patchType("strategic-merge")))
        .status,
    ).toBe(200);
    const applied = await send(
      "PATCH",
      `${DEPLOYMENTS}/wide?fieldManager=f&force=true`,
      JSON.stringify(deployment),
      "application/apply-patch+yaml",
    );
    expect(applied.status).toBe(200);
    expect((await send("DELETE", `${DEPLOYMENTS}/wide`)).status).toBe(200);
  });

  it.each<[string, string, object]>([
    [
      "scopes of a quota",
      "resourcequotas",
      { spec: { hard: { pods: "1" }, scopes: numbered((index) => `s${index}`) } },
    ],
    [
      "limits of a container",
      "pods",
      {
        spec: {
          containers: [
            {
              name: "c",
              image: "nginx",
              resources: { limits: Object.fromEntries(numbered((index) => [`k${index}`, "1"])) },
            },
          ],
        },
      },
    ],
    ["ports that clash", "services", { spec: { ports: numbered(() => ({ port: 80 })) } }],
    [
      "peers of a policy",
      "networkpolicies",
      { spec: { podSelector: {}, ingress: [{ from: numbered(() => ({})) }] } },
    ],
    [
      "values of a selector",
      "replicationcontrollers",
      { spec: { selector: Object.fromEntries(numbered((index) => [`k${index}`, "v"])), template } },
    ],
  ])("of %s that are wrong are refused with all that is wrong", async (_, plural, body) => {
    const group = plural === "networkpolicies" ? "/apis/networking.k8s.io/v1" : "/api/v1";
    const answer = await send(
      "POST",
      `${group}/namespaces/default/${plural}`,
      JSON.stringify({ metadata: { name: "x" }, ...body }),
    );
    expect(answer.status).toBe(422);
  });
});

describe("a query with", () => {
  const base64 = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url");
  const token = (start: unknown, rv: unknown = 1) => `continue=${base64({ v: "meta.k8s.io/v1", rv, start })}`;
  const values = Array.from({ length: 1_500 }, (_, index) => `v${index}`).join(",");

  it.each<[string, string, number]>([
    ["a limit that is no number", "limit=many", 400],
    ["a negative limit", "limit=-5", 200],
    ["a huge limit", "limit=999999999999999999", 200],
    ["a continue token that is none", "continue=%00%ff", 400],
    ["a continue token of another shape", "continue=e30", 400],
    ["a continue token of another collection", token("secrets/default/x"), 400],
    ["a continue token with a strange revision", token("configmaps/default/x", -7), 410],
    ["a continue token with no revision", token("configmaps/default/x", "now"), 400],
    ["a resourceVersion that is none", "resourceVersion=new", 422],
    ["a label selector with very many values", `labelSelector=a in (${values})`, 200],
    ["very many label requirements", `labelSelector=${"!a,".repeat(3_000)}!a`, 200],
    ["a label selector that never ends", `labelSelector=${"(".repeat(5_000)}`, 400],
    ["a label key with backtracking in mind", `labelSelector=${"a-".repeat(4_000)}!`, 400],
    ["a field selector of an unknown field", "fieldSelector=spec.constructor=x", 400],
    ["very many field requirements", `fieldSelector=${"metadata.name!=x,".repeat(800)}metadata.name!=x`, 200],
    ["a boolean that is none", "watch=perhaps&timeoutSeconds=1", 200],
    ["percent signs that are no escapes", "labelSelector=%E0%A4%A", 400],
  ])("%s", async (_, query, expected) => {
    const { status } = await send("GET", `${COLLECTION}?${query.replaceAll(" ", "%20")}`);
    expect(status).toBe(expected);
  });

  it.each([17_000, 20_000, 30_000, 40_000, 200_000, 1_000_000])(
    "more than the server reads is refused by HTTP itself: %d bytes",
    async (bytes) => {
      const { status, text } = await send("GET", `${COLLECTION}?labelSelector=${"a".repeat(bytes)}`);
      expect([status, text]).toEqual([431, "431 Request Header Fields Too Large"]);
    },
  );
});
