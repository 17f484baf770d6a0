// What a client is answered that takes nothing but protobuf. Bytes are read with the decoder of request bodies; frames, a Status and a
// ConfigMap also stand here in hexadecimal, put together by hand from the generated.proto files.
import { request as httpsRequest } from "node:https";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { KubeObject } from "../../src/api/object.ts";
import { decodeProtobuf, encodeProtobuf } from "../../src/api/protobuf/codec.ts";
import {
  encodeDocument,
  encodeWatchEvent,
  messageType,
  schemaOfDocument,
} from "../../src/api/protobuf/documents.ts";
import { createProtobufLines } from "../../src/server/rest/watch-lines.ts";
import { startTestServer, type TestServer } from "./harness.ts";

const PROTOBUF = "application/vnd.kubernetes.protobuf";
const PARTIAL = ";as=PartialObjectMetadata;g=meta.k8s.io;v=v1";
const PATH = "/api/v1/namespaces/default/configmaps";

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(async () => {
  expect(server.errors).toEqual([]);
  await server.stop();
});

const hex = (text: string) => Buffer.from(text.replace(/\s/g, ""), "hex");
const decode = (bytes: Uint8Array) => decodeProtobuf(bytes, messageType, schemaOfDocument).object;

interface Sent {
  readonly method?: string;
  readonly accept?: string;
  readonly body?: Buffer;
  /** Called with what has come so far; true ends the request. */
  readonly enough?: (bytes: Buffer) => boolean;
}

/** The answer's bytes: the harness reads answers as text. */
function ask(path: string, { method = "GET", accept = PROTOBUF, body, enough = () => false }: Sent = {}) {
  return new Promise<{ status: number; type: string; bytes: Buffer }>((resolve, reject) => {
    const { port } = server.server;
    const tls = { ca: server.pki("ca.crt"), cert: server.pki("admin.crt"), key: server.pki("admin.key") };
    const headers = { accept, ...(body ? { "content-type": PROTOBUF, "content-length": body.length } : {}) };
    const sent = httpsRequest({ host: "127.0.0.1", port, path, method, headers, ...tls }, (response) => {
      let bytes = Buffer.alloc(0);
      const done = () => {
        const { statusCode: status = 0, headers } = response;
        resolve({ status, type: headers["content-type"] ?? "", bytes });
        sent.destroy();
      };
      response.on("data", (chunk: Buffer) => {
        bytes = Buffer.concat([bytes, chunk]);
        if (enough(bytes)) done();
      });
      response.on("end", done);
    });
    sent.on("error", reject);
    sent.end(body);
  });
}

/** The events in a stream of frames, read by hand: a length, `type` (1), `object` (2) with `raw` (1) in it. */
function events(stream: Buffer): { type: string; object: Record<string, unknown> }[] {
  const found: { type: string; object: Record<string, unknown> }[] = [];
  for (let at = 0; at + 4 <= stream.length; ) {
    const length = stream.readUInt32BE(at);
    const frame = stream.subarray(at + 4, at + 4 + length);
    if (frame.length < length) break;
    const [type, object] = [field(frame, 0x0a), field(frame, 0x12)];
    found.push({ type: type.toString(), object: decode(field(object, 0x0a)) });
    at += 4 + length;
  }
  return found;
}

/** The bytes of the first field with that tag; all fields are length-delimited. */
function field(message: Buffer, tag: number): Buffer {
  for (let at = 0; at < message.length; ) {
    const found = message[at++];
    let length = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = message[at++] ?? 0;
      length |= (byte & 0x7f) << shift;
      if (byte < 0x80) break;
    }
    if (found === tag) return message.subarray(at, at + length);
    at += length;
  }
  throw new Error(`no field ${tag}`);
}

const bodyOf = (name: string, data: Record<string, string>) => {
  const object = { apiVersion: "v1", kind: "ConfigMap", metadata: { name }, data };
  return Buffer.from(encodeProtobuf(object, "io.k8s.api.core.v1.ConfigMap", messageType));
};
const create = (name: string) => ask(PATH, { method: "POST", body: bodyOf(name, { a: "b" }) });

describe("golden bytes", () => {
  test("a Status: magic, TypeMeta, then its fields by number", () => {
    const status = {
      kind: "Status",
      apiVersion: "v1",
      metadata: {},
      status: "Failure",
      message: "no",
      reason: "Gone",
      code: 410,
    };
    expect(Buffer.from(encodeDocument(status)!)).toEqual(
      hex(`6b387300
        0a0c 0a027631 1206537461747573
        1218 0a00 1207 4661696c757265 1a02 6e6f 2204 476f6e65 309a03
        1a00 2200`),
    );
  });

  test("a watch event: the length, then a WatchEvent without an envelope around an object that has one", () => {
    const object = { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "a" } };
    expect(encodeWatchEvent("ADDED", object)).toEqual(
      hex(`0000002b
        0a05 4144444544
        1222 0a20
        6b387300 0a0f 0a027631 1209436f6e6669674d6170 1205 0a03 0a0161 1a00 2200`),
    );
  });
});

