import fc from "fast-check";
import { afterEach, describe, expect, it } from "vitest";
import type { PersistentVolume, PersistentVolumeClaim } from "../../../../src/api/generated/types.ts";
import { startPersistentVolumeController } from "../../../../src/controllers/persistent-volume/controller.ts";
import type { RunningController } from "../../../../src/controllers/runtime/context.ts";
import { createTestContext, settle, type TestContext, until } from "../context.ts";
import { makeClaim, makeClass, makeVolume } from "../volumes.ts";

let context: TestContext;
let controller: RunningController;
const start = () => {
  context = createTestContext();
  controller = startPersistentVolumeController(context);
};
const stop = async () => {
  await controller.stop();
  await context.stop();
};
const claimOf = (name: string) =>
  context.api.get<PersistentVolumeClaim>(
    "persistentvolumeclaims",
    `default/${name}`,
  ) as PersistentVolumeClaim;
const volumeOf = (name: string) =>
  context.api.get<PersistentVolume>("persistentvolumes", name) as PersistentVolume;
const putClaim = (claim: PersistentVolumeClaim) => context.api.put("persistentvolumeclaims", claim);
const putVolume = (volume: PersistentVolume) => context.api.put("persistentvolumes", volume);

describe("the volume binder", () => {
  afterEach(stop);

  it("binds both sides and says what the claim has", async () => {
    start();
    putVolume(makeVolume("v", { capacity: { storage: "5Gi" } }, { phase: "Pending" }));
    await until(() => volumeOf("v").status?.phase === "Available");
    putClaim(makeClaim("a"));
    await until(() => claimOf("a").status?.phase === "Bound");
    expect(claimOf("a")).toMatchObject({
      metadata: {
        annotations: {
          "pv.kubernetes.io/bind-completed": "yes",
          "pv.kubernetes.io/bound-by-controller": "yes",
        },
      },
      spec: { volumeName: "v" },
      status: { accessModes: ["ReadWriteOnce"], capacity: { storage: "5Gi" } },
    });
    expect(volumeOf("v")).toMatchObject({
      spec: { claimRef: { name: "a", namespace: "default", uid: "uid-a" } },
      status: { phase: "Bound" },
    });
    const writes = context.api.writes.length;
    await settle();
    expect(context.api.writes.length).toBe(writes);
  });

  it("finishes a binding that a crash cut short", async () => {
    start();
    const claim = makeClaim("a");
    putVolume(
      makeVolume("v", { claimRef: { name: "a", namespace: "default", uid: "uid-a" } }, { phase: "Bound" }),
    );
    putVolume(makeVolume("better", { capacity: { storage: "1Gi" } }));
    putClaim(claim);
    await until(() => claimOf("a").status?.phase === "Bound");
    expect(claimOf("a").spec.volumeName).toBe("v");
  });

  it("hands a claim to its provisioner and binds what that makes", async () => {
    start();
    context.api.put("storageclasses", makeClass("standard"));
    putClaim(makeClaim("a", { storageClassName: "standard" }));
    const provisioner = () => claimOf("a").metadata.annotations?.["volume.kubernetes.io/storage-provisioner"];
    await until(() => provisioner() === "kubemu.dev/directory");
    const made = { name: "a", namespace: "default", uid: "uid-a" };
    putVolume(makeVolume("pvc-a", { claimRef: made, storageClassName: "standard" }, { phase: "Pending" }));
    await until(() => claimOf("a").status?.phase === "Bound");
    expect(context.events("a")[0]).toContain(
      "ExternalProvisioning: Waiting for a volume to be created either by",
    );
  });

  it("releases the volume of a claim that is gone, and loses a claim whose volume is", async () => {
    start();
    putVolume(makeVolume("v"));
    putVolume(makeVolume("w"));
    putClaim(makeClaim("a"));
    putClaim(makeClaim("b"));
    await until(() => claimOf("a").status?.phase === "Bound" && claimOf("b").status?.phase === "Bound");
    const [kept, lost] = [claimOf("a").spec.volumeName ?? "", claimOf("b").spec.volumeName ?? ""];
    context.api.remove("persistentvolumeclaims", "default/a");
    await until(() => volumeOf(kept).status?.phase === "Released");
    context.api.remove("persistentvolumes", lost);
    await until(() => claimOf("b").status?.phase === "Lost");
  });
});

it("never gives a volume to two claims, and leaves no claim without one that would have fitted", async () => {
  const size = fc.integer({ min: 1, max: 4 });
  const gibibytes = (amount: number) => ({ storage: `${amount}Gi` });
  await fc.assert(
    fc.asyncProperty(
      fc.array(size, { maxLength: 6 }),
      fc.array(size, { maxLength: 6 }),
      async (volumes, claims) => {
        start();
        for (const [i, amount] of volumes.entries())
          putVolume(makeVolume(`v${i}`, { capacity: gibibytes(amount) }));
        for (const [i, amount] of claims.entries())
          putClaim(makeClaim(`c${i}`, { resources: { requests: gibibytes(amount) } }));
        await settle();
        const bound = claims.flatMap((_, i) => claimOf(`c${i}`).spec.volumeName ?? []);
        expect(new Set(bound).size).toBe(bound.length);
        const free = volumes.filter((_, i) => !bound.includes(`v${i}`));
        const waiting = claims.filter((_, i) => !claimOf(`c${i}`).spec.volumeName);
        for (const amount of waiting) expect(free.every((capacity) => capacity < amount)).toBe(true);
        await stop();
      },
    ),
    { numRuns: 30 },
  );
});
