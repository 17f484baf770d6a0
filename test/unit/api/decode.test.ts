import { describe, expect, it } from "vitest";
import { decodeObject, strictDecodingError } from "../../../src/api/decode.ts";
import { kubernetesType } from "../../../src/api/schema.ts";

const DEPLOYMENT = "io.k8s.api.apps.v1.Deployment";
const POD = "io.k8s.api.core.v1.Pod";
const SECRET = "io.k8s.api.core.v1.Secret";
const decode = (value: unknown, schema = POD) => decodeObject(value, schema, kubernetesType);
const failure =
  (value: unknown, schema = POD) =>
  () =>
    decode(value, schema);

describe("decodeObject", () => {
  it("prunes unknown fields and says where they were", () => {
    const { object, unknownFields } = decode({
      kind: "Pod",
      foo: 1,
      metadata: { name: "a", labels: { x: "1" } },
      spec: { containers: [{ name: "c" }, { name: "d", imagee: "x", env: [{ name: "A", val: 1 }] }] },
    });
    expect(unknownFields).toEqual(["foo", "spec.containers[1].imagee", "spec.containers[1].env[0].val"]);
    expect(object).toEqual({
      kind: "Pod",
      metadata: { name: "a", labels: { x: "1" } },
      spec: { containers: [{ name: "c" }, { name: "d", env: [{ name: "A" }] }] },
    });
  });

  it("leaves out what Go would not write back, and keeps what it would", () => {
    const given = {
      metadata: { name: "a", creationTimestamp: null, labels: {}, namespace: "" },
      spec: {
        replicas: 0,
        paused: false,
        minReadySeconds: 0,
        revisionHistoryLimit: 0,
        selector: {},
        template: {},
      },
      status: {},
    };
    expect(decode(given, DEPLOYMENT).object).toEqual({
      metadata: { name: "a" },
      spec: { replicas: 0, revisionHistoryLimit: 0, selector: {}, template: {} },
      status: {},
    });
    const volume = { name: "v", emptyDir: {}, hostPath: null };
    const pod = {
      spec: { enableServiceLinks: false, hostNetwork: false, containers: [], volumes: [volume] },
    };
    expect(decode(pod).object).toEqual({
      metadata: {},
      spec: { enableServiceLinks: false, containers: [], volumes: [{ name: "v", emptyDir: {} }] },
    });
  });

  it("has Go's zero value for a null in a list or a map", () => {
    const pod = {
      metadata: { labels: { a: null } },
      spec: { containers: [null, { name: "c", args: [null] }] },
    };
    expect(decode(pod).object).toEqual({
      metadata: { labels: { a: "" } },
      spec: { containers: [{}, { name: "c", args: [""] }] },
    });
  });

  it("writes quantities and times canonically", () => {
    const resources = { limits: { cpu: 1, memory: "1024Mi" }, requests: { cpu: "0.1" } };
    const pod = {
      metadata: { creationTimestamp: "2026-01-02T03:04:05.678+02:00" },
      spec: { containers: [{ name: "c", resources }] },
    };
    expect(decode(pod).object).toEqual({
      metadata: { creationTimestamp: "2026-01-02T01:04:05Z" },
      spec: {
        containers: [
          { name: "c", resources: { limits: { cpu: "1", memory: "1Gi" }, requests: { cpu: "100m" } } },
        ],
      },
    });
    const lease = { spec: { renewTime: "2026-01-02T03:04:05.6Z" } };
    expect(decode(lease, "io.k8s.api.coordination.v1.Lease").object).toMatchObject({
      spec: { renewTime: "2026-01-02T03:04:05.600000Z" },
    });
  });

  it.each([
    [
      { kind: "Deployment", apiVersion: "apps/v1", spec: { replicas: "x" } },
      DEPLOYMENT,
      'Deployment in version "v1" cannot be handled as a Deployment: json: cannot unmarshal string into Go struct field DeploymentSpec.spec.replicas of type int32',
    ],
    [
      { kind: "Pod", apiVersion: "v1", spec: { containers: [{ image: 5 }] } },
      POD,
      'Pod in version "v1" cannot be handled as a Pod: json: cannot unmarshal number into Go struct field Container.spec.containers.image of type string',
    ],
    [
      { spec: { containers: {} } },
      POD,
      "into Go struct field PodSpec.spec.containers of type []v1.Container",
    ],
    [{ spec: [] }, POD, "cannot unmarshal array into Go struct field Pod.spec of type v1.PodSpec"],
    [[], POD, "cannot unmarshal array into Go value of type v1.Pod"],
    [
      { metadata: { labels: { a: 1 } } },
      POD,
      "cannot unmarshal number into Go struct field ObjectMeta.metadata.labels of type string",
    ],
    [{ metadata: { labels: "a" } }, POD, "ObjectMeta.metadata.labels of type map[string]string"],
    [{ spec: { replicas: 3e9 } }, DEPLOYMENT, "cannot unmarshal number 3000000000 into Go struct field"],
    [{ spec: { replicas: 1.5 } }, DEPLOYMENT, "cannot unmarshal number 1.5 into Go struct field"],
    [
      { spec: { hostNetwork: "true" } },
      POD,
      "cannot unmarshal string into Go struct field PodSpec.spec.hostNetwork of type bool",
    ],
    [{ data: { a: "!!!!" } }, SECRET, "illegal base64 data at input byte 0"],
    [{ data: { a: "YWJj!" } }, SECRET, "illegal base64 data at input byte 4"],
    [{ data: { a: "YWJ" } }, SECRET, "illegal base64 data at input byte 3"],
    [
      { spec: { containers: [{ resources: { limits: { cpu: "x" } } }] } },
      POD,
      "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'",
    ],
    [
      { metadata: { creationTimestamp: "now" } },
      POD,
      'parsing time "now" as "2006-01-02T15:04:05Z07:00": cannot parse "now" as "2006"',
    ],
  ])("refuses %j in Go's words", (value, schema, message) => {
    expect(failure(value, schema)).toThrow(message);
    expect(failure(value, schema)).toThrow(expect.objectContaining({ code: 400 }));
  });

  it("treats __proto__ and constructor as ordinary keys", () => {
    const labels = JSON.parse('{"__proto__":"a","constructor":"b"}');
    const spec = JSON.parse('{"__proto__":{"x":1},"constructor":1,"containers":[]}');
    const { object, unknownFields } = decode({ metadata: { labels }, spec });
    expect(Object.entries(object.metadata.labels ?? {})).toEqual([
      ["__proto__", "a"],
      ["constructor", "b"],
    ]);
    expect(unknownFields).toEqual(["spec.__proto__", "spec.constructor"]);
    expect(({} as Record<string, unknown>)["x"]).toBeUndefined();
  });

  it("gives up on absurd depth instead of overflowing", () => {
    let deep: unknown = {};
    for (let i = 0; i < 5_000; i++) deep = { not: deep };
    const value = { spec: { versions: [{ name: "v1", schema: { openAPIV3Schema: deep } }] } };
    const crd = "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceDefinition";
    expect(failure(value, crd)).toThrow("exceeded max depth");
  });

  it("words strict decoding as kube-apiserver does", () => {
    const value = { apiVersion: "apps/v1", kind: "Deployment", spec: { x: 1 } };
    const { unknownFields } = decode(value, DEPLOYMENT);
    const error = strictDecodingError(value, DEPLOYMENT, { unknownFields, duplicateFields: ["spec.y"] });
    expect(error?.message).toBe(
      'Deployment in version "v1" cannot be handled as a Deployment: strict decoding error: duplicate field "spec.y", unknown field "spec.x"',
    );
    expect(strictDecodingError(value, DEPLOYMENT, { unknownFields: [] })).toBeUndefined();
  });
});
