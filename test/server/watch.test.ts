import { request as httpsRequest } from "node:https";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { configMaps } from "../../src/api/kinds/config-map.ts";
import type { KubeObject } from "../../src/api/object.ts";
import type { WatchEvent } from "../../src/client/transport.ts";
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
const at = (name: string) => ({ namespace: "default", name });
const create = (name: string, labels: Record<string, string> = {}) =>
  server.client.create(configMaps, { metadata: { name, namespace: "default", labels } });
const label = (name: string, labels: Record<string, string | null>) =>
  server.client.patch(configMaps, at(name), "merge", { metadata: { labels } });

const objectOf = (event: WatchEvent) => event.object as KubeObject & { code?: number; message?: string };
const told = (event: WatchEvent) => `${event.type} ${objectOf(event).metadata?.name}`;

/** A watch through the in-process transport, with everything it has been told. */
function follow(query: Record<string, string | number | boolean>) {
  const events: WatchEvent[] = [];
  const stop = new AbortController();
  const ended = server.transport.watch({ method: "GET", path: PATH, query, signal: stop.signal }, (event) =>
    events.push(event),
  );
  return { events, ended, stop: () => stop.abort() };
}

/** Lets a watch be opened: the handler answers within one turn. */
const opened = () => new Promise((resolve) => setImmediate(resolve));

describe("watch", () => {
  test("from a resourceVersion tells every later write, and events are there with the write's answer", async () => {
    const from = server.store.revision;
    const watch = follow({ resourceVersion: from });
    await opened();
    await create("w1");
    await label("w1", { a: "b" });
    await server.client.delete(configMaps, at("w1"));
    expect(watch.events.map(told)).toEqual(["ADDED w1", "MODIFIED w1", "DELETED w1"]);
    expect(watch.events.map((event) => Number(objectOf(event).metadata.resourceVersion))).toEqual([
      from + 1,
      from + 2,
      from + 3,
    ]);
    watch.stop();
    await watch.ended;
    const again = follow({ resourceVersion: from + 1 });
    await opened();
    expect(again.events.map(told)).toEqual(["MODIFIED w1", "DELETED w1"]);
    again.stop();
    await again.ended;
  });

  test("without a resourceVersion begins with what there is", async () => {
    await create("there");
    const watch = follow({});
    await opened();
    expect(watch.events.map(told)).toContain("ADDED there");
    watch.stop();
    await watch.ended;
  });

  test("sendInitialEvents ends its first part with an annotated bookmark", async () => {
    const query = {
      sendInitialEvents: true,
      resourceVersionMatch: "NotOlderThan",
      allowWatchBookmarks: true,
    };
    const watch = follow(query);
    await opened();
    const last = objectOf(watch.events.at(-1)!);
    expect(watch.events.at(-1)?.type).toBe("BOOKMARK");
    expect(last.metadata.annotations).toEqual({ "k8s.io/initial-events-end": "true" });
    expect(last.metadata.resourceVersion).toBe(String(server.store.revision));
    watch.stop();
    await watch.ended;
    const refused = follow({ sendInitialEvents: true });
    await expect(refused.ended).rejects.toThrow("requires setting resourceVersionMatch to NotOlderThan");
  });

  test("what begins or ceases to match a selector is ADDED or DELETED", async () => {
    const watch = follow({ resourceVersion: server.store.revision, labelSelector: "tier=front" });
    await opened();
    await create("s1");
    await label("s1", { tier: "front" });
    await label("s1", { more: "x" });
    await label("s1", { tier: "back" });
    await server.client.delete(configMaps, at("s1"));
    expect(watch.events.map(told)).toEqual(["ADDED s1", "MODIFIED s1", "DELETED s1"]);
    expect(objectOf(watch.events[2]!).metadata.labels?.["tier"]).toBe("front");
    watch.stop();
    await watch.ended;
  });

  test("a name selects one object, and an unknown field is refused", async () => {
    const watch = follow({ resourceVersion: server.store.revision, fieldSelector: "metadata.name=only" });
    await opened();
    await create("other");
    await create("only");
    expect(watch.events.map(told)).toEqual(["ADDED only"]);
    watch.stop();
    await watch.ended;
    const refused = follow({ fieldSelector: "spec.nothing=x" });
    await expect(refused.ended).rejects.toThrow('"spec.nothing" is not a known field selector');
  });

  test("a resourceVersion that is not retained ends in a 410 ERROR event", async () => {
    const watch = follow({ resourceVersion: 999_999 });
    await watch.ended;
    expect(watch.events).toHaveLength(1);
    const error = objectOf(watch.events[0]!);
    expect([watch.events[0]?.type, error.code]).toEqual(["ERROR", 410]);
    expect(error.message).toMatch(/^too old resource version: 999999 \(\d+\)$/);
  });

  test("ends after timeoutSeconds", async () => {
    const watch = follow({ resourceVersion: server.store.revision, timeoutSeconds: 1 });
    await watch.ended;
    expect(watch.events).toEqual([]);
  });

  test("over HTTPS is one JSON line an event, as rows where a table is asked for", async () => {
    const from = server.store.revision;
    await create("line1");
    await create("line2");
    const query = `watch=true&resourceVersion=${from}&timeoutSeconds=1`;
    const plain = await server.https("GET", `${PATH}?${query}`);
    expect(plain.headers["content-type"]).toBe("application/json");
    const lines = plain.text.trimEnd().split("\n");
    expect(lines.map((line) => told(JSON.parse(line) as WatchEvent))).toEqual(["ADDED line1", "ADDED line2"]);
    const headers = { accept: "application/json;as=Table;v=v1;g=meta.k8s.io,application/json" };
    const table = await server.https("GET", `${PATH}?${query}`, { headers });
    const [first, second] = table.text
      .trimEnd()
      .split("\n")
      .map(
        (line) =>
          (JSON.parse(line) as { object: { columnDefinitions: unknown; rows: { cells: unknown[] }[] } })
            .object,
      );
    expect(first?.rows[0]?.cells.slice(0, 2)).toEqual(["line1", 0]);
    expect(Array.isArray(first?.columnDefinitions)).toBe(true);
    expect(second?.columnDefinitions).toBeNull();
  });

  test("a watcher that does not read is closed, and the server lives on", async () => {
    const bearer = await serviceAccountToken();
    const complete = await new Promise<boolean>((resolve, reject) => {
      const path = `${PATH}?watch=true&resourceVersion=${server.store.revision}`;
      const headers = { authorization: `Bearer ${bearer}` };
      const { port } = server.server;
      const request = httpsRequest({ host: "127.0.0.1", port, path, headers, rejectUnauthorized: false });
      request.on("error", () => {});
      request.on("response", (response) => {
        response.pause();
        response.on("error", () => {});
        response.on("close", () => resolve(response.complete));
        // Only then does it look at what it was sent, and finds the stream broken off.
        flood().then(() => response.resume(), reject);
      });
      request.end();
    });
    expect(complete).toBe(false);
    expect((await server.https("GET", "/healthz")).text).toBe("ok");
  });
});

async function flood(): Promise<void> {
  const big = "x".repeat(900_000);
  for (let i = 0; i < 20; i += 1)
    await server.client.create(configMaps, {
      metadata: { name: `big-${i}`, namespace: "default" },
      data: { big },
    });
}

async function serviceAccountToken(): Promise<string> {
  const path = "/api/v1/namespaces/default/serviceaccounts/default/token";
  const { body } = await server.transport.request({ method: "POST", path, body: {} });
  return (body as { status: { token: string } }).status.token;
}
