import { describe, expect, it } from "vitest";
import type { DaemonSet } from "../../../../src/api/generated/types.ts";
import { daemonSetKind } from "../../../../src/api/kinds/daemon-set.ts";
import type { Draft } from "../../../../src/api/object.ts";
import { cells, stored, told } from "./examples.ts";

const template = {
  metadata: { labels: { app: "log" } },
  spec: { containers: [{ name: "log", image: "busybox" }] },
};
const set = (spec: Draft<DaemonSet["spec"]> = {}) =>
  stored(daemonSetKind, "log", { spec: { selector: { matchLabels: { app: "log" } }, template, ...spec } });

describe("DaemonSet", () => {
  it("is defaulted as Kubernetes does", () => {
    expect(set().spec).toMatchObject({
      revisionHistoryLimit: 10,
      updateStrategy: { type: "RollingUpdate", rollingUpdate: { maxUnavailable: 1, maxSurge: 0 } },
      template: { spec: { restartPolicy: "Always" } },
    });
    expect(set({ updateStrategy: { type: "OnDelete" } }).spec.updateStrategy).toEqual({ type: "OnDelete" });
    expect(told(daemonSetKind, set())).toEqual([]);
  });

  it.each<[string, Draft<DaemonSet["spec"]>, string[]]>([
    [
      "an empty selector",
      { selector: {} },
      ["spec.selector: Invalid value: {}: empty selector is invalid for daemonset"],
    ],
    [
      "an unknown strategy",
      { updateStrategy: { type: "Recreate" } },
      [
        'spec.updateStrategy: Unsupported value: {"type":"Recreate"}: supported values: "RollingUpdate", "OnDelete"',
      ],
    ],
    [
      "surge and unavailability together",
      { updateStrategy: { rollingUpdate: { maxSurge: 1, maxUnavailable: 1 } } },
      [
        "spec.updateStrategy.rollingUpdate.maxSurge: Invalid value: 1: may not be set when maxUnavailable is non-zero",
      ],
    ],
    [
      "neither",
      { updateStrategy: { rollingUpdate: { maxSurge: 0, maxUnavailable: "0%" } } },
      ["spec.updateStrategy.rollingUpdate.maxUnavailable: Required value: cannot be 0 when maxSurge is 0"],
    ],
    [
      "more than all, and no number",
      { updateStrategy: { rollingUpdate: { maxSurge: 0, maxUnavailable: "101%" } }, minReadySeconds: -1 },
      [
        "spec.minReadySeconds: Invalid value: -1: must be greater than or equal to 0",
        'spec.updateStrategy.rollingUpdate.maxUnavailable: Invalid value: "101%": must not be greater than 100%',
      ],
    ],
    [
      "pods that end by themselves",
      {
        template: {
          ...template,
          spec: { ...template.spec, activeDeadlineSeconds: 5, restartPolicy: "Never" },
        },
      },
      [
        'spec.template.spec.restartPolicy: Unsupported value: "Never": supported values: "Always"',
        "spec.template.spec.activeDeadlineSeconds: Forbidden: activeDeadlineSeconds in DaemonSet is not Supported",
      ],
    ],
  ])("refuses %s", (_what, spec, expected) => {
    expect(told(daemonSetKind, set(spec))).toEqual(expected);
  });

  it("keeps its selector", () => {
    const changed = set({ selector: { matchLabels: { app: "log", tier: "node" } } });
    expect(told(daemonSetKind, changed, set())).toEqual([
      'spec.selector: Invalid value: {"matchLabels":{"app":"log","tier":"node"}}: field is immutable',
    ]);
  });

  it("counts the changes of its template in the annotation of old", () => {
    const before = set();
    daemonSetKind.prepareCreate?.(before);
    const counted = (after: DaemonSet) => {
      daemonSetKind.prepareUpdate?.(after, before, { subresource: "" });
      return after.metadata.annotations?.["deprecated.daemonset.template.generation"];
    };
    expect(before.metadata.annotations).toEqual({ "deprecated.daemonset.template.generation": "1" });
    expect(counted(set({ minReadySeconds: 3 }))).toBe("1");
    expect(counted(set({ template: { ...template, spec: { ...template.spec, hostNetwork: true } } }))).toBe(
      "2",
    );
  });

  it("is shown as kubectl shows it", () => {
    const status = {
      desiredNumberScheduled: 3,
      currentNumberScheduled: 3,
      numberReady: 2,
      updatedNumberScheduled: 1,
      numberAvailable: 2,
      numberMisscheduled: 0,
    };
    const nodeSelector = { disk: "ssd", arch: "amd64" };
    const shown = set({ template: { ...template, spec: { ...template.spec, nodeSelector } } });
    expect(cells(daemonSetKind, { ...shown, status })).toEqual({
      Name: "log",
      Desired: 3,
      Current: 3,
      Ready: 2,
      "Up-to-date": 1,
      Available: 2,
      "Node Selector": "arch=amd64,disk=ssd",
      Age: expect.any(String),
      Containers: "log",
      Images: "busybox",
      Selector: "app=log",
    });
    expect(cells(daemonSetKind, set())["Node Selector"]).toBe("<none>");
  });
});
