// The small pure parts of the verbs that look like kubectl's.
import { describe, expect, test } from "vitest";
import type { Deployment, Pod, Service } from "../../../src/api/generated/types.ts";
import type { KubeObject } from "../../../src/api/object.ts";
import { containerPort, parseForward } from "../../../src/cli/commands/port-forward.ts";
import { parseCondition } from "../../../src/cli/commands/wait.ts";
import { align } from "../../../src/cli/describe/align.ts";
import { usualContainer } from "../../../src/cli/pod-of.ts";
import { createResourceTypes } from "../../../src/cli/resource-types.ts";
import { imagePatch, revisionToUndo, rolloutProgress } from "../../../src/client/rollout.ts";

const served = (
  group: string,
  plural: string,
  kind: string,
  shortNames: string[],
  categories: string[] = [],
) => ({
  resource: { group, version: "v1", kind, plural, namespaced: true },
  singular: kind.toLowerCase(),
  shortNames,
  categories,
  verbs: ["get"],
  subresources: [],
});

describe("names of types", () => {
  const types = createResourceTypes([
    served("", "pods", "Pod", ["po"], ["all"]),
    served("apps", "deployments", "Deployment", ["deploy"], ["all"]),
    served("", "events", "Event", ["ev"]),
  ]);
  const found = (words: string) => types.resolve(words).map(({ resource }) => resource.plural);

  test.each([
    ["po", ["pods"]],
    ["Pod", ["pods"]],
    ["pods,ev", ["pods", "events"]],
    ["deployments.apps", ["deployments"]],
    ["deploy.v1.apps", ["deployments"]],
    ["all", ["pods", "deployments"]],
    ["all,pods", ["pods", "deployments"]],
  ])("%s", (words, plurals) => expect(found(words)).toEqual(plurals));

  test("refuse what is not served", () => {
    expect(() => found("deployments.extensions")).toThrow(
      `the server doesn't have a resource type "deployments.extensions"`,
    );
    expect(() => types.byKind("v1", "Deployment")).toThrow(
      'no matches for kind "Deployment" in version "v1"',
    );
    expect(types.byKind("apps/v1", "Deployment").resource.plural).toBe("deployments");
  });
});

describe("conditions to wait for", () => {
  const pod = (status: object, generation = 1) =>
    ({ metadata: { name: "a", generation }, status }) as unknown as KubeObject;
  const ready = { conditions: [{ type: "Ready", status: "True" }], phase: "Running" };

  test.each([
    ["condition=Ready", pod(ready), true],
    ["condition=ready=true", pod(ready), true],
    ["condition=Ready=false", pod(ready), false],
    ["condition=Ready", pod({ ...ready, observedGeneration: 1 }, 2), false],
    ["condition=Other", pod(ready), false],
    ["jsonpath={.status.phase}=Running", pod(ready), true],
    ["jsonpath='{.status.phase}'=Running", pod(ready), true],
    ["jsonpath={.status.phase}=Failed", pod(ready), false],
    ["jsonpath={.status.ip}", pod(ready), false],
    ["jsonpath={.status.phase}", pod(ready), true],
    ["delete", pod(ready), false],
    ["delete", undefined, true],
    ["create", undefined, false],
  ])("%s", (text, object, met) => expect(parseCondition(text)(object)).toBe(met));

  test("refuses others", () => expect(() => parseCondition("Ready")).toThrow("unrecognized condition"));
});

describe("ports to forward", () => {
  test.each([
    ["8080:80", { local: 8080, remote: "80" }],
    ["80", { local: 80, remote: "80" }],
    [":80", { local: 0, remote: "80" }],
    ["8080:http", { local: 8080, remote: "http" }],
  ])("%s", (text, forward) => expect(parseForward(text)).toEqual(forward));

  test.each(["0:0", "a:b:c", "http", "70000:80", "80:70000"])("refuses %s", (text) =>
    expect(() => parseForward(text)).toThrow(/LOCAL:REMOTE/),
  );

  test("a Service's port leads to the pod's, by number or by name", () => {
    const pod = {
      metadata: { name: "p" },
      spec: { containers: [{ ports: [{ name: "http", containerPort: 8000 }] }] },
    };
    const owner = {
      metadata: { name: "s" },
      spec: { clusterIP: "1", ports: [{ port: 80, targetPort: "http" }] },
    };
    const found = { pods: [pod as unknown as Pod], owner: owner as unknown as Service };
    expect(containerPort(found, "80")).toBe(8000);
    expect(() => containerPort(found, "81")).toThrow("does not have a service port 81");
    expect(containerPort({ pods: found.pods }, "http")).toBe(8000);
  });
});

