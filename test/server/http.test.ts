import { connect as http2Connect } from "node:http2";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { configMaps } from "../../src/api/kinds/config-map.ts";
import { createClient } from "../../src/client/create-client.ts";
import { startTestServer, type TestServer } from "./harness.ts";

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(async () => {
  expect(server.errors).toEqual([]);
  await server.stop();
});

const PATH = "/api/v1/namespaces/default/configmaps";
const statusOf = (answer: { json(): unknown }) =>
  answer.json() as { kind: string; reason?: string; message: string; code: number };
const json = { "content-type": "application/json" };

describe("credentials", () => {
  test("nothing is answered without one", async () => {
    for (const path of ["/", "/api", "/healthz", "/openapi/v3", PATH, "/nonsense"]) {
      const answer = await server.https("GET", path, { anonymous: true });
      expect([path, answer.status, statusOf(answer).reason]).toEqual([path, 401, "Unauthorized"]);
    }
    const headers = { authorization: "Bearer x.y.z" };
    expect((await server.https("GET", PATH, { anonymous: true, headers })).status).toBe(401);
  });

  test("a service account's token is one, until the account is gone", async () => {
    const accounts = "/api/v1/namespaces/default/serviceaccounts";
    await server.https("POST", accounts, { body: '{"metadata":{"name":"bot"}}', headers: json });
    const issued = await server.https("POST", `${accounts}/bot/token`, { body: "{}", headers: json });
    expect(issued.status).toBe(201);
    const { token } = (issued.json() as { status: { token: string } }).status;
    const headers = { authorization: `Bearer ${token}`, ...json };
    const review = await server.https("POST", "/apis/authentication.k8s.io/v1/selfsubjectreviews", {
      anonymous: true,
      headers,
      body: "{}",
    });
    const { status } = review.json() as { status: { userInfo: { username: string; groups: string[] } } };
    expect(status.userInfo.username).toBe("system:serviceaccount:default:bot");
    expect(status.userInfo.groups).toContain("system:serviceaccounts:default");
    const forged = `${token.slice(0, -4)}AAAA`;
    const asForged = { anonymous: true, headers: { authorization: `Bearer ${forged}` } };
    expect((await server.https("GET", PATH, asForged)).status).toBe(401);
    await server.https("DELETE", `${accounts}/bot`);
    expect((await server.https("GET", PATH, { anonymous: true, headers })).status).toBe(401);
  });

  test("a foreign Host or Origin is refused, the server's own are not", async () => {
    const get = (headers: Record<string, string>) => server.https("GET", "/healthz", { headers });
    expect((await get({ origin: "https://evil.example" })).status).toBe(403);
    expect((await get({ origin: "null" })).status).toBe(403);
    expect((await get({ origin: `https://127.0.0.1:${server.server.port}` })).status).toBe(200);
    const { statusCode } = await overHttp2("evil.example:443");
    expect(statusCode).toBe(403);
    expect((await overHttp2("localhost:1")).statusCode).toBe(200);
  });
});

function overHttp2(authority: string): Promise<{ statusCode: number; text: string }> {
  return new Promise((resolve, reject) => {
    const session = http2Connect(`https://127.0.0.1:${server.server.port}`, { rejectUnauthorized: false });
    session.on("error", reject);
    void token().then((bearer) => {
      const stream = session.request({
        ":path": "/healthz",
        ":authority": authority,
        authorization: `Bearer ${bearer}`,
      });
      let statusCode = 0;
      let text = "";
      stream.on("response", (headers) => {
        statusCode = Number(headers[":status"]);
      });
      stream.on("data", (chunk: Buffer) => {
        text += String(chunk);
      });
      stream.on("end", () => {
        session.close();
        resolve({ statusCode, text });
      });
      stream.on("error", reject);
    }, reject);
  });
}

async function token(): Promise<string> {
  const path = "/api/v1/namespaces/default/serviceaccounts/default/token";
  const answer = await server.transport.request({ method: "POST", path, body: {} });
  return (answer.body as { status: { token: string } }).status.token;
}

