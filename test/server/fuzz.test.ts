// Whatever a client sends, the server answers: no request is answered with 5xx, logged as our own fault, or ends the server.
import fc from "fast-check";
import { afterAll, beforeAll, expect, it } from "vitest";
import type { AnyKind } from "../../src/api/kind.ts";
import type { KubeObject } from "../../src/api/object.ts";
import { builtinKinds } from "../../src/api/registry.ts";
import { apiVersionOf, pathOf } from "../../src/api/resource.ts";
import type { FieldSchema } from "../../src/api/schema.ts";
import { startTestServer, type TestServer } from "./harness.ts";

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server.stop());

const DEEPEST = 9;
const strange = fc.constantFrom<unknown>(null, "", 0, -1, 2 ** 40, true, [], {}, [null], "__proto__", {
  a: { b: 1 },
});
const text = fc.constantFrom(
  "",
  "a",
  "web",
  "A_b",
  "1",
  "-1",
  "50%",
  "x/y",
  "kubernetes.io/x",
  "__proto__",
  "☃",
  "a".repeat(300),
);
const number = fc.constantFrom(0, 1, -1, 80, 65536, 2 ** 31);
const quantity = fc.constantFrom<string | number>("1", "-1", "100m", "1Gi", "1e400", "much", 0.5);

/** A value for a field: mostly of its type, often incomplete, sometimes of none. */
function valueFor(field: FieldSchema, depth: number): fc.Arbitrary<unknown> {
  return fc.oneof({ weight: 15, arbitrary: ofType(field, depth) }, { weight: 1, arbitrary: strange });
}

function ofType(field: FieldSchema, depth: number): fc.Arbitrary<unknown> {
  if (field.ref) return ofRef(field.ref, depth);
  switch (field.type) {
    case "string":
      return text;
    case "integer":
    case "number":
      return number;
    case "boolean":
      return fc.boolean();
    case "array":
      return fc.array(valueFor(field.items ?? {}, depth + 1), { maxLength: 3 });
    default:
      return field.values ? fc.dictionary(text, valueFor(field.values, depth + 1), { maxKeys: 3 }) : strange;
  }
}

function ofRef(ref: string, depth: number): fc.Arbitrary<unknown> {
  const fields = server.registry.lookup(ref)?.fields;
  if (ref.endsWith(".Quantity")) return quantity;
  if (ref.endsWith(".IntOrString")) return fc.oneof(number, text);
  if (ref.endsWith("Time")) return fc.constantFrom("2026-01-01T00:00:00Z", "yesterday", null);
  if (!fields || depth > DEEPEST) return fc.constant({});
  const names = Object.keys(fields).filter(
    (name) => !["apiVersion", "kind", "metadata"].includes(name) || depth > 1,
  );
  const needed = names.filter((name) => fields[name]?.required);
  const chosen = fc.tuple(
    fc.subarray(names, { maxLength: Math.min(4, names.length) }),
    fc.integer({ min: 0, max: 9 }),
  );
  return chosen.chain(([some, dice]) => {
    const taken = [...new Set([...some, ...(dice > 2 ? needed : [])])];
    return fc.record(
      Object.fromEntries(taken.map((name) => [name, valueFor(fields[name] as FieldSchema, depth + 1)])),
    );
  });
}

let made = 0;
function draftOf({ resource }: AnyKind, body: unknown): KubeObject {
  const metadata = { name: `fuzz-${++made}`, ...(resource.namespaced ? { namespace: "default" } : {}) };
  return {
    ...(body as object),
    apiVersion: apiVersionOf(resource),
    kind: resource.kind,
    metadata,
  } as KubeObject;
}

it.each(builtinKinds.map((kind) => [kind.resource.kind, kind] as const))(
  "%s: any object is taken or refused, by create, update, status and patch",
  async (_, kind) => {
    const { resource } = kind;
    server.errors.splice(0);
    await fc.assert(
      fc.asyncProperty(ofRef(kind.schema, 0), ofRef(kind.schema, 0), async (first, second) => {
        const draft = draftOf(kind, first);
        const path = pathOf(resource, draft.metadata);
        const send = async (
          method: "POST" | "PUT" | "PATCH" | "GET",
          to: string,
          body?: unknown,
          contentType?: string,
        ) => {
          const answer = await server.transport.request({
            method,
            path: to,
            ...(body === undefined ? {} : { body }),
            ...(contentType ? { contentType } : {}),
          });
          expect(answer.status, JSON.stringify(answer.body)).toBeLessThan(500);
          return answer;
        };
        const created = await send("POST", pathOf(resource, { namespace: draft.metadata.namespace }), draft);
        if (created.status !== 201) return;
        const accept = "application/json;as=Table;v=v1;g=meta.k8s.io";
        expect((await server.https("GET", path, { headers: { accept } })).status).toBe(200);
        const changed = { ...(second as object), metadata: draft.metadata };
        await send("PUT", path, changed);
        if (kind.hasStatus) await send("PUT", `${path}/status`, changed);
        await send("PATCH", path, second, "application/merge-patch+json");
        await send("PATCH", path, second, "application/strategic-merge-patch+json");
        await send(
          "PATCH",
          `${path}`,
          { ...(second as object), metadata: {} },
          "application/apply-patch+yaml",
        );
        await server.transport.request({ method: "DELETE", path, body: { gracePeriodSeconds: 0 } });
      }),
      { numRuns: 30 },
    );
    expect(server.errors).toEqual([]);
  },
);

/** Bodies in which one struct is there and empty, or one list holds an empty item: one for each that the kind has. */
function* sparse(ref: string, above: readonly string[] = []): Generator<unknown> {
  if (above.includes(ref)) return;
  const fields = server.registry.lookup(ref)?.fields ?? {};
  for (const [name, { ref: struct, items, values }] of Object.entries(fields)) {
    if (name === "metadata" && above.length === 0) continue;
    const inner = struct ?? items?.ref ?? values?.ref;
    if (inner === undefined || !server.registry.lookup(inner)?.fields) continue;
    const wrap = (value: unknown) => ({ [name]: struct ? value : items ? [value] : { a: value } });
    yield wrap({});
    for (const body of sparse(inner, [...above, ref])) yield wrap(body);
  }
}

it.each(builtinKinds.map((kind) => [kind.resource.kind, kind] as const))(
  "%s: what is there and empty is no fault of the server",
  async (_, kind) => {
    server.errors.splice(0);
    for (const body of sparse(kind.schema)) {
      const draft = draftOf(kind, body);
      const path = pathOf(kind.resource, { namespace: draft.metadata.namespace });
      const request = { method: "POST", path, query: { dryRun: "All" }, body: draft } as const;
      const { status } = await server.transport.request(request);
      expect(status, JSON.stringify(draft)).toBeLessThan(500);
    }
    expect(server.errors).toEqual([]);
  },
);