test("aligned columns reach over neighbouring lines only", () => {
  expect(align("a:\tb\nlong:\tc\nplain\nx:\ty")).toBe("a:     b\nlong:  c\nplain\nx:  y");
  expect(align("a\tbb\tc\na\tb")).toBe("a  bb  c\na  b");
});

test("the first container is meant, unless an annotation names another", () => {
  const pod = (annotations: Record<string, string> = {}) =>
    ({
      metadata: { name: "p", annotations },
      spec: { containers: [{ name: "a" }, { name: "b" }], initContainers: [{ name: "i" }] },
    }) as unknown as Pod;
  expect(usualContainer(pod(), undefined)).toEqual({
    name: "a",
    hint: 'Defaulted container "a" out of: a, b, i (init)',
  });
  expect(usualContainer(pod({ "kubectl.kubernetes.io/default-container": "b" }), undefined)).toEqual({
    name: "b",
  });
  expect(() => usualContainer(pod(), "c")).toThrow("container c is not valid for pod p");
});

describe("rollouts", () => {
  const deployment = (status: object, generation = 2) =>
    ({ metadata: { name: "web", generation }, spec: { replicas: 3 }, status }) as unknown as Deployment;

  test.each([
    [{ observedGeneration: 1 }, "Waiting for deployment spec update to be observed..."],
    [
      { observedGeneration: 2, updatedReplicas: 1 },
      'Waiting for deployment "web" rollout to finish: 1 out of 3 new replicas have been updated...',
    ],
    [
      { observedGeneration: 2, updatedReplicas: 3, replicas: 4 },
      'Waiting for deployment "web" rollout to finish: 1 old replicas are pending termination...',
    ],
    [
      { observedGeneration: 2, updatedReplicas: 3, replicas: 3, availableReplicas: 2 },
      'Waiting for deployment "web" rollout to finish: 2 of 3 updated replicas are available...',
    ],
    [
      { observedGeneration: 2, updatedReplicas: 3, replicas: 3, availableReplicas: 3 },
      'deployment "web" successfully rolled out',
    ],
    [
      { observedGeneration: 2, conditions: [{ type: "Progressing", reason: "ProgressDeadlineExceeded" }] },
      'deployment "web" exceeded its progress deadline',
    ],
  ])("%j", (status, message) =>
    expect(rolloutProgress("Deployment", deployment(status)).message).toBe(message),
  );

  test("an undo goes to the revision before the newest, or to the one named", () => {
    const revisions = [2, 4, 5].map((number) => ({ number, cause: "", template: {} as never }));
    expect(revisionToUndo(revisions, 0).number).toBe(4);
    expect(revisionToUndo(revisions, 2).number).toBe(2);
    expect(() => revisionToUndo(revisions, 3)).toThrow("unable to find specified revision 3");
    expect(() => revisionToUndo(revisions.slice(0, 1), 0)).toThrow("no rollout history found");
  });

  test("images are set by container, and * means all but the init containers", () => {
    const object = {
      spec: { template: { spec: { containers: [{ name: "a" }, { name: "b" }] } } },
    } as unknown as KubeObject;
    expect(imagePatch(object, { "*": "x", b: "y" })).toEqual({
      spec: {
        template: {
          spec: {
            containers: [
              { name: "a", image: "x" },
              { name: "b", image: "y" },
            ],
          },
        },
      },
    });
    expect(() => imagePatch(object, { c: "x" })).toThrow('unable to find container named "c"');
  });
});
