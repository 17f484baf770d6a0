// Bad input against a running cluster: a clear error that names the thing, nothing lost, nothing crashed.
import { readFileSync, statSync } from "node:fs";
import { request as httpRequest } from "node:http";
import { request as httpsRequest } from "node:https";
import { connect } from "node:net";
import { networkInterfaces } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Cluster, eventually, startCluster } from "./harness.ts";

let cluster: Cluster;
let base: URL;
beforeAll(async () => {
  cluster = await startCluster({ nodes: 1 });
  base = new URL((await cluster.status()).apiServer);
});
afterAll(async () => {
  const { controlPlane } = await cluster.status();
  // Whatever was thrown at it, it is the same process that still answers.
  expect(controlPlane.pid).toBe(firstPid);
  await cluster.stop();
});

let firstPid: number;
beforeAll(async () => {
  firstPid = (await cluster.status()).controlPlane.pid;
});

interface Answer {
  status: number;
  body: { message?: string; reason?: string; code?: number; details?: { causes?: { field: string }[] } };
}

function send(
  method: string,
  path: string,
  options: {
    body?: string | Buffer;
    headers?: Record<string, string>;
    anonymous?: boolean;
    local?: boolean;
  } = {},
): Promise<Answer> {
  const pki = (file: string) => readFileSync(join(cluster.dataDir, "pki", file));
  const overTls = () => ({
    hostname: base.hostname,
    port: base.port,
    ca: pki("ca.crt"),
    // The certificate is checked for the server's real name, whatever Host header is sent.
    servername: "localhost",
    ...(options.anonymous ? {} : { cert: pki("admin.crt"), key: pki("admin.key") }),
  });
  return new Promise((resolve, reject) => {
    const request = (options.local ? httpRequest : httpsRequest)(
      {
        agent: false,
        method,
        path,
        ...(options.local ? { socketPath: apiSocket() } : overTls()),
        headers: {
          ...(options.body === undefined ? {} : { "content-type": "application/json" }),
          ...options.headers,
        },
      },
      (response) => {
        let text = "";
        response.on("data", (chunk) => {
          text += chunk;
        });
        response.on("end", () =>
          resolve({
            status: response.statusCode ?? 0,
            body: text.startsWith("{") ? JSON.parse(text) : { message: text },
          }),
        );
      },
    );
    request.on("error", reject);
    request.end(options.body);
  });
}

/** The API's own socket; of a `local` request nobody vouches for the sender but its headers. */
const apiSocket = () => join(cluster.dataDir, "api.sock");

const CONFIG_MAPS = "/api/v1/namespaces/default/configmaps";

test.each([
  "/",
  "/api",
  "/apis",
  "/version",
  "/healthz",
  "/openapi/v2",
  "/openapi/v3",
  "/metrics",
  CONFIG_MAPS,
  "/nonsense",
])("without a credential %s is 401", async (path) => {
  const { status, body } = await send("GET", path, { anonymous: true });
  expect(status).toBe(401);
  expect(body.reason).toBe("Unauthorized");
});

test("a wrong bearer token is 401", async () => {
  expect(
    (await send("GET", "/api", { anonymous: true, headers: { authorization: "Bearer wrong" } })).status,
  ).toBe(401);
});

test("the API's own socket is its owner's alone, and answers nobody without a component's token", async () => {
  expect(statSync(apiSocket()).mode & 0o777).toBe(0o600);
  const ask = (headers: Record<string, string>) => send("GET", "/api/v1/nodes", { headers, local: true });
  const token = readFileSync(join(cluster.dataDir, "pki", "node-node-1.token"), "utf8");
  const [, claims] = token.split(".");
  const forged = `kubemu.${claims}.${Buffer.alloc(32).toString("base64url")}`;
  for (const authorization of ["", "Bearer x", `Basic ${token}`, `Bearer ${forged}`])
    expect((await ask({ authorization })).status, authorization).toBe(401);
  const own = { authorization: `Bearer ${token}` };
  expect((await ask({ ...own, host: "evil.example" })).status).toBe(403);
  const { status, body } = await send("POST", "/apis/authentication.k8s.io/v1/selfsubjectreviews", {
    body: JSON.stringify({ kind: "SelfSubjectReview", apiVersion: "authentication.k8s.io/v1" }),
    headers: own,
    local: true,
  });
  const { userInfo } = (body as { status?: { userInfo?: unknown } }).status ?? {};
  expect([status, userInfo]).toEqual([
    201,
    { username: "system:node:node-1", groups: ["system:nodes", "system:authenticated"] },
  ]);
});

