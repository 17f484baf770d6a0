import { expect, test } from "vitest";
import { mergeConditions, planConditions } from "../../../../src/controllers/namespace/plan.ts";

const NOW = "2026-01-01T00:00:00Z";
const find = (conditions: ReturnType<typeof planConditions>, type: string) =>
  conditions.find((condition) => condition.type === type);

test("what remains is told in Kubernetes' words", () => {
  const conditions = planConditions(
    [
      { groupResource: "pods", count: 2, finalizers: { "example.com/a": 1 } },
      { groupResource: "configmaps", count: 1, finalizers: {} },
      { groupResource: "deployments.apps", count: 3, finalizers: {} },
    ],
    [],
    NOW,
  );
  expect(find(conditions, "NamespaceContentRemaining")).toMatchObject({
    status: "True",
    reason: "SomeResourcesRemain",
    message:
      "Some resources are remaining: configmaps. has 1 resource instances, deployments.apps has 3 resource instances, pods. has 2 resource instances",
  });
  expect(find(conditions, "NamespaceFinalizersRemaining")).toMatchObject({
    status: "True",
    message: "Some content in the namespace has finalizers remaining: example.com/a in 1 resource instances",
  });
});

test("an empty namespace has nothing to report", () => {
  expect(planConditions([], [], NOW).every(({ status }) => status === "False")).toBe(true);
});

test("unchanged conditions are not written again and keep their time", () => {
  const before = planConditions([], [], NOW);
  expect(mergeConditions(before, planConditions([], [], "2026-02-02T00:00:00Z"))).toBeUndefined();
  const after = mergeConditions(
    before,
    planConditions([{ groupResource: "pods", count: 1, finalizers: {} }], [], "2026-02-02T00:00:00Z"),
  )!;
  expect(find(after, "NamespaceContentRemaining")?.lastTransitionTime).toBe("2026-02-02T00:00:00Z");
  expect(find(after, "NamespaceDeletionContentFailure")?.lastTransitionTime).toBe(NOW);
});