test("a frame is made once, however many watchers it goes to", () => {
  let made = 0;
  const lines = createProtobufLines((type, object) => {
    made++;
    return encodeWatchEvent(type, object);
  });
  const object = { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "a" } } as KubeObject;
  const entry = { object, json: JSON.stringify(object) };
  const [one, other] = [lines.plain("ADDED", entry).line(), lines.plain("ADDED", entry).line()];
  expect([other, made]).toEqual([one, 1]);
  expect(other).toBe(one);
  lines.plain("DELETED", entry).line();
  expect(made).toBe(2);
});

describe("objects", () => {
  test("a create, a get and a list are answered in protobuf", async () => {
    const made = await create("one");
    expect([made.status, made.type]).toEqual([201, PROTOBUF]);
    expect(decode(made.bytes)).toMatchObject({
      apiVersion: "v1",
      kind: "ConfigMap",
      metadata: { name: "one" },
      data: { a: "b" },
    });
    const got = await ask(`${PATH}/one`);
    expect([got.status, got.bytes]).toEqual([200, made.bytes]);
    const listed = decode((await ask(PATH)).bytes);
    expect(listed).toMatchObject({ kind: "ConfigMapList", items: [{ metadata: { name: "one" } }] });
    const removed = await ask(`${PATH}/one`, { method: "DELETE" });
    expect(decode(removed.bytes)).toMatchObject({
      kind: "Status",
      status: "Success",
      details: { name: "one" },
    });
  });

  test("metadata alone, in both versions of its list", async () => {
    await create("two");
    const one = decode((await ask(`${PATH}/two`, { accept: PROTOBUF + PARTIAL })).bytes);
    expect(one).toMatchObject({ apiVersion: "meta.k8s.io/v1", kind: "PartialObjectMetadata" });
    expect(one).toMatchObject({ metadata: { name: "two", namespace: "default" } });
    expect(one).not.toHaveProperty("data");
    for (const version of ["v1", "v1beta1"]) {
      const accept = `${PROTOBUF};as=PartialObjectMetadataList;g=meta.k8s.io;v=${version}`;
      const { type, bytes } = await ask(PATH, { accept });
      expect([type, decode(bytes)]).toMatchObject([
        PROTOBUF,
        {
          apiVersion: `meta.k8s.io/${version}`,
          kind: "PartialObjectMetadataList",
          metadata: { resourceVersion: expect.stringMatching(/^\d+$/) },
          items: [{ metadata: { name: "two" } }],
        },
      ]);
    }
    await ask(`${PATH}/two`, { method: "DELETE" });
  });

  test("no message, no answer: tables and kubemu's own kinds are 406", async () => {
    const table = await ask(PATH, { accept: `${PROTOBUF};as=Table;g=meta.k8s.io;v=v1` });
    expect([table.status, table.type]).toEqual([406, "application/json"]);
    for (const query of ["", "?watch=true"]) {
      const own = await ask(`/apis/kubemu.dev/v1alpha1/faults${query}`);
      expect([own.status, decode(own.bytes)["reason"]]).toEqual([406, "NotAcceptable"]);
    }
  });

  test("who takes JSON as well is given JSON", async () => {
    const both = `${PROTOBUF}, application/json`;
    for (const path of [PATH, `${PATH}/none`, "/api", "/apis"])
      expect((await ask(path, { accept: both })).type).toBe("application/json");
  });
});

test("errors are Statuses in protobuf, in JSON where only metadata was asked for", async () => {
  await create("taken");
  const invalid = { method: "POST", body: bodyOf("Not_a_name", {}) };
  const answers = [
    await ask(`${PATH}/none`),
    await create("taken"),
    await ask(PATH, invalid),
    await ask("/apis/no.such.group/v1"),
  ];
  expect(answers.map(({ type }) => type)).toEqual(answers.map(() => PROTOBUF));
  const told = answers.map(({ status, bytes }) => [status, decode(bytes)]);
  expect(told).toMatchObject([
    [404, { apiVersion: "v1", kind: "Status", reason: "NotFound", code: 404, details: { name: "none" } }],
    [409, { reason: "AlreadyExists", message: 'configmaps "taken" already exists' }],
    [422, { reason: "Invalid", details: { causes: [{ field: "metadata.name" }] } }],
    [404, { reason: "NotFound" }],
  ]);
  const partial = await ask(`${PATH}/none`, { accept: PROTOBUF + PARTIAL });
  expect([partial.status, partial.type]).toEqual([404, "application/json"]);
});

