import { expect, test } from "vitest";
import type { Node, Pod } from "../../../../src/api/generated/types.ts";
import { isOutOfService, planCollect } from "../../../../src/controllers/pod-garbage-collector/plan.ts";

const pod = (
  name: string,
  more: { node?: string; going?: boolean; phase?: string; at?: number } = {},
): Pod => ({
  metadata: {
    name,
    namespace: "default",
    uid: name,
    resourceVersion: "1",
    creationTimestamp: new Date(1e12 + (more.at ?? 0)).toISOString(),
    ...(more.going ? { deletionTimestamp: "2026-01-01T00:00:00Z" } : {}),
  },
  spec: { containers: [], ...(more.node ? { nodeName: more.node } : {}) },
  status: { phase: more.phase ?? "Running" },
});
const node = (name: string, more: { out?: boolean; ready?: string } = {}): Node => ({
  metadata: { name, uid: name, resourceVersion: "1", creationTimestamp: "2026-01-01T00:00:00Z" },
  spec: more.out
    ? { taints: [{ key: "node.kubernetes.io/out-of-service", value: "nodeshutdown", effect: "NoExecute" }] }
    : {},
  status: { conditions: [{ type: "Ready", status: more.ready ?? "True" }] },
});
const nodes = (...all: Node[]) => new Map(all.map((each) => [each.metadata.name, each]));
const collected = (input: Parameters<typeof planCollect>[0]) =>
  planCollect(input).map(({ pod: { metadata }, why }) => `${metadata.name}: ${why}`);

test("pods that are going on a machine out of service are collected, others of that machine are not yet", () => {
  const input = {
    pods: [pod("going", { node: "a", going: true }), pod("still", { node: "a" })],
    nodes: nodes(node("a", { out: true, ready: "Unknown" })),
    missingBefore: new Set<string>(),
  };
  expect(collected(input)).toEqual(["going: out of service"]);
});

test("a Ready node is never out of service, whatever taint was forgotten on it", () => {
  expect(isOutOfService(node("a", { out: true, ready: "True" }))).toBe(false);
  expect(isOutOfService(node("a", { out: true, ready: "Unknown" }))).toBe(true);
});

test("pods of a node that is missing are collected when it was missing at the last pass as well", () => {
  const pods = [pod("lost", { node: "gone" })];
  expect(collected({ pods, nodes: nodes(), missingBefore: new Set() })).toEqual([]);
  expect(collected({ pods, nodes: nodes(), missingBefore: new Set(["gone"]) })).toEqual(["lost: orphaned"]);
});

test("pods that go before they had a node are collected", () => {
  expect(
    collected({ pods: [pod("early", { going: true })], nodes: nodes(), missingBefore: new Set() }),
  ).toEqual(["early: unscheduled"]);
});

test("of finished pods the oldest go when there are too many", () => {
  const pods = [
    pod("new", { node: "a", phase: "Succeeded", at: 3 }),
    pod("old", { node: "a", phase: "Failed", at: 1 }),
    pod("running", { node: "a" }),
  ];
  expect(
    collected({ pods, nodes: nodes(node("a")), missingBefore: new Set(), terminatedThreshold: 1 }),
  ).toEqual(["old: terminated"]);
});