describe("bad input", () => {
  test("is answered with a Status that says why, and never with a crash", async () => {
    const post = (text: string | Buffer, type = "application/json") =>
      server.https("POST", PATH, { body: text, headers: { "content-type": type } });
    const deep = `${'{"a":'.repeat(20_000)}1${"}".repeat(20_000)}`;
    for (const [text, code, words] of [
      ["{", 400, "json parse error"],
      ["[1]", 400, "cannot unmarshal array"],
      ["null", 400, "cannot unmarshal null"],
      ['{"kind":"Pod","apiVersion":"v1","metadata":{"name":"a"}}', 400, "cannot be handled as a ConfigMap"],
      ['{"apiVersion":"v2","metadata":{"name":"a"}}', 400, "does not match the expected API version (v1)"],
      ['{"metadata":{"name":"a","labels":{"x":1}}}', 400, "cannot unmarshal number"],
      ['{"metadata":{"name":"Not_A_Name"}}', 422, "a lowercase RFC 1123 subdomain"],
      [`{"metadata":{"name":"a"},"data":${deep}}`, 400, ""],
    ] as const) {
      const answer = await post(text);
      expect([text.slice(0, 40), answer.status, statusOf(answer).kind]).toEqual([
        text.slice(0, 40),
        code,
        "Status",
      ]);
      expect(statusOf(answer).message).toContain(words);
    }
    expect((await post("a", "text/plain")).status).toBe(415);
    expect(
      (await post(Buffer.from([0x6b, 0x38, 0x73, 0, 255, 255]), "application/vnd.kubernetes.protobuf"))
        .status,
    ).toBe(400);
    expect((await post("a: [1", "application/yaml")).status).toBe(400);
    const polluted = await post(
      '{"metadata":{"name":"proto"},"__proto__":{"polluted":true},"data":{"__proto__":"x"}}',
    );
    expect(polluted.status).toBe(201);
    expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
    expect((await server.https("GET", "/api/v1/namespaces/%zz/configmaps")).status).toBe(400);
  });

  test("a body above 3 MB is 413, whether or not it says so beforehand", async () => {
    const huge = `{"metadata":{"name":"huge"},"data":{"a":"${"x".repeat(3 * 1024 * 1024)}"}}`;
    const answer = await server.https("POST", PATH, { body: huge, headers: json });
    expect([answer.status, statusOf(answer).reason]).toEqual([413, "RequestEntityTooLarge"]);
    const chunked = { ...json, "transfer-encoding": "chunked" };
    const unsaid = await server.https("POST", PATH, { body: huge, headers: chunked }).catch(() => undefined);
    expect(unsaid?.status ?? 413).toBe(413);
    expect((await server.https("GET", "/healthz")).text).toBe("ok");
  });

  test("unknown paths and methods are told apart", async () => {
    for (const [method, path, code] of [
      ["GET", "/api/v1/nothings", 404],
      ["GET", "/apis/nowhere/v1", 404],
      ["GET", "/apis/apps/v9", 404],
      ["GET", `${PATH}/a/nothing`, 404],
      // As of a server's URL that ends with a slash.
      ["GET", "//api/v1/pods", 404],
      ["PUT", PATH, 405],
      ["POST", `${PATH}/a`, 405],
      ["OPTIONS", PATH, 405],
      ["POST", "/version", 405],
    ] as const) {
      const answer = await server.https(method, path, { body: "{}", headers: json });
      expect([method, path, answer.status]).toEqual([method, path, code]);
    }
    const missing = statusOf(await server.https("GET", `${PATH}/missing`));
    expect([missing.code, missing.message]).toEqual([404, 'configmaps "missing" not found']);
  });
});

describe("lists", () => {
  test("come in chunks that show one state, whatever is written meanwhile", async () => {
    await server.https("POST", "/api/v1/namespaces", { body: '{"metadata":{"name":"many"}}', headers: json });
    for (const name of ["a", "b", "c", "d", "e"])
      await server.client.create(configMaps, { metadata: { name, namespace: "many" } });
    type Page = {
      metadata: { continue?: string; resourceVersion: string; remainingItemCount?: number };
      items: { metadata: { name: string } }[];
    };
    const page = async (query: string) =>
      (await server.https("GET", `/api/v1/namespaces/many/configmaps?limit=2${query}`)).json() as Page;
    const first = await page("");
    expect(first.metadata.remainingItemCount).toBe(3);
    await server.client.delete(configMaps, { namespace: "many", name: "c" });
    await server.client.create(configMaps, { metadata: { name: "bb", namespace: "many" } });
    const names = first.items.map(({ metadata }) => metadata.name);
    let next = first.metadata.continue;
    while (next) {
      const more = await page(`&continue=${next}`);
      expect(more.metadata.resourceVersion).toBe(first.metadata.resourceVersion);
      names.push(...more.items.map(({ metadata }) => metadata.name));
      next = more.metadata.continue;
    }
    expect(names).toEqual(["a", "b", "c", "d", "e"]);
    expect((await server.https("GET", `${PATH}?limit=2&continue=nonsense`)).status).toBe(400);
    const { resourceVersion } = first.metadata;
    const then = await page(`&resourceVersion=${resourceVersion}`);
    expect([then.metadata.resourceVersion, then.metadata.remainingItemCount]).toEqual([resourceVersion, 3]);
    const now = await page(`&resourceVersion=${resourceVersion}&resourceVersionMatch=NotOlderThan`);
    expect(Number(now.metadata.resourceVersion)).toBeGreaterThan(Number(resourceVersion));
  });

  test("of the future are refused as too large", async () => {
    const answer = await server.https(
      "GET",
      `${PATH}?resourceVersion=999999&resourceVersionMatch=NotOlderThan`,
    );
    expect([answer.status, statusOf(answer).message]).toEqual([
      504,
      `Timeout: Too large resource version: 999999, current: ${server.store.revision}`,
    ]);
    expect(answer.headers["retry-after"]).toBe("1");
  });

  test("can be tables and metadata only", async () => {
    const table = await server.https("GET", PATH, {
      headers: { accept: "application/json;as=Table;v=v1;g=meta.k8s.io" },
    });
    const { kind, columnDefinitions, rows } = table.json() as {
      kind: string;
      columnDefinitions: { name: string }[];
      rows: { cells: unknown[]; object: { kind: string } }[];
    };
    expect(kind).toBe("Table");
    expect(columnDefinitions.map(({ name }) => name)).toEqual(["Name", "Data", "Age"]);
    expect(rows[0]?.object.kind).toBe("PartialObjectMetadata");
    const partial = await server.https("GET", PATH, {
      headers: { accept: "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io" },
    });
    expect(partial.text).not.toContain('"data"');
    const neither = await server.https("GET", PATH, { headers: { accept: "image/png" } });
    expect(neither.status).toBe(406);
  });
});

