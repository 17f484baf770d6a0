// What the command and the supervisor wait for, seen through watches on a real server.
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Node, Taint } from "../../src/api/generated/types.ts";
import { endpoints } from "../../src/api/kinds/endpoints.ts";
import { nodes } from "../../src/api/kinds/node.ts";
import { services } from "../../src/api/kinds/service.ts";
import { TAINT_OUT_OF_SERVICE } from "../../src/api/names.ts";
import { servicesAnswer } from "../../src/cli/services-answer.ts";
import { awaitReady } from "../../src/supervisor/node-api.ts";
import { startTestServer, type TestServer } from "./harness.ts";

const LOST = { key: TAINT_OUT_OF_SERVICE, value: "nodeshutdown", effect: "NoExecute" };
const OTHER = { key: "example.com/gpu", effect: "NoSchedule" };
const PATIENCE_MS = 60_000;

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server.stop());

async function createNode(name: string, taints: Taint[], ready: string): Promise<void> {
  await server.client.create(nodes, { metadata: { name }, spec: { taints } } as Node);
  await setReady(name, ready);
}

const setReady = (name: string, status: string) =>
  server.client.patch(
    nodes,
    { name },
    "strategic",
    { status: { conditions: [{ type: "Ready", status }] } },
    { subresource: "status" },
  );
const taintsOf = async (name: string) => (await server.client.get(nodes, { name })).spec?.taints;
const never = () => new AbortController().signal;

test("a node that is back loses the taint of its loss and no other", async () => {
  await createNode("back", [OTHER, LOST], "True");
  await awaitReady(server.client, "back", { takeBackLoss: true, signal: never() });
  expect(await taintsOf("back")).toEqual([OTHER]);
});

test("an administrator's taint stays where the supervisor sets none", async () => {
  await createNode("tainted", [LOST], "True");
  await awaitReady(server.client, "tainted", { takeBackLoss: false, signal: never() });
  expect(await taintsOf("tainted")).toEqual([LOST]);
});

test("a node's readiness is awaited, and the wait can be cut off", async () => {
  await createNode("slow", [], "Unknown");
  const cut = new AbortController();
  let settled = false;
  const wait = awaitReady(server.client, "slow", { takeBackLoss: true, signal: never() }).then(() => {
    settled = true;
  });
  const cutOff = awaitReady(server.client, "slow", { takeBackLoss: true, signal: cut.signal });
  cut.abort();
  await cutOff;
  expect(settled).toBe(false);
  await setReady("slow", "True");
  await wait;
});

test("every Service with a selector is awaited until it has a ready endpoint, and others are not", async () => {
  const at = (name: string) => ({ metadata: { name, namespace: "default" } });
  const ports = [{ port: 80 }];
  await server.client.create(services, { ...at("web"), spec: { selector: { app: "web" }, ports } });
  await server.client.create(services, { ...at("external"), spec: { ports } });
  let settled = false;
  const wait = servicesAnswer(server.client, PATIENCE_MS).then(() => {
    settled = true;
  });
  const notReady = { notReadyAddresses: [{ ip: "127.16.1.2" }], ports };
  await server.client.create(endpoints, { ...at("web"), subsets: [notReady] });
  expect(settled).toBe(false);
  const ready = { addresses: [{ ip: "127.16.1.2" }], ports };
  await server.client.patch(endpoints, { namespace: "default", name: "web" }, "merge", { subsets: [ready] });
  await wait;
});

test("a Service that selects nothing ends the patience and not the command", async () => {
  await server.client.create(services, {
    metadata: { name: "nothing", namespace: "default" },
    spec: { selector: { app: "nothing" }, ports: [{ port: 80 }] },
  });
  await servicesAnswer(server.client, 20);
});
