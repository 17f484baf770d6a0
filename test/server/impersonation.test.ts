import { connect as http2Connect } from "node:http2";
import { get } from "node:https";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startTestServer, type TestServer } from "./harness.ts";

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(async () => {
  expect(server.errors).toEqual([]);
  await server.stop();
});

type Headers = Record<string, string | string[]>;
const WHO = "/apis/authentication.k8s.io/v1/selfsubjectreviews";
const ask = (headers: Headers, more: { anonymous?: boolean } = {}) =>
  server.https("POST", WHO, {
    ...more,
    body: "{}",
    headers: { "content-type": "application/json", ...headers } as Record<string, string>,
  });
const whoIs = async (headers: Headers) =>
  ((await ask(headers)).json() as { status: { userInfo: unknown } }).status.userInfo;

test.each<[string, Headers, object]>([
  ["nobody", {}, { username: "kubernetes-admin", groups: ["system:masters", "system:authenticated"] }],
  ["a user", { "Impersonate-User": "bob" }, { username: "bob", groups: ["system:authenticated"] }],
  [
    "a user with groups, a uid and extras",
    {
      "Impersonate-User": "bob",
      "Impersonate-Group": ["dev", "a, b"],
      "Impersonate-Uid": "42",
      "Impersonate-Extra-Acme.com%2fproject": ["x", "y"],
      "Impersonate-Extra-Constructor": "z",
    },
    {
      username: "bob",
      uid: "42",
      groups: ["dev", "a, b", "system:authenticated"],
      extra: { "acme.com/project": ["x", "y"], constructor: ["z"] },
    },
  ],
  [
    "a service account",
    { "Impersonate-User": "system:serviceaccount:shop:bot" },
    {
      username: "system:serviceaccount:shop:bot",
      groups: ["system:serviceaccounts", "system:serviceaccounts:shop", "system:authenticated"],
    },
  ],
  [
    "a service account with groups of the client's",
    { "Impersonate-User": "system:serviceaccount:shop:bot", "Impersonate-Group": "only" },
    { username: "system:serviceaccount:shop:bot", groups: ["only", "system:authenticated"] },
  ],
  [
    "one who has not shown who he is",
    { "Impersonate-User": "bob", "Impersonate-Group": "system:unauthenticated" },
    { username: "bob", groups: ["system:unauthenticated"] },
  ],
  [
    "the anonymous user",
    { "Impersonate-User": "system:anonymous" },
    { username: "system:anonymous", groups: ["system:unauthenticated"] },
  ],
  ["an empty name", { "Impersonate-User": "" }, { username: "kubernetes-admin" }],
])("a master acts as %s", async (_who, headers, expected) => {
  expect(await whoIs(headers)).toMatchObject(expected);
});

test("groups, extras and a uid without a user are refused", async () => {
  const answer = await ask({ "Impersonate-Group": ["g", "h"], "Impersonate-Extra-Scopes": "view" });
  expect([answer.status, (answer.json() as { message: string }).message]).toEqual([
    500,
    `Internal Server Error: "${WHO}": requested [{Group  g    } {Group  h    } {UserExtra  view  authentication.k8s.io/v1  scopes}] without impersonating a user`,
  ]);
  expect((await ask({ "Impersonate-Uid": "1" })).status).toBe(500);
});

async function accountToken(): Promise<string> {
  const path = "/api/v1/namespaces/default/serviceaccounts/default/token";
  const answer = await server.transport.request({ method: "POST", path, body: {} });
  return (answer.body as { status: { token: string } }).status.token;
}

test("whoever is no master is forbidden to", async () => {
  const authorization = `Bearer ${await accountToken()}`;
  const me = "system:serviceaccount:default:default";
  for (const [user, message, kind] of [
    [
      "bob",
      `users "bob" is forbidden: User "${me}" cannot impersonate resource "users" in API group "" at the cluster scope`,
      "users",
    ],
    [
      "system:serviceaccount:shop:bot",
      `serviceaccounts "bot" is forbidden: User "${me}" cannot impersonate resource "serviceaccounts" in API group "" in the namespace "shop"`,
      "serviceaccounts",
    ],
  ]) {
    const answer = await ask({ authorization, "Impersonate-User": user! }, { anonymous: true });
    expect([answer.status, answer.json()]).toMatchObject([
      403,
      { reason: "Forbidden", message, details: { kind } },
    ]);
  }
  expect((await ask({ authorization }, { anonymous: true })).status).toBe(201);
});

test("an upgrade is refused by the same rule", async () => {
  const authorization = `Bearer ${await accountToken()}`;
  const status = await new Promise<number | undefined>((resolve, reject) => {
    const path = "/api/v1/namespaces/default/pods/web/exec?command=true";
    const headers = { authorization, connection: "Upgrade", upgrade: "websocket", "impersonate-user": "bob" };
    get(
      { host: "127.0.0.1", port: server.server.port, path, headers, ca: server.pki("ca.crt") },
      (response) => {
        response.resume();
        resolve(response.statusCode);
      },
    ).on("error", reject);
  });
  expect(status).toBe(403);
});

test("HTTP/2 brings the headers as well", async () => {
  const session = http2Connect(`https://127.0.0.1:${server.server.port}`, {
    ca: server.pki("ca.crt"),
    cert: server.pki("admin.crt"),
    key: server.pki("admin.key"),
  });
  const stream = session.request({
    ":method": "POST",
    ":path": WHO,
    "content-type": "application/json",
    "impersonate-user": "bob",
    "impersonate-group": ["a", "b"],
  });
  stream.end("{}");
  let text = "";
  for await (const chunk of stream) text += String(chunk);
  session.close();
  expect(JSON.parse(text)).toMatchObject({
    status: { userInfo: { username: "bob", groups: ["a", "b", "system:authenticated"] } },
  });
});
