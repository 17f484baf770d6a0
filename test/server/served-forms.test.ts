import { afterAll, beforeAll, expect, test } from "vitest";
import type { Event, EventsEvent } from "../../src/api/generated/types.ts";
import { eventsV1 } from "../../src/api/kinds/event/events-v1.ts";
import { events } from "../../src/api/kinds/event.ts";
import type { Draft } from "../../src/api/object.ts";
import { pathOf, type Resource } from "../../src/api/resource.ts";
import { StatusError } from "../../src/api/status-error.ts";
import { startTestServer, type TestServer } from "./harness.ts";

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(async () => {
  expect(server.errors).toEqual([]);
  await server.stop();
});

const at = (name: string) => ({ namespace: "default", name });
const EVENT_TIME = "2026-01-02T03:04:05.000006Z";

const newer = (name: string, more: Draft<EventsEvent> = {}): Draft<EventsEvent> => ({
  metadata: at(name),
  regarding: { kind: "Pod", name: `pod-${name}`, namespace: "default", apiVersion: "v1" },
  note: "it began",
  reason: "Started",
  action: "Starting",
  type: "Normal",
  eventTime: EVENT_TIME,
  reportingController: "example.com/tester",
  reportingInstance: "tester-1",
  ...more,
});
const older = (name: string, more: Draft<Event> = {}): Draft<Event> => ({
  metadata: at(name),
  involvedObject: { kind: "Pod", name: `pod-${name}`, namespace: "default" },
  message: "it ended",
  reason: "Killing",
  type: "Warning",
  source: { component: "kubelet", host: "node-1" },
  firstTimestamp: "2026-01-02T03:04:05Z",
  lastTimestamp: "2026-01-02T03:04:06Z",
  count: 3,
  ...more,
});

async function refusal(promise: Promise<unknown>): Promise<StatusError> {
  const error = await promise.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(StatusError);
  return error as StatusError;
}

test("is one object under both groups, with one key and one uid", async () => {
  const made = await server.client.create(eventsV1, newer("one"));
  expect(made).toMatchObject({ apiVersion: "events.k8s.io/v1", kind: "Event", note: "it began" });
  const core = await server.client.get(events, at("one"));
  expect(core).toMatchObject({
    apiVersion: "v1",
    kind: "Event",
    message: "it began",
    involvedObject: { kind: "Pod", name: "pod-one" },
    reportingComponent: "example.com/tester",
    eventTime: EVENT_TIME,
  });
  expect(core.metadata.uid).toBe(made.metadata.uid);
  expect(server.store.list("events/").filter(({ key }) => key.endsWith("/one"))).toHaveLength(1);
  expect(server.store.list("events.events.k8s.io/")).toEqual([]);
  expect((await refusal(server.client.create(events, older("one")))).reason).toBe("AlreadyExists");
});

test("writes the source in both forms, though it is empty", async () => {
  const made = await server.client.create(eventsV1, newer("sourceless"));
  expect(made.deprecatedSource).toEqual({});
  expect((await server.client.get(events, at("sourceless"))).source).toEqual({});
  const without = older("plain");
  delete without.source;
  expect((await server.client.create(events, without)).source).toEqual({});
  // Left out of an update it is the same: nothing immutable changed.
  const { deprecatedSource: _, ...again } = made;
  await server.client.update(eventsV1, { ...again, metadata: { ...again.metadata, labels: { a: "b" } } });
});

test("shows what the older form has under its deprecated names, and takes it back unchanged", async () => {
  await server.client.create(events, older("two"));
  const shown = await server.client.get(eventsV1, at("two"));
  expect(shown).toMatchObject({
    regarding: { name: "pod-two" },
    note: "it ended",
    deprecatedSource: { component: "kubelet", host: "node-1" },
    deprecatedFirstTimestamp: "2026-01-02T03:04:05Z",
    deprecatedLastTimestamp: "2026-01-02T03:04:06Z",
    deprecatedCount: 3,
  });
  const before = await server.client.get(events, at("two"));
  await server.client.patch(eventsV1, at("two"), "merge", { metadata: { labels: { seen: "yes" } } });
  const { metadata: _, ...after } = await server.client.get(events, at("two"));
  const { metadata: __, ...rest } = before;
  expect(after).toEqual(rest);
});

test("lists and selects in each form by its own fields", async () => {
  await server.client.create(eventsV1, newer("three"));
  const { items } = await server.client.list(eventsV1, { fieldSelector: "regarding.name=pod-three" });
  expect(items.map(({ metadata }) => metadata.name)).toEqual(["three"]);
  expect(items[0]).toMatchObject({ apiVersion: "events.k8s.io/v1", regarding: { name: "pod-three" } });
  const core = await server.client.list(events, { fieldSelector: "involvedObject.name=pod-three" });
  expect(core.items).toHaveLength(1);
  const wrong = server.client.list(eventsV1, { fieldSelector: "involvedObject.name=pod-three" });
  expect((await refusal(wrong)).message).toBe("field label not supported: involvedObject.name");
});

