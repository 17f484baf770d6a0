import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Lease, Toleration } from "../../../../src/api/generated/types.ts";
import { planSilence, planTaints, takePulse } from "../../../../src/controllers/node-lifecycle/plan.ts";
import { toleratedSeconds } from "../../../../src/controllers/node-lifecycle/plan-eviction.ts";
import { makeNode, makePod } from "../objects.ts";

const NOW = Date.UTC(2026, 0, 2, 3, 4, 5);
const unreachable = (effect: string) => ({ key: "node.kubernetes.io/unreachable", effect });
const added = { timeAdded: "2026-01-02T03:04:05Z" };

describe("takePulse", () => {
  const lease = (renewTime: string) => ({ spec: { renewTime } }) as Lease;

  it("goes by when this process saw a change, not by what the lease says", () => {
    const node = makeNode("n");
    const first = takePulse(undefined, { node, lease: lease("2020-01-01T00:00:00.000000Z"), nowMs: 1000 });
    expect(first.changedAt).toBe(1000);
    const same = takePulse(first, { node, lease: lease("2020-01-01T00:00:00.000000Z"), nowMs: 2000 });
    expect(same.changedAt).toBe(1000);
    const renewed = takePulse(same, { node, lease: lease("2020-01-01T00:00:10.000000Z"), nowMs: 3000 });
    expect(renewed.changedAt).toBe(3000);
  });
});

describe("planSilence", () => {
  it("makes all that the agent reports unknown, once", () => {
    const node = makeNode("n");
    const conditions = planSilence(node, NOW);
    expect(conditions?.map(({ type, status, reason }) => [type, status, reason])).toEqual([
      ["Ready", "Unknown", "NodeStatusUnknown"],
      ["MemoryPressure", "Unknown", "NodeStatusUnknown"],
      ["DiskPressure", "Unknown", "NodeStatusUnknown"],
      ["PIDPressure", "Unknown", "NodeStatusUnknown"],
    ]);
    expect(conditions?.[0]).toMatchObject({
      message: "Kubelet stopped posting node status.",
      lastTransitionTime: "2026-01-02T03:04:05Z",
      lastHeartbeatTime: "2026-01-01T00:00:00Z",
    });
    expect(planSilence({ ...node, status: { conditions: [...(conditions ?? [])] } }, NOW)).toBeUndefined();
  });

  it("says of a node that never reported that it never did", () => {
    const conditions = planSilence({ ...makeNode("n"), status: {} }, NOW);
    expect(conditions?.[0]).toMatchObject({ reason: "NodeStatusNeverUpdated" });
  });
});

describe("planTaints", () => {
  it.each([
    ["a ready node", makeNode("n"), undefined],
    [
      "an unreachable node",
      makeNode("n", { ready: "Unknown" }),
      [
        { ...unreachable("NoSchedule"), ...added },
        { ...unreachable("NoExecute"), ...added },
      ],
    ],
    [
      "a node that says it is not ready",
      makeNode("n", { ready: "False", spec: { taints: [unreachable("NoExecute")] } }),
      [
        { key: "node.kubernetes.io/not-ready", effect: "NoSchedule", ...added },
        { key: "node.kubernetes.io/not-ready", effect: "NoExecute", ...added },
      ],
    ],
    [
      "a node that is back",
      makeNode("n", { spec: { taints: [unreachable("NoSchedule"), unreachable("NoExecute")] } }),
      [],
    ],
    [
      "a cordoned node with a taint of the user's",
      makeNode("n", { spec: { unschedulable: true, taints: [{ key: "mine", effect: "NoExecute" }] } }),
      [
        { key: "mine", effect: "NoExecute" },
        { key: "node.kubernetes.io/unschedulable", effect: "NoSchedule", ...added },
      ],
    ],
    [
      "a node out of service that is back",
      makeNode("n", {
        spec: {
          taints: [{ key: "node.kubernetes.io/out-of-service", value: "nodeshutdown", effect: "NoExecute" }],
        },
      }),
      undefined,
    ],
  ])("%s", (_why, node, expected) => {
    expect(planTaints(node, { evict: true, nowMs: NOW })).toEqual(expected);
  });

  it("keeps when a taint was added, and evicts nobody when told not to", () => {
    const since = { timeAdded: "2026-01-01T00:00:00Z" };
    const node = makeNode("n", {
      ready: "Unknown",
      spec: {
        taints: [
          { ...unreachable("NoSchedule"), ...since },
          { ...unreachable("NoExecute"), ...since },
        ],
      },
    });
    expect(planTaints(node, { evict: true, nowMs: NOW })).toBeUndefined();
    expect(planTaints(node, { evict: false, nowMs: NOW })).toEqual([
      { ...unreachable("NoSchedule"), ...since },
    ]);
  });
});

describe("toleratedSeconds", () => {
  const taints = [
    { key: "a", effect: "NoExecute" },
    { key: "b", effect: "NoExecute" },
  ];
  const seconds = (...tolerations: Toleration[]) =>
    toleratedSeconds(makePod("p", { spec: { tolerations } }), taints);

  it("is none without toleration, forever without a limit, else the least limit that applies", () => {
    const both = { operator: "Exists" };
    expect(seconds()).toBe(0);
    expect(seconds({ key: "a", operator: "Exists" })).toBe(0);
    expect(seconds(both)).toBe(Number.POSITIVE_INFINITY);
    expect(
      seconds({ ...both, tolerationSeconds: 30 }, { key: "b", operator: "Exists", tolerationSeconds: 5 }),
    ).toBe(5);
    expect(seconds(both, { key: "c", operator: "Exists", tolerationSeconds: 1 })).toBe(
      Number.POSITIVE_INFINITY,
    );
    expect(seconds({ ...both, tolerationSeconds: -3 })).toBe(0);
  });

  it("never grows when a taint is added", () => {
    const toleration = fc.record({
      key: fc.constantFrom("", "a", "b", "c"),
      operator: fc.constant("Exists"),
      tolerationSeconds: fc.option(fc.integer({ min: 0, max: 100 }), { nil: undefined }),
    });
    fc.assert(
      fc.property(fc.array(toleration), (shapes) => {
        const tolerations = shapes.map(({ tolerationSeconds, ...rest }) =>
          tolerationSeconds === undefined ? rest : { ...rest, tolerationSeconds },
        );
        const pod = makePod("p", { spec: { tolerations } });
        expect(toleratedSeconds(pod, taints)).toBeLessThanOrEqual(toleratedSeconds(pod, taints.slice(0, 1)));
      }),
    );
  });
});