test("a Host or an Origin that is not the server's own is refused", async () => {
  expect((await send("GET", "/api", { headers: { host: "evil.example" } })).status).toBe(403);
  expect((await send("GET", "/api", { headers: { origin: "https://evil.example" } })).status).toBe(403);
  expect((await send("GET", "/api")).status).toBe(200);
});

test("the API listens on loopback only", async () => {
  const outside = Object.values(networkInterfaces())
    .flat()
    .find((each) => each && !each.internal && each.family === "IPv4");
  if (!outside) return;
  const refused = await new Promise((resolve) => {
    const socket = connect(Number(base.port), outside.address);
    socket.on("connect", () => resolve(false));
    socket.on("error", () => resolve(true));
  });
  expect(refused).toBe(true);
});

test("a body over 3 MB is 413", async () => {
  const { status, body } = await send("POST", CONFIG_MAPS, {
    body: Buffer.alloc(3 * 1024 * 1024 + 10, 0x20),
  });
  expect(status).toBe(413);
  expect(body.reason).toBe("RequestEntityTooLarge");
});

test.each([
  ["no JSON", "{not json", 400],
  ["an array", "[]", 400],
  ["a number", "1", 400],
  ["nothing", "", 400],
  ["another kind", JSON.stringify({ apiVersion: "v1", kind: "Pod", metadata: { name: "x" } }), 400],
  ["metadata of the wrong type", JSON.stringify({ apiVersion: "v1", kind: "ConfigMap", metadata: "x" }), 400],
  ["deep nesting", `{"metadata":${"[".repeat(20_000)}${"]".repeat(20_000)}}`, 400],
])("a body that is %s is answered with a Status", async (_, body, code) => {
  const answer = await send("POST", CONFIG_MAPS, { body });
  expect(answer.status).toBe(code);
  expect(answer.body).toMatchObject({ kind: "Status", status: "Failure", code });
  expect(answer.body.message?.length).toBeGreaterThan(5);
});

test("__proto__ keys change nothing and names that are no DNS labels are refused with the field's path", async () => {
  const answer = await send("POST", CONFIG_MAPS, {
    body: '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"proto"},"data":{"__proto__":"x","constructor":"y"},"__proto__":{"polluted":true}}',
  });
  expect([201, 400, 422]).toContain(answer.status);
  expect((await send("GET", "/version")).status).toBe(200);
  const named = await send("POST", CONFIG_MAPS, {
    body: JSON.stringify({ apiVersion: "v1", kind: "ConfigMap", metadata: { name: "../../etc" } }),
  });
  expect(named.status).toBe(422);
  expect(named.body.details?.causes?.[0]?.field).toBe("metadata.name");
});

test("a YAML alias bomb is refused quickly", async () => {
  const levels = Array.from(
    { length: 12 },
    (_, level) =>
      `a${level}: &a${level} [${Array.from({ length: 10 }, () => (level === 0 ? "x" : `*a${level - 1}`)).join(", ")}]`,
  );
  const answer = await send("POST", CONFIG_MAPS, {
    body: levels.join("\n"),
    headers: { "content-type": "application/yaml" },
  });
  expect(answer.status).toBe(400);
});

