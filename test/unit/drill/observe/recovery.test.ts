import { describe, expect, test } from "vitest";
import { faultAt, recoveredSoFar } from "../../../../src/drill/observe/recovery.ts";
import { isComplete, type PodSeen, type World } from "../../../../src/drill/observe/world.ts";

const pod = (uid: string, more: Partial<PodSeen> = {}): PodSeen => ({
  uid,
  namespace: "default",
  name: uid,
  node: "node-1",
  labels: { app: "web" },
  createdAt: "2026-01-01T00:00:00Z",
  isReady: true,
  isEnding: false,
  restarts: 0,
  isOfDaemonSet: false,
  ...more,
});
const world = (
  pods: PodSeen[],
  endpoints = pods.filter(({ isReady }) => isReady).map(({ uid }) => uid),
): World => ({
  pods,
  endpoints: new Set(endpoints),
  workloads: [
    { name: "deployment/web", namespace: "default", wanted: 2, matches: (labels) => labels["app"] === "web" },
  ],
  readyNodes: new Set(["node-1"]),
});
const before = world([pod("a"), pod("b")]);
const fault = faultAt(0, before, [pod("a")]);
const NOTHING = { endpointGone: false, replacementReady: false, fullReplicas: false };

describe("recoveredSoFar", () => {
  test.each<[string, World, boolean, typeof NOTHING]>([
    ["nothing while nobody has noticed", before, false, NOTHING],
    [
      "the endpoint is gone first",
      world([pod("a", { isReady: false }), pod("b")]),
      false,
      { ...NOTHING, endpointGone: true },
    ],
    [
      "a new pod that is not Ready replaces nothing",
      world([pod("b"), pod("c", { isReady: false })]),
      false,
      { ...NOTHING, endpointGone: true },
    ],
    [
      "a new Ready pod does",
      world([pod("b"), pod("c")]),
      false,
      { endpointGone: true, replacementReady: true, fullReplicas: true },
    ],
    [
      "so does a restart in place",
      world([pod("a", { restarts: 1 }), pod("b")]),
      false,
      { endpointGone: false, replacementReady: true, fullReplicas: true },
    ],
    [
      "a pod of something else does not",
      world([pod("b"), pod("c", { labels: { app: "other" } })]),
      false,
      { ...NOTHING, endpointGone: true },
    ],
    [
      "a victim counts again when the fault is taken back",
      before,
      true,
      { endpointGone: false, replacementReady: true, fullReplicas: true },
    ],
    [
      "replicas are not full while another pod is away",
      world([pod("b", { isReady: false }), pod("c")]),
      false,
      { endpointGone: true, replacementReady: true, fullReplicas: false },
    ],
  ])("%s", (_, now, isOver, expected) => {
    expect(recoveredSoFar(fault, now, isOver)).toEqual(expected);
  });
});

describe("isComplete", () => {
  test.each<[string, World, boolean]>([
    ["as many as wanted", before, true],
    ["one too few", world([pod("a")]), false],
    ["one that is not Ready", world([pod("a"), pod("b", { isReady: false })]), false],
    ["one too many", world([pod("a"), pod("b"), pod("c")]), false],
    ["one that is ending does not count", world([pod("a"), pod("b"), pod("c", { isEnding: true })]), true],
  ])("%s", (_, now, expected) => {
    expect(isComplete(now)).toBe(expected);
  });
});
