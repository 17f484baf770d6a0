import { describe, expect, it } from "vitest";
import type { StatefulSet } from "../../../../src/api/generated/types.ts";
import { statefulSetKind } from "../../../../src/api/kinds/stateful-set.ts";
import type { Draft } from "../../../../src/api/object.ts";
import { cells, stored, told } from "./examples.ts";

const container = { name: "web", image: "nginx" };
const template = { metadata: { labels: { app: "web" } }, spec: { containers: [container] } };
const set = (spec: Draft<StatefulSet["spec"]> = {}) =>
  stored(statefulSetKind, "web", {
    spec: { serviceName: "web", selector: { matchLabels: { app: "web" } }, template, ...spec },
  });
const claim = (name: string) => ({
  metadata: { name },
  spec: { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "1Gi" } } },
});

describe("StatefulSet", () => {
  it("is defaulted as Kubernetes does", () => {
    expect(set({ volumeClaimTemplates: [claim("www")] }).spec).toMatchObject({
      replicas: 1,
      revisionHistoryLimit: 10,
      podManagementPolicy: "OrderedReady",
      updateStrategy: { type: "RollingUpdate", rollingUpdate: { partition: 0, maxUnavailable: 1 } },
      persistentVolumeClaimRetentionPolicy: { whenDeleted: "Retain", whenScaled: "Retain" },
      template: { spec: { restartPolicy: "Always" } },
      volumeClaimTemplates: [
        {
          apiVersion: "v1",
          kind: "PersistentVolumeClaim",
          spec: { volumeMode: "Filesystem" },
          status: { phase: "Pending" },
        },
      ],
    });
    expect(set({ updateStrategy: { type: "OnDelete" } }).spec.updateStrategy).toEqual({ type: "OnDelete" });
    expect(told(statefulSetKind, set())).toEqual([]);
  });

  const mounting = {
    ...template,
    spec: { containers: [{ ...container, volumeMounts: [{ name: "www", mountPath: "/data" }] }] },
  };
  it.each<[string, Draft<StatefulSet["spec"]>, string[]]>([
    [
      "an unknown policy",
      { podManagementPolicy: "Sometimes" },
      ["spec.podManagementPolicy: Invalid value: \"Sometimes\": must be 'OrderedReady' or 'Parallel'"],
    ],
    [
      "an unknown strategy",
      { updateStrategy: { type: "Recreate" } },
      ["spec.updateStrategy: Invalid value: {\"type\":\"Recreate\"}: must be 'RollingUpdate' or 'OnDelete'"],
    ],
    [
      "a partition that OnDelete does not know",
      { updateStrategy: { type: "OnDelete", rollingUpdate: { partition: 1 } } },
      [
        "spec.updateStrategy.rollingUpdate: Invalid value: {\"partition\":1}: only allowed for updateStrategy 'RollingUpdate'",
      ],
    ],
    [
      "an update that could not move",
      { updateStrategy: { rollingUpdate: { maxUnavailable: 0, partition: -1 } } },
      [
        "spec.updateStrategy.rollingUpdate.partition: Invalid value: -1: must be greater than or equal to 0",
        "spec.updateStrategy.rollingUpdate.maxUnavailable: Invalid value: 0: cannot be 0",
      ],
    ],
    [
      "an unknown retention policy",
      { persistentVolumeClaimRetentionPolicy: { whenScaled: "Keep" } },
      [
        'spec.persistentVolumeClaimRetentionPolicy.whenScaled: Unsupported value: "Keep": supported values: "Retain", "Delete"',
      ],
    ],
    [
      "negative numbers, each of them",
      { replicas: -1, minReadySeconds: -1, ordinals: { start: -1 } },
      ["replicas", "minReadySeconds", "ordinals.start"].map(
        (field) => `spec.${field}: Invalid value: -1: must be greater than or equal to 0`,
      ),
    ],
    [
      "an empty selector",
      { selector: {} },
      ["spec.selector: Invalid value: {}: empty selector is invalid for statefulset"],
    ],
    [
      "a selector that cannot select, without a reason",
      { selector: { matchExpressions: [{ key: "a", operator: "Is" }] } },
      [
        'spec.selector.matchExpressions[0].operator: Invalid value: "Is": not a valid selector operator',
        'spec.selector: Invalid value: {"matchExpressions":[{"key":"a","operator":"Is"}]}',
      ],
    ],
    [
      "a mount that neither a volume nor a claim template brings",
      { template: mounting, volumeClaimTemplates: [claim("data")] },
      ['spec.template.spec.containers[0].volumeMounts[0].name: Not found: "www"'],
    ],
    [
      "nothing about a mount that a claim template brings",
      { template: mounting, volumeClaimTemplates: [claim("www")] },
      [],
    ],
    [
      "a claim template without access modes",
      { volumeClaimTemplates: [{ ...claim("www"), spec: { ...claim("www").spec, accessModes: [] } }] },
      ["spec.volumeClaimTemplates[0].spec.accessModes: Required value: at least 1 access mode is required"],
    ],
  ])("refuses %s", (_what, spec, expected) => {
    expect(told(statefulSetKind, set(spec))).toEqual(expected);
  });

  it("keeps all but what Kubernetes lets change", () => {
    const forbidden =
      "spec: Forbidden: updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', 'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden";
    expect(told(statefulSetKind, set({ serviceName: "other" }), set())).toEqual([forbidden]);
    expect(told(statefulSetKind, set({ podManagementPolicy: "Parallel" }), set())).toEqual([forbidden]);
    expect(told(statefulSetKind, set({ volumeClaimTemplates: [claim("www")] }), set())).toEqual([forbidden]);
    const changed = set({ replicas: 3, ordinals: { start: 1 }, minReadySeconds: 1, revisionHistoryLimit: 1 });
    expect(told(statefulSetKind, changed, set())).toEqual([]);
  });

  it("has a status whose parts are no more than the whole", () => {
    const wrong = { ...set(), status: { replicas: 1, readyReplicas: 2, availableReplicas: 0 } };
    const errors = statefulSetKind.validate?.(wrong, { subresource: "status" }) ?? [];
    expect(errors.map(({ field, message }) => `${field}: ${message}`)).toEqual([
      "status.readyReplicas: Invalid value: 2: cannot be greater than status.replicas",
    ]);
  });

  it("is shown as kubectl shows it, and scales", () => {
    const shown = { ...set({ replicas: 3 }), status: { replicas: 3, readyReplicas: 2 } };
    expect(cells(statefulSetKind, shown)).toEqual({
      Name: "web",
      Ready: "2/3",
      Age: expect.any(String),
      Containers: "web",
      Images: "nginx",
    });
    statefulSetKind.scale?.setReplicas(shown, 5);
    expect(shown.spec.replicas).toBe(5);
    expect(statefulSetKind.scale?.selector(shown)).toBe("app=web");
  });

  it("warns about a history without end", () => {
    expect(statefulSetKind.warnings?.(set({ revisionHistoryLimit: -1 }), undefined)).toEqual([
      "spec.revisionHistoryLimit: a negative value retains all historical revisions; a value >= 0 is recommended",
    ]);
  });
});
