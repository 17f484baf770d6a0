import { describe, expect, it } from "vitest";
import { typedErrorsInParts } from "../../../../src/api/patch/typed-errors.ts";
import { kubernetesType } from "../../../../src/api/schema.ts";
import { whole } from "../../../../src/base/parts.ts";

const errorsOf = (container: object, spec: object = {}, rest: object = {}) =>
  whole(
    typedErrorsInParts(
      {
        apiVersion: "apps/v1",
        kind: "Deployment",
        spec: { ...spec, template: { spec: { containers: [{ name: "a", ...container }] } } },
        ...rest,
      },
      "io.k8s.api.apps.v1.Deployment",
      kubernetesType,
    ),
  );
const AT = '.spec.template.spec.containers[name="a"]';

describe("what is applied", () => {
  it("is typed", () => {
    const container = {
      ports: [{ containerPort: 80 }, { containerPort: 80, protocol: "UDP" }],
      env: [{ name: "A", value: "1" }, { name: "B" }],
      resources: { limits: { cpu: 1, memory: "1Gi" } },
      livenessProbe: { httpGet: { port: "http" } },
      args: ["a", "a"],
      stdin: true,
    };
    const strategy = { rollingUpdate: { maxSurge: 1, maxUnavailable: "25%" } };
    expect(errorsOf(container, { replicas: 3, paused: null, strategy })).toEqual([]);
  });

  it.each<[object, object, string]>([
    [{}, { replicas: "3" }, ".spec.replicas: expected numeric (int or float), got string"],
    [{}, { replicas: true }, ".spec.replicas: expected numeric (int or float), got bool"],
    [{}, { paused: "no" }, ".spec.paused: expected boolean, got &{no}"],
    [{}, { colour: 1 }, ".spec.colour: field not declared in schema"],
    [{}, { strategy: "Recreate" }, ".spec.strategy: expected map, got &{Recreate}"],
    [{ colour: 1 }, {}, `${AT}.colour: field not declared in schema`],
    [{ args: "-v" }, {}, `${AT}.args: expected list, got &{-v}`],
    [{ args: ["a", 1] }, {}, `${AT}.args[1]: expected string, got &value.valueUnstructured{Value:1}`],
    [
      { env: [{ name: "A", value: 8080 }] },
      {},
      `${AT}.env[name="A"].value: expected string, got &value.valueUnstructured{Value:8080}`,
    ],
    [
      { env: [{ name: "A" }, { name: "B" }, { name: "A" }] },
      {},
      `${AT}.env: duplicate entries for key [name="A"]`,
    ],
    [
      { ports: [{ containerPort: 80 }, { containerPort: 80, protocol: "TCP", name: "http" }] },
      {},
      `${AT}.ports: duplicate entries for key [containerPort=80,protocol="TCP"]`,
    ],
    [
      { env: [{ value: "1" }] },
      {},
      `${AT}.env: element 0: associative list with keys has an element that omits key field "name" (and doesn't have default value)`,
    ],
  ])("is not: %j %j", (container, spec, expected) => {
    expect(errorsOf(container, spec)).toEqual([expected]);
  });

  it("is told all that is wrong with it", () => {
    expect(errorsOf({ image: 1 }, { replicas: "3" }, { metadata: { labels: { a: false } } })).toEqual([
      ".spec.replicas: expected numeric (int or float), got string",
      `${AT}.image: expected string, got &value.valueUnstructured{Value:1}`,
      ".metadata.labels.a: expected string, got &value.valueUnstructured{Value:false}",
    ]);
  });
});