test("shows one write to the watchers of both forms, each in its own", async () => {
  const seen: unknown[] = [];
  const stop = new AbortController();
  const query = { resourceVersion: String(server.store.revision) };
  const follow = (path: string) =>
    server.transport.watch({ method: "GET", path, query, signal: stop.signal }, ({ type, object }) => {
      seen.push([
        type,
        (object as Event).apiVersion,
        (object as Event).message ?? (object as EventsEvent).note,
      ]);
    });
  const watches = [events, eventsV1].map((one) => follow(pathOf(one, { namespace: "default" })));
  await server.client.create(events, older("four"));
  await server.client.delete(eventsV1, at("four"));
  await expect.poll(() => seen.length).toBe(4);
  expect(seen).toEqual([
    ["ADDED", "v1", "it ended"],
    ["ADDED", "events.k8s.io/v1", "it ended"],
    ["DELETED", "v1", "it ended"],
    ["DELETED", "events.k8s.io/v1", "it ended"],
  ]);
  stop.abort();
  await Promise.all(watches);
});

test("tells each writer's fields in the version that it speaks, and moves them between versions", async () => {
  const series = { count: 2, lastObservedTime: EVENT_TIME };
  const note = (text: string) => ({
    ...newer("five", { note: text, deprecatedCount: 1 }),
    apiVersion: "events.k8s.io/v1",
    kind: "Event",
  });
  const apply = (resource: Resource, body: object, fieldManager: string, force = false) =>
    server.client.patch(resource, at("five"), "apply", body, { fieldManager, force });
  await apply(eventsV1, note("hello"), "first");
  await server.client.patch(events, at("five"), "merge", { series, count: 5 }, { fieldManager: "second" });
  const { metadata } = await server.client.get(events, at("five"));
  const owners = (metadata.managedFields ?? []).map(({ manager, apiVersion, fieldsV1 }) => [
    manager,
    apiVersion,
    Object.keys(fieldsV1 ?? {}).includes(manager === "first" ? "f:note" : "f:series"),
  ]);
  expect(owners).toEqual([
    ["first", "events.k8s.io/v1", true],
    ["second", "v1", true],
  ]);
  // `count` of the older form is `deprecatedCount` of the newer: it has gone from the first to the second.
  expect(metadata.managedFields?.[0]?.fieldsV1).not.toHaveProperty("f:deprecatedCount");

  const mine = { apiVersion: "v1", kind: "Event", ...older("five"), message: "other" };
  const refused = await refusal(apply(events, mine, "third"));
  expect(refused.reason).toBe("Conflict");
  expect(refused.status.details?.causes).toContainEqual({
    reason: "FieldManagerConflict",
    message: 'conflict with "first"',
    field: ".note",
  });
});

test("refuses in the newer form what it may not lack, and what may not change", async () => {
  const bare = { metadata: at("six"), regarding: { namespace: "default" } };
  const { status } = await refusal(server.client.create(eventsV1, bare));
  expect(status.details?.causes?.map(({ field, reason }) => `${field} ${reason}`)).toEqual([
    "eventTime FieldValueRequired",
    "reportingController FieldValueRequired",
    "reportingInstance FieldValueRequired",
    "action FieldValueRequired",
    "reason FieldValueRequired",
    "type FieldValueInvalid",
  ]);
  await server.client.create(eventsV1, newer("six"));
  const change = server.client.patch(eventsV1, at("six"), "merge", { note: "no" });
  expect((await refusal(change)).message).toContain('message: Invalid value: "no": field is immutable');
});

test("is found in discovery, OpenAPI and as the same table", async () => {
  const group = (await server.https("GET", "/apis/events.k8s.io")).json();
  expect(group).toMatchObject({ preferredVersion: { groupVersion: "events.k8s.io/v1" } });
  const openapi = (await server.https("GET", "/openapi/v3/apis/events.k8s.io/v1")).json();
  expect(openapi).toMatchObject({
    components: { schemas: { "io.k8s.api.events.v1.Event": { properties: { regarding: {} } } } },
  });
  await server.client.create(eventsV1, newer("seven"));
  const table = async (path: string) => {
    const headers = { accept: "application/json;as=Table;v=v1;g=meta.k8s.io" };
    const { columnDefinitions, rows } = (await server.https("GET", path, { headers })).json() as {
      columnDefinitions: { name: string }[];
      rows: { cells: unknown[]; object: { metadata: { name: string } } }[];
    };
    const row = rows.find(({ object }) => object.metadata.name === "seven");
    return { columns: columnDefinitions.map(({ name }) => name), cells: row?.cells.slice(1) };
  };
  const newerTable = await table("/apis/events.k8s.io/v1/namespaces/default/events");
  expect(newerTable.columns).toContain("Last Seen");
  expect(newerTable.cells?.slice(0, 3)).toEqual(["Normal", "Started", "pod/pod-seven"]);
  expect(await table("/api/v1/namespaces/default/events")).toEqual(newerTable);
});
