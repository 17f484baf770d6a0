import { expect, it } from "vitest";
import type { Pod } from "../../../../src/api/generated/types.ts";
import { mayDropClaim, mayDropVolume } from "../../../../src/controllers/volume-protection/plan.ts";
import { makeClaim, makeVolume } from "../volumes.ts";

const deletionTimestamp = "2026-01-02T03:04:05Z";
const user = (nodeName?: string): Pod => ({
  metadata: { name: "web", namespace: "default", uid: "u", resourceVersion: "1", creationTimestamp: "" },
  spec: {
    containers: [{ name: "a" }],
    volumes: [{ name: "v", persistentVolumeClaim: { claimName: "a" } }],
    ...(nodeName ? { nodeName } : {}),
  },
});

it("keeps a claim while a pod on a node uses it", () => {
  const finalizers = ["kubernetes.io/pvc-protection"];
  const leaving = makeClaim("a", {}, { meta: { deletionTimestamp, finalizers } });
  expect(mayDropClaim(leaving, [])).toBe(true);
  expect(mayDropClaim(leaving, [user()])).toBe(true);
  expect(mayDropClaim(leaving, [user("node-1")])).toBe(false);
  expect(mayDropClaim(makeClaim("a", {}, { meta: { finalizers } }), [])).toBe(false);
  expect(mayDropClaim(makeClaim("a", {}, { meta: { deletionTimestamp } }), [])).toBe(false);
});

it("keeps a volume while a claim has it", () => {
  const meta = { deletionTimestamp, finalizers: ["kubernetes.io/pv-protection"] };
  expect(mayDropVolume(makeVolume("v", {}, { meta, phase: "Released" }))).toBe(true);
  expect(mayDropVolume(makeVolume("v", {}, { meta, phase: "Bound" }))).toBe(false);
});