describe("encodings", () => {
  test("YAML and protobuf bodies make the same objects as JSON", async () => {
    const yaml = "metadata:\n  name: as-yaml\ndata:\n  flag: 'on'\n";
    const made = await server.https("POST", PATH, {
      body: yaml,
      headers: { "content-type": "application/yaml" },
    });
    expect(made.status).toBe(201);
    const { encodeProtobuf } = await import("../../src/api/protobuf/codec.ts");
    const object = {
      apiVersion: "v1",
      kind: "ConfigMap",
      metadata: { name: "as-protobuf" },
      data: { flag: "on" },
    };
    const bytes = Buffer.from(encodeProtobuf(object, "io.k8s.api.core.v1.ConfigMap", server.registry.lookup));
    const headers = { "content-type": "application/vnd.kubernetes.protobuf", accept: "application/json" };
    const sent = await server.https("POST", PATH, { body: bytes, headers });
    expect([sent.status, (sent.json() as { data: unknown }).data]).toEqual([201, { flag: "on" }]);
    const back = await server.https("GET", `${PATH}/as-yaml`, { headers: { accept: "application/yaml" } });
    expect(back.headers["content-type"]).toBe("application/yaml");
    expect(back.text).toContain("name: as-yaml");
    // What readers of YAML 1.1 take for times and booleans is quoted, and nothing is an alias.
    expect(back.text).toMatch(/ creationTimestamp: "\d{4}-/);
    expect(back.text).toContain('flag: "on"');
    expect(back.text).toMatch(/ f:flag: \{\}/);
    expect(back.text).not.toMatch(/[&*]a1/);
  });

  test("a deprecated kind is told with every answer, a watch's too", async () => {
    const path = "/api/v1/namespaces/default/endpoints";
    const text = '299 - "v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice"';
    const body = JSON.stringify({ metadata: { name: "web" } });
    const answers = [
      await server.https("GET", path),
      await server.https("POST", path, { body, headers: { "content-type": "application/json" } }),
      await server.https("GET", `${path}?watch=true&timeoutSeconds=1`),
    ];
    for (const { headers } of answers) expect(headers["warning"]).toBe(text);
  });

  test("warnings are headers, escaped", async () => {
    const text = '{"metadata":{"name":"warned"},"wh\\"at":1}';
    const answer = await server.https("POST", PATH, { body: text, headers: json });
    expect(answer.headers["warning"]).toContain('299 - "unknown field \\"wh');
  });

  test("a PUT to scale needs no Content-Type", async () => {
    const spec = `{"metadata":{"name":"web"},"spec":{"selector":{"matchLabels":{"a":"b"}},"template":{"metadata":{"labels":{"a":"b"}},"spec":{"containers":[{"name":"c","image":"i"}]}}}}`;
    const path = "/apis/apps/v1/namespaces/default/deployments";
    await server.https("POST", path, { body: spec, headers: json });
    const scale = '{"metadata":{"name":"web"},"spec":{"replicas":4}}';
    const answer = await server.https("PUT", `${path}/web/scale`, { body: scale });
    expect([answer.status, (answer.json() as { spec: unknown }).spec]).toEqual([200, { replicas: 4 }]);
  });
});

describe("discovery", () => {
  test("is aggregated in the version that the client offers, with an ETag", async () => {
    const accept = (version: string) =>
      `application/json;g=apidiscovery.k8s.io;v=${version};as=APIGroupDiscoveryList,application/json`;
    for (const version of ["v2", "v2beta1"]) {
      const answer = await server.https("GET", "/apis", { headers: { accept: accept(version) } });
      expect(answer.headers["content-type"]).toContain(`v=${version}`);
      expect((answer.json() as { apiVersion: string }).apiVersion).toBe(`apidiscovery.k8s.io/${version}`);
      const etag = String(answer.headers["etag"]);
      const again = await server.https("GET", "/apis", {
        headers: { accept: accept(version), "if-none-match": etag },
      });
      expect([again.status, again.text]).toEqual([304, ""]);
    }
    const plain = await server.https("GET", "/apis");
    expect((plain.json() as { kind: string }).kind).toBe("APIGroupList");
    const core = (await server.https("GET", "/api/v1")).json() as {
      resources: { name: string; kind: string; verbs: string[]; group?: string }[];
    };
    const find = (name: string) => core.resources.find((one) => one.name === name);
    expect(find("pods")?.verbs).toContain("watch");
    expect(find("pods/eviction")).toMatchObject({ kind: "Eviction", group: "policy" });
    expect(find("pods/log")?.verbs).toEqual(["get"]);
  });

  test("OpenAPI, version and health answer", async () => {
    const paths = (await server.https("GET", "/openapi/v3")).json() as {
      paths: Record<string, { serverRelativeURL: string }>;
    };
    const url = paths.paths["apis/apps/v1"]?.serverRelativeURL ?? "";
    expect((await server.https("GET", url)).status).toBe(200);
    expect((await server.https("GET", "/openapi/v2")).status).toBe(200);
    const measured = (await server.https("GET", "/openapi/v3/apis/metrics.k8s.io/v1beta1")).json();
    expect(measured).toMatchObject({
      paths: { "/apis/metrics.k8s.io/v1beta1/nodes": { get: {} } },
      components: {
        schemas: {
          "io.k8s.metrics.pkg.apis.metrics.v1beta1.NodeMetrics": {
            "x-kubernetes-group-version-kind": [
              { group: "metrics.k8s.io", version: "v1beta1", kind: "NodeMetrics" },
            ],
          },
        },
      },
    });
    expect((await server.https("GET", "/openapi/v3/apis/nowhere/v1")).status).toBe(404);
    expect((await server.https("GET", "/version")).json()).toMatchObject({ gitVersion: "v1.36.0" });
    const head = await server.https("HEAD", PATH);
    expect([head.status, head.text]).toEqual([200, ""]);
  });
});

test("health: each check has a path of its own, and can be left out", async () => {
  const get = async (path: string) => {
    const { status, text } = await server.https("GET", path);
    return [status, status === 404 ? "" : text];
  };
  for (const name of ["healthz", "livez", "readyz"]) {
    expect(await get(`/${name}`)).toEqual([200, "ok"]);
    expect(await get(`/${name}?verbose`)).toEqual([200, `[+]ping ok\n[+]etcd ok\n${name} check passed\n`]);
    expect(await get(`/${name}?exclude=etcd`)).toEqual([200, "ok"]);
    expect(await get(`/${name}?verbose&exclude=etcd&exclude=b&exclude=a`)).toEqual([
      200,
      `[+]ping ok\n[+]etcd excluded: ok\nwarn: some health checks cannot be excluded: no matches for "a","b"\n${name} check passed\n`,
    ]);
    expect(await get(`/${name}/ping`)).toEqual([200, "ok"]);
    expect(await get(`/${name}/etcd?verbose`)).toEqual([200, "ok"]);
    for (const path of ["/nonsense", "/ping/more", "/", "//"])
      expect(await get(`/${name}${path}`)).toEqual([404, ""]);
  }
  const { paths } = (await server.https("GET", "/")).json() as { paths: string[] };
  expect(paths).toEqual(expect.arrayContaining(["/healthz", "/healthz/ping", "/livez/etcd", "/readyz"]));
});

test("both transports give a client the same answers", async () => {
  const transport = server.remote();
  const remote = createClient(transport, { userAgent: "remote" });
  const made = await remote.create(configMaps, { metadata: { name: "remote", namespace: "default" } });
  expect(await server.client.get(configMaps, { namespace: "default", name: "remote" })).toEqual(made);
  const events: string[] = [];
  const seen = new Promise<void>((resolve, reject) => {
    remote
      .watch(
        configMaps,
        { namespace: "default", resourceVersion: made.metadata.resourceVersion, timeoutSeconds: 20 },
        ({ type }) => {
          events.push(type);
          if (events.length === 2) resolve();
        },
      )
      .catch(reject);
  });
  await remote.patch(configMaps, made.metadata as never, "merge", { data: { a: "b" } });
  await remote.delete(configMaps, made.metadata as never);
  await seen;
  expect(events).toEqual(["MODIFIED", "DELETED"]);
  transport.close();
});