test("rubbish in protobuf, patches, selectors, versions and continue tokens is refused", async () => {
  const magic = Buffer.from([0x6b, 0x38, 0x73, 0x00]);
  const headers = { "content-type": "application/vnd.kubernetes.protobuf" };
  expect(
    (
      await send("POST", CONFIG_MAPS, {
        body: Buffer.concat([magic, Buffer.from([0xff, 0xff, 0xff, 0xff, 0xff])]),
        headers,
      })
    ).status,
  ).toBe(400);
  expect((await send("POST", CONFIG_MAPS, { body: Buffer.from("rubbish"), headers })).status).toBe(400);
  expect(
    (await send("POST", CONFIG_MAPS, { body: "x", headers: { "content-type": "text/plain" } })).status,
  ).toBe(415);
  expect((await send("GET", `${CONFIG_MAPS}?labelSelector=${encodeURIComponent("a in (")}`)).status).toBe(
    400,
  );
  expect((await send("GET", `${CONFIG_MAPS}?fieldSelector=${encodeURIComponent("no.such=1")}`)).status).toBe(
    400,
  );
  expect((await send("GET", `${CONFIG_MAPS}?continue=rubbish&limit=5`)).status).toBe(400);
  // kube-apiserver takes this one for an invalid field.
  expect((await send("GET", `${CONFIG_MAPS}?watch=true&resourceVersion=rubbish`)).status).toBe(422);
  await send("POST", CONFIG_MAPS, {
    body: JSON.stringify({ apiVersion: "v1", kind: "ConfigMap", metadata: { name: "patched" } }),
  });
  for (const [type, patch] of [
    ["application/json-patch+json", '[{"op":"test","path":"/nope","value":1}]'],
    ["application/merge-patch+json", "[1]"],
    ["application/strategic-merge-patch+json", '{"metadata":{"$patch":"nonsense"}}'],
    ["application/apply-patch+yaml", "a: ["],
  ] as const) {
    const answer = await send("PATCH", `${CONFIG_MAPS}/patched?fieldManager=x`, {
      body: patch,
      headers: { "content-type": type },
    });
    expect([type, answer.status >= 400 && answer.status < 500]).toEqual([type, true]);
  }
});

test("a watch that reads nothing does not fill the server's memory", async () => {
  const pki = (file: string) => readFileSync(join(cluster.dataDir, "pki", file));
  const request = httpsRequest({
    agent: false,
    hostname: base.hostname,
    port: base.port,
    path: `${CONFIG_MAPS}?watch=true`,
    ca: pki("ca.crt"),
    cert: pki("admin.crt"),
    key: pki("admin.key"),
  });
  const paused = new Promise<import("node:http").IncomingMessage>((resolve) =>
    request.on("response", resolve),
  );
  request.end();
  (await paused).pause();
  const filler = "x".repeat(200_000);
  for (let n = 0; n < 100; n++) {
    const body = JSON.stringify({
      apiVersion: "v1",
      kind: "ConfigMap",
      metadata: { name: "flood" },
      data: { filler, n: String(n) },
    });
    await (n === 0 ? send("POST", CONFIG_MAPS, { body }) : send("PUT", `${CONFIG_MAPS}/flood`, { body }));
  }
  const rss = Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${firstPid}/status`, "utf8"))?.[1]) / 1024;
  expect(rss).toBeLessThan(600);
  request.on("error", () => {});
  request.destroy();
});

test("a Service whose node port is taken by someone else says so and harms no other", async () => {
  await cluster.apply(`apiVersion: v1
kind: Service
metadata: {name: first}
spec: {type: NodePort, selector: {a: b}, ports: [{port: 80, nodePort: 31999}]}
`);
  const second = await cluster.tryKubectl(["apply", "-f", "-"], {
    input:
      "apiVersion: v1\nkind: Service\nmetadata: {name: second}\nspec: {type: NodePort, selector: {a: b}, ports: [{port: 80, nodePort: 31999}]}\n",
  });
  expect(second.stderr).toContain(
    "spec.ports[0].nodePort: Invalid value: 31999: provided port is already allocated",
  );
});

test("a pod whose program is not there says so, and the node lives", async () => {
  await cluster.apply(`apiVersion: v1
kind: Pod
metadata: {name: no-program}
spec:
  restartPolicy: Never
  containers: [{name: c, image: busybox, command: ["/no/such/program"]}]
`);
  const state = await eventually("it has failed", async () => {
    const { status } = JSON.parse(await cluster.kubectl("get", "pod", "no-program", "-o", "json"));
    return status.phase === "Failed" ? status.containerStatuses[0].state : undefined;
  });
  expect(state.terminated).toMatchObject({ exitCode: 128, reason: "StartError" });
  expect(state.terminated.message).toContain("no/such/program");
  expect(await cluster.kubectl("get", "pod", "no-program")).toMatch(/no-program +0\/1 +StartError +0/);
  expect(await cluster.kubectl("get", "nodes")).toMatch(/node-1 +Ready/);
});
