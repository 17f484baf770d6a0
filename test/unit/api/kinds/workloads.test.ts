import { describe, expect, it } from "vitest";
import type { ReplicationController } from "../../../../src/api/generated/types.ts";
import { deploymentKind } from "../../../../src/api/kinds/deployment.ts";
import { replicaSetKind } from "../../../../src/api/kinds/replica-set.ts";
import { replicationControllerKind } from "../../../../src/api/kinds/replication-controller.ts";
import type { Draft } from "../../../../src/api/object.ts";
import { cells, deployment, stored, told } from "./examples.ts";

const template = {
  metadata: { labels: { app: "web" } },
  spec: { containers: [{ name: "web", image: "nginx" }] },
};

describe("Deployment", () => {
  it("is defaulted as Kubernetes does", () => {
    expect(deployment().spec).toMatchObject({
      replicas: 1,
      revisionHistoryLimit: 10,
      progressDeadlineSeconds: 600,
      strategy: { type: "RollingUpdate", rollingUpdate: { maxUnavailable: "25%", maxSurge: "25%" } },
      template: { spec: { restartPolicy: "Always" } },
    });
    expect(deployment({ strategy: { type: "Recreate" } }).spec.strategy).toEqual({ type: "Recreate" });
    expect(told(deploymentKind, deployment())).toEqual([]);
  });

  it.each<[string, Parameters<typeof deployment>[0], string[]]>([
    [
      "a selector that does not match",
      { selector: { matchLabels: { app: "db" } } },
      [
        'spec.template.metadata.labels: Invalid value: {"app":"web"}: `selector` does not match template `labels`',
      ],
    ],
    [
      "an empty selector",
      { selector: {} },
      ["spec.selector: Invalid value: {}: empty selector is invalid for deployment"],
    ],
    [
      "negative replicas",
      { replicas: -1 },
      ["spec.replicas: Invalid value: -1: must be greater than or equal to 0"],
    ],
    [
      "a restart policy",
      { template: { ...template, spec: { ...template.spec, restartPolicy: "Never" } } },
      ['spec.template.spec.restartPolicy: Unsupported value: "Never": supported values: "Always"'],
    ],
    [
      "neither surge nor unavailability",
      { strategy: { rollingUpdate: { maxSurge: 0, maxUnavailable: "0%" } } },
      ['spec.strategy.rollingUpdate.maxUnavailable: Invalid value: "0%": may not be 0 when `maxSurge` is 0'],
    ],
    [
      "a rolling update of a Recreate strategy",
      { strategy: { type: "Recreate", rollingUpdate: { maxSurge: 1 } } },
      ["spec.strategy.rollingUpdate: Forbidden: may not be specified when strategy `type` is 'Recreate'"],
    ],
    [
      "a deadline that is too short",
      { minReadySeconds: 10, progressDeadlineSeconds: 10 },
      ["spec.progressDeadlineSeconds: Invalid value: 10: must be greater than minReadySeconds"],
    ],
  ])("refuses %s", (_what, spec, expected) => {
    expect(told(deploymentKind, deployment(spec))).toEqual(expected);
  });

  it("keeps its selector", () => {
    const changed = deployment({ selector: { matchLabels: { app: "web", tier: "front" } } });
    expect(told(deploymentKind, changed, deployment())).toEqual([
      'spec.selector: Invalid value: {"matchLabels":{"app":"web","tier":"front"}}: field is immutable',
    ]);
  });

  it("is shown as kubectl shows it, and scales", () => {
    const shown = { ...deployment({ replicas: 3 }), status: { readyReplicas: 2, updatedReplicas: 3 } };
    expect(cells(deploymentKind, shown)).toMatchObject({
      Name: "web",
      Ready: "2/3",
      "Up-to-date": 3,
      Available: 0,
      Containers: "web",
      Images: "nginx",
      Selector: "app=web",
    });
    deploymentKind.scale?.setReplicas(shown, 5);
    expect(shown.spec.replicas).toBe(5);
    expect(deploymentKind.scale?.selector(shown)).toBe("app=web");
  });

  it("warns about its template where that stands", () => {
    const odd = deployment({ template: { ...template, spec: { ...template.spec, hostPID: true } } });
    expect(deploymentKind.warnings?.(odd, undefined)).toEqual([
      "spec.template.spec.hostPID: kubemu accepts this field and does not act on it",
    ]);
  });
});

describe("ReplicaSet", () => {
  it("needs a selector and a template", () => {
    const bare = stored(replicaSetKind, "web", { spec: {} });
    expect(told(replicaSetKind, bare)).toEqual([
      "spec.selector: Required value",
      "spec.template.metadata.labels: Invalid value: {}: `selector` does not match template `labels`",
      "spec.template.spec.containers: Required value",
    ]);
  });
});

describe("ReplicationController", () => {
  const controller = (spec: Draft<ReplicationController["spec"]>) =>
    stored(replicationControllerKind, "web", { spec });

  it("takes selector and labels from its template", () => {
    const made = controller({ template });
    expect(made.spec.selector).toEqual({ app: "web" });
    expect(made.metadata.labels).toEqual({ app: "web" });
    expect(told(replicationControllerKind, made)).toEqual([]);
  });

  it("leaves its pods behind when a delete says nothing", () => {
    expect(replicationControllerKind.defaultPropagation).toBe("Orphan");
  });
});
