import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decodeObject } from "../../../../src/api/decode.ts";
import { decodeProtobuf, encodeProtobuf } from "../../../../src/api/protobuf/codec.ts";
import { type FieldSchema, kubernetesType, kubernetesTypes } from "../../../../src/api/schema.ts";
import { isOmittedWhenZero, isZero } from "../../../../src/api/zero-values.ts";
// Request bodies as kubectl 1.33 sent them for `create deployment`, `create secret` and so on, and what they say.
import bodies from "./kubectl-bodies.json" with { type: "json" };

const bytesOf = (hex: string) => Uint8Array.from(Buffer.from(hex.replace(/\s/g, ""), "hex"));
const roundTrip = (object: Record<string, unknown>, schema: string) =>
  decodeProtobuf(encodeProtobuf(object, schema, kubernetesType), kubernetesType, () => schema).object;

/** Values of a type, three levels deep, without what Go would leave out. */
function valueOfType(name: string, depth: number): fc.Arbitrary<unknown> {
  const type = kubernetesTypes[name];
  if (!type) return fc.constant({});
  switch (name.slice(name.lastIndexOf(".") + 1)) {
    case "Time":
      return fc
        .integer({ min: 1, max: 4e9 })
        .map((s) => new Date(s * 1000).toISOString().replace(".000", ""));
    case "MicroTime":
      return fc.integer({ min: 1, max: 4e12 }).map((ms) => new Date(ms).toISOString().replace("Z", "000Z"));
    case "Quantity":
      return fc.constantFrom("0", "100m", "1Gi", "12");
    case "IntOrString":
      return fc.oneof(fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }), fc.string({ unit: "grapheme" }));
    case "JSONSchemaPropsOrArray":
      return fc.constantFrom({ type: "string" }, [{ type: "string" }, {}]);
    case "JSONSchemaPropsOrBool":
      return fc.constantFrom(true, false, { type: "string" });
    case "JSONSchemaPropsOrStringArray":
      return fc.constantFrom(["a", "b"], { type: "string" });
    case "JSON":
      return fc.constantFrom<unknown>(1, "a", [1], { a: null });
  }
  if (!type.fields) return type.wireSelf ? fc.dictionary(fc.string(), fc.integer()) : fc.constant({});
  if (depth === 0) return fc.constant({});
  const fields = Object.entries(type.fields).filter(([, field]) => field.wire);
  const shape = Object.fromEntries(
    fields.map(([key, field]) => [
      key,
      fieldValue(field, depth).filter(
        (value) =>
          !(
            isZero(value) &&
            (isOmittedWhenZero(name, key, field) || Array.isArray(value) || field.type === "object")
          ),
      ),
    ]),
  );
  return fc.record(shape, { requiredKeys: [], noNullPrototype: true });
}

function fieldValue(field: FieldSchema, depth: number): fc.Arbitrary<unknown> {
  if (field.ref) return valueOfType(field.ref, depth - 1);
  switch (field.type) {
    case "string":
      return field.format === "byte"
        ? fc.uint8Array().map((bytes) => Buffer.from(bytes).toString("base64"))
        : fc.string({ unit: "grapheme" });
    case "integer":
      return field.format === "int32" ? fc.integer() : fc.maxSafeInteger();
    case "number":
      return fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => (value === 0 ? 0 : value));
    case "boolean":
      return fc.boolean();
    case "array":
      return fc.array(fieldValue(field.items ?? {}, depth), { maxLength: 3 });
    default:
      return fc.dictionary(fc.string(), fieldValue(field.values ?? {}, depth), {
        maxKeys: 3,
        noNullPrototype: true,
      });
  }
}

