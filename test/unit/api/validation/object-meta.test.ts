import { describe, expect, it } from "vitest";
import type { ObjectMeta } from "../../../../src/api/object.ts";
import { validateObjectMeta, validateObjectMetaUpdate } from "../../../../src/api/validation/object-meta.ts";

const meta = (more: Partial<ObjectMeta> = {}): ObjectMeta => ({
  name: "web",
  namespace: "default",
  uid: "u",
  resourceVersion: "1",
  creationTimestamp: "2026-01-02T03:04:05Z",
  ...more,
});
const told = (
  more: Partial<ObjectMeta>,
  nameRule: "dns-subdomain" | "dns-label" | "dns-1035-label" = "dns-subdomain",
) =>
  validateObjectMeta(meta(more), { namespaced: true, nameRule }).map(
    ({ field, message }) => `${field}: ${message}`,
  );
const subdomain =
  "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";

describe("validateObjectMeta", () => {
  it("finds nothing wrong with ordinary metadata", () => {
    expect(
      told({
        labels: { app: "web", "example.com/tier": "" },
        annotations: { "Example.com/Any": "thing" },
        finalizers: ["example.com/hold", "foregroundDeletion"],
        ownerReferences: [
          { apiVersion: "apps/v1", kind: "ReplicaSet", name: "web", uid: "u", controller: true },
        ],
      }),
    ).toEqual([]);
  });

  it("explains names as Kubernetes does", () => {
    expect(told({ name: "Web_1" })).toEqual([`metadata.name: Invalid value: "Web_1": ${subdomain}`]);
    expect(told({ name: "" })).toEqual(["metadata.name: Required value: name or generateName is required"]);
    expect(told({ name: "a.b" }, "dns-label")).toEqual([
      'metadata.name: Invalid value: "a.b": must not contain dots',
    ]);
    expect(told({ name: "1a" }, "dns-1035-label")[0]).toContain("a DNS-1035 label must consist of");
    expect(told({ name: "a".repeat(254) })).toEqual([
      `metadata.name: Invalid value: "${"a".repeat(254)}": must be no more than 253 bytes`,
    ]);
    expect(told({ generateName: "web-" })).toEqual([]);
  });

  it("tells several findings at once", () => {
    expect(
      told({
        labels: { "-a": "b c" },
        finalizers: ["mine"],
        annotations: { big: "x".repeat(256 * 1024) },
      }).map((text) => text.split(":")[0]),
    ).toEqual(["metadata.labels", "metadata.labels", "metadata.annotations", "metadata.finalizers[0]"]);
  });

  it("allows one controller only", () => {
    const owner = (name: string) => ({ apiVersion: "v1", kind: "Pod", name, uid: name, controller: true });
    const [text] = told({ ownerReferences: [owner("a"), owner("b")] });
    expect(text).toContain(
      'Only one reference can have Controller set to true. Found "true" in references for Pod/a and Pod/b',
    );
  });

  it("knows which kinds have namespaces", () => {
    const errors = validateObjectMeta(meta(), { namespaced: false, nameRule: "dns-subdomain" });
    expect(errors.map(({ message }) => message)).toEqual(["Forbidden: not allowed on this type"]);
    expect(told({ namespace: undefined as unknown as string })).toEqual([
      "metadata.namespace: Required value",
    ]);
  });
});

describe("validateObjectMetaUpdate", () => {
  const update = (next: Partial<ObjectMeta>, old: Partial<ObjectMeta> = {}) =>
    validateObjectMetaUpdate(meta(next), meta(old)).map(({ field, message }) => `${field}: ${message}`);

  it("keeps identity", () => {
    expect(update({})).toEqual([]);
    expect(update({ uid: "other" })).toEqual(['metadata.uid: Invalid value: "other": field is immutable']);
  });

  it("lets no finalizer be added to what is being deleted", () => {
    const deletionTimestamp = "2026-01-02T03:04:06Z";
    expect(update({ deletionTimestamp, finalizers: ["a.b/c"] }, { deletionTimestamp })).toEqual([
      'metadata.finalizers: Forbidden: no new finalizers can be added if the object is being deleted, found new finalizers []string{"a.b/c"}',
    ]);
    expect(update({ deletionTimestamp }, { deletionTimestamp, finalizers: ["a.b/c"] })).toEqual([]);
  });
});
