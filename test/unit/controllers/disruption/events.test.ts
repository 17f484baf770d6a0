import { expect, test } from "vitest";
import { unmanagedPods } from "../../../../src/controllers/disruption/events.ts";

test("unmanaged pods are told with the selector as Go prints it", () => {
  const told = (...parameters: Parameters<typeof unmanagedPods>) =>
    /\(selector: (.*)\) were found/.exec(unmanagedPods(...parameters).message)?.[1];
  expect(told({ matchLabels: { tier: "front", app: "web" } })).toBe(
    "&LabelSelector{MatchLabels:map[string]string{app: web,tier: front,},MatchExpressions:[]LabelSelectorRequirement{},}",
  );
  expect(
    told({
      matchExpressions: [
        { key: "app", operator: "In", values: ["a", "b"] },
        { key: "x", operator: "Exists" },
      ],
    }),
  ).toBe(
    "&LabelSelector{MatchLabels:map[string]string{},MatchExpressions:[]LabelSelectorRequirement{LabelSelectorRequirement{Key:app,Operator:In,Values:[a b],},LabelSelectorRequirement{Key:x,Operator:Exists,Values:[],},},}",
  );
});
