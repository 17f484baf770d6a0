import { describe, expect, it } from "vitest";
import type { Pod } from "../../../../src/api/generated/types.ts";
import { planEphemeralClaims } from "../../../../src/controllers/ephemeral-volume/plan.ts";
import { makeClaim } from "../volumes.ts";

const pod: Pod = {
  metadata: { name: "web", namespace: "shop", uid: "u", resourceVersion: "1", creationTimestamp: "" },
  spec: {
    containers: [{ name: "a" }],
    volumes: [
      { name: "other", emptyDir: {} },
      {
        name: "tmp",
        ephemeral: {
          volumeClaimTemplate: {
            metadata: { labels: { a: "b" } } as never,
            spec: { accessModes: ["ReadWriteOnce"] },
          },
        },
      },
    ],
  },
};
const none = () => undefined;

describe("planEphemeralClaims", () => {
  it("makes POD-VOLUME, owned by the pod", () => {
    expect(planEphemeralClaims(pod, none)).toEqual({
      conflicts: [],
      create: [
        {
          metadata: {
            name: "web-tmp",
            namespace: "shop",
            labels: { a: "b" },
            ownerReferences: [
              {
                apiVersion: "v1",
                kind: "Pod",
                name: "web",
                uid: "u",
                controller: true,
                blockOwnerDeletion: true,
              },
            ],
          },
          spec: { accessModes: ["ReadWriteOnce"] },
        },
      ],
    });
  });

  it("leaves what is there, and says when it is somebody else's", () => {
    const owner = { apiVersion: "v1", kind: "Pod", name: "web", uid: "u", controller: true };
    const own = makeClaim("web-tmp", {}, { meta: { ownerReferences: [owner] } });
    expect(planEphemeralClaims(pod, () => own)).toEqual({ create: [], conflicts: [] });
    expect(planEphemeralClaims(pod, () => makeClaim("web-tmp"))).toEqual({
      create: [],
      conflicts: ["web-tmp"],
    });
  });

  it("makes nothing for a pod that is over or on its way out", () => {
    const leaving = { ...pod, metadata: { ...pod.metadata, deletionTimestamp: "2026-01-02T03:04:05Z" } };
    expect(planEphemeralClaims(leaving, none).create).toEqual([]);
    expect(planEphemeralClaims({ ...pod, status: { phase: "Failed" } }, none).create).toEqual([]);
  });
});