describe("watch", () => {
  const count = (most: number) => (bytes: Buffer) => events(bytes).length >= most;
  const told = (bytes: Buffer) =>
    events(bytes).map(({ type, object }) => [type, (object["metadata"] as { name?: string }).name]);

  test("tells ADDED, BOOKMARK, MODIFIED and DELETED", async () => {
    await create("seen");
    const query =
      "?watch=true&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true";
    const fields = "&fieldSelector=metadata.name%3Dseen";
    let begun = false;
    const answer = await ask(`${PATH}${query}${fields}`, {
      enough: (bytes) => {
        if (!begun && count(2)(bytes)) {
          begun = true;
          const at = `${PATH}/seen`;
          void ask(at, { method: "PUT", body: bodyOf("seen", { a: "c" }) }).then(() =>
            ask(at, { method: "DELETE" }),
          );
        }
        return count(4)(bytes);
      },
    });
    expect([answer.status, answer.type]).toEqual([200, `${PROTOBUF};stream=watch`]);
    expect(told(answer.bytes)).toEqual([
      ["ADDED", "seen"],
      ["BOOKMARK", undefined],
      ["MODIFIED", "seen"],
      ["DELETED", "seen"],
    ]);
    const [, bookmark, modified] = events(answer.bytes);
    expect(bookmark?.object).toMatchObject({
      kind: "ConfigMap",
      metadata: { annotations: { "k8s.io/initial-events-end": "true" } },
    });
    expect(modified?.object).toMatchObject({ kind: "ConfigMap", data: { a: "c" } });
  });

  test("of metadata alone sends nothing else, bookmarks included", async () => {
    await create("bare");
    const query =
      "?watch=true&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true";
    const { bytes } = await ask(`${PATH}${query}&fieldSelector=metadata.name%3Dbare`, {
      accept: `${PROTOBUF};stream=watch${PARTIAL}`,
      enough: count(2),
    });
    expect(events(bytes)).toMatchObject([
      { type: "ADDED", object: { kind: "PartialObjectMetadata", metadata: { name: "bare" } } },
      { type: "BOOKMARK", object: { apiVersion: "meta.k8s.io/v1", kind: "PartialObjectMetadata" } },
    ]);
  });

  test("says in an ERROR with a Status that it is asked for the future", async () => {
    const from = server.store.revision + 1000;
    const query = `?watch=true&resourceVersion=${from}&sendInitialEvents=true&resourceVersionMatch=NotOlderThan`;
    const { bytes } = await ask(PATH + query);
    expect(events(bytes)).toMatchObject([
      { type: "ERROR", object: { apiVersion: "v1", kind: "Status", reason: "Timeout", code: 504 } },
    ]);
  });
});

describe("discovery", () => {
  test.each([
    ["/api", { kind: "APIVersions", versions: ["v1"] }],
    [
      "/apis",
      { kind: "APIGroupList", groups: expect.arrayContaining([expect.objectContaining({ name: "apps" })]) },
    ],
    [
      "/apis/apps",
      { kind: "APIGroup", name: "apps", preferredVersion: { groupVersion: "apps/v1", version: "v1" } },
    ],
  ])("%s", async (path, expected) => {
    const { status, type, bytes } = await ask(path);
    expect([status, type]).toEqual([200, PROTOBUF]);
    expect(decode(bytes)).toMatchObject(expected);
  });

  test("of a version says the same as JSON", async () => {
    const { bytes } = await ask("/api/v1");
    const { resources } = decode(bytes) as { resources: { name: string }[] };
    const json = (await server.https("GET", "/api/v1")).json() as { resources: { name: string }[] };
    expect(resources).toEqual(json.resources);
  });

  test("aggregated says the same as JSON", async () => {
    const as = ";g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList";
    const { status, type, bytes } = await ask("/apis", { accept: PROTOBUF + as });
    expect([status, type]).toEqual([200, PROTOBUF + as]);
    const headers = { accept: `application/json${as}` };
    const json = (await server.https("GET", "/apis", { headers })).json() as {
      items: { metadata: object }[];
    };
    const items = json.items.map((item) => {
      const { creationTimestamp: _, ...metadata } = item.metadata as Record<string, unknown>;
      return { ...item, metadata };
    });
    expect(decode(bytes)).toEqual({ ...json, items });
  });
});