describe("protobuf codec", () => {
  it("gives every type of the table back as it was", { timeout: 120_000 }, () => {
    for (const name of Object.keys(kubernetesTypes)) {
      if (!kubernetesTypes[name]?.fields) continue;
      fc.assert(
        fc.property(valueOfType(name, 3), (value) => {
          const object = { ...(value as Record<string, unknown>), apiVersion: "v1", kind: "K" };
          expect(roundTrip(object, name)).toEqual(object);
        }),
        { numRuns: 4, seed: 7 },
      );
    }
  });

  it("reads what Go writes: zero values that nobody set are left out, set pointers stay", () => {
    // As client-go encodes a Namespace "a": metadata with every plain field, spec and status empty.
    const meta = "0a0161 1200 1a00 2200 2a00 3200 3800 4200";
    const body = `0a${bytesOf(meta).length.toString(16).padStart(2, "0")} ${meta} 1200 1a020a00`;
    const raw = bytesOf(body);
    const typeMeta = bytesOf("0a027631 12094e616d657370616365");
    const bytes = Uint8Array.from([
      ...bytesOf("6b387300"),
      0x0a,
      typeMeta.length,
      ...typeMeta,
      0x12,
      raw.length,
      ...raw,
      ...bytesOf("1a002200"),
    ]);
    const { apiVersion, kind, object } = decodeProtobuf(bytes, kubernetesType, (version, name) =>
      version === "v1" && name === "Namespace" ? "io.k8s.api.core.v1.Namespace" : undefined,
    );
    expect([apiVersion, kind]).toEqual(["v1", "Namespace"]);
    expect(object).toEqual({
      apiVersion: "v1",
      kind: "Namespace",
      metadata: { name: "a" },
      spec: {},
      status: {},
    });
    const deployment = {
      apiVersion: "apps/v1",
      kind: "Deployment",
      spec: { replicas: 0, paused: false, minReadySeconds: 0 },
    };
    expect(roundTrip(deployment, "io.k8s.api.apps.v1.Deployment")).toEqual({
      apiVersion: "apps/v1",
      kind: "Deployment",
      spec: { replicas: 0 },
    });
  });

  it.each(bodies)("reads the $kind that kubectl 1.33 creates", ({ base64, object }) => {
    const schemaOf = (apiVersion: string, kind: string) =>
      Object.keys(kubernetesTypes).find((name) =>
        kubernetesTypes[name]?.gvk?.some(
          ([group, version, one]) => one === kind && apiVersion === (group ? `${group}/${version}` : version),
        ),
      );
    const decoded = decodeProtobuf(Buffer.from(base64, "base64"), kubernetesType, schemaOf);
    expect(decoded.object).toEqual(object);
    const { object: again, unknownFields } = decodeObject(
      decoded.object,
      schemaOf(decoded.apiVersion, decoded.kind) ?? "",
      kubernetesType,
    );
    expect(again).toEqual(object);
    expect(unknownFields).toEqual([]);
  });

  it("gives long lists and long texts back as they were, whatever their lengths take to write", () => {
    const text = (length: number) => "é".repeat(length);
    const items = [...Array(1001).keys()].map((index) => ({
      metadata: { name: `m-${index}` },
      data: { [text(index % 130)]: text(index === 7 ? 2 ** 20 : 60 + (index % 10)) },
    }));
    const list = { apiVersion: "v1", kind: "ConfigMapList", metadata: { resourceVersion: "7" }, items };
    expect(roundTrip(list, "io.k8s.api.core.v1.ConfigMapList")).toEqual(list);
  });

  it("keeps keys like __proto__ ordinary", () => {
    const labels = JSON.parse('{"__proto__":"x"}');
    const { metadata } = roundTrip({ metadata: { labels } }, "io.k8s.api.core.v1.Pod");
    expect(Object.keys((metadata as { labels: object }).labels)).toEqual(["__proto__"]);
  });

  it.each([
    ["7b7d", "must begin with 6b387300"],
    ["6b387300 0a05 0a", "unexpected EOF"],
    ["6b387300 0a00", 'no kind "" is registered'],
    ["6b387300 ffffffffffffffffffffffff", "integer overflow"],
  ])("says 400 for %s", (hex, message) => {
    const decode = () => decodeProtobuf(bytesOf(hex), kubernetesType, () => undefined);
    expect(decode).toThrow(message);
    expect(decode).toThrow(expect.objectContaining({ code: 400 }));
  });

  it("never fails with anything but 400, whatever the bytes", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), (noise) => {
        const bytes = Uint8Array.from([...bytesOf("6b387300 12"), noise.length, ...noise]);
        try {
          decodeProtobuf(bytes, kubernetesType, () => "io.k8s.api.core.v1.Pod");
        } catch (error) {
          expect(error).toMatchObject({ code: 400 });
        }
      }),
    );
  });
});
