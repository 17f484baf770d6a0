import { expect, test } from "vitest";
import { createSelectors } from "../../../../src/controllers/horizontal-pod-autoscaler/selectors.ts";
import { makePod } from "./autoscalers.ts";

test("finds every autoscaler of the pods, in their namespace, until it is forgotten", () => {
  const selectors = createSelectors();
  selectors.put("default/web", "app=web");
  selectors.put("default/other", "app in (web,api)");
  selectors.put("default/api", "app=api");
  selectors.put("elsewhere/web", "app=web");
  const pods = [makePod("web-0")];
  expect(selectors.of(pods)).toEqual(["default/other", "default/web"]);
  selectors.forget("default/other");
  expect(selectors.of(pods)).toEqual(["default/web"]);
  selectors.put("default/web", "app=api");
  expect(selectors.of(pods)).toEqual([]);
  expect(selectors.of([])).toEqual([]);
});
