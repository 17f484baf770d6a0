import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { PersistentVolume, PersistentVolumeClaim } from "../../../../src/api/generated/types.ts";
import type { RunningController } from "../../../../src/controllers/runtime/context.ts";
import { startVolumeProvisioner } from "../../../../src/controllers/volume-provisioner/controller.ts";
import { createTestContext, settle, type TestContext } from "../context.ts";
import { claimRef, makeClaim, makeClass, makeVolume } from "../volumes.ts";

const PROVISIONER = { "volume.kubernetes.io/storage-provisioner": "kubemu.dev/directory" };
const MADE_HERE = { annotations: { "pv.kubernetes.io/provisioned-by": "kubemu.dev/directory" } };
/** The file system takes its time, unlike the fake API. */
const until = (condition: () => boolean) =>
  vi.waitFor(() => expect(condition()).toBe(true), { timeout: 30_000, interval: 5 });

describe("the directory provisioner", () => {
  let context: TestContext;
  let controller: RunningController;
  let directory: string;

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), "kubemu-provisioner-"));
    context = createTestContext();
    controller = startVolumeProvisioner(context, { directory });
    context.api.put("storageclasses", makeClass("standard", { allowVolumeExpansion: true }));
    context.api.put("storageclasses", makeClass("kept", { reclaimPolicy: "Retain" }));
  });
  afterEach(async () => {
    await controller.stop();
    await context.stop();
    rmSync(directory, { recursive: true, force: true });
  });
  const volume = (name: string) => context.api.get<PersistentVolume>("persistentvolumes", name);
  const put = (
    spec: Partial<PersistentVolumeClaim["spec"]>,
    annotations: Record<string, string> = PROVISIONER,
  ) => context.api.put("persistentvolumeclaims", makeClaim("a", spec, { meta: { annotations } }));

  it("gives a claim a directory and a volume that is the claim's alone", async () => {
    put({ storageClassName: "standard" });
    await until(() => volume("pvc-uid-a") !== undefined);
    expect(volume("pvc-uid-a")).toMatchObject({
      metadata: { annotations: MADE_HERE.annotations },
      spec: {
        capacity: { storage: "1Gi" },
        claimRef: { name: "a", uid: "uid-a" },
        persistentVolumeReclaimPolicy: "Delete",
        storageClassName: "standard",
        hostPath: { path: join(directory, "pvc-uid-a") },
      },
    });
    expect(existsSync(join(directory, "pvc-uid-a"))).toBe(true);
    await until(() => context.events("a").length === 2);
    expect(context.events("a")).toEqual([
      'Provisioning: External provisioner is provisioning volume for claim "default/a"',
      "ProvisioningSucceeded: Successfully provisioned volume pvc-uid-a",
    ]);
  });

  it.each<[string, Partial<PersistentVolumeClaim["spec"]>, Record<string, string>]>([
    ["the binder has not sent", { storageClassName: "standard" }, {}],
    [
      "another provisioner serves",
      { storageClassName: "standard" },
      { ...PROVISIONER, [Object.keys(PROVISIONER)[0]!]: "x/y" },
    ],
    ["has a volume", { storageClassName: "standard", volumeName: "v" }, PROVISIONER],
    ["wants a block device", { storageClassName: "standard", volumeMode: "Block" }, PROVISIONER],
  ])("makes nothing for a claim that %s", async (_, spec, annotations) => {
    put(spec, annotations);
    await settle();
    expect(readdirSync(directory)).toEqual([]);
    expect(context.api.list("persistentvolumes")).toEqual([]);
  });

  it("removes the directory of a released volume, unless it is to be kept or lies elsewhere", async () => {
    const released = (name: string, path: string, policy = "Delete") =>
      makeVolume(
        name,
        { claimRef: claimRef(makeClaim("gone")), hostPath: { path }, persistentVolumeReclaimPolicy: policy },
        { phase: "Released", meta: MADE_HERE },
      );
    const elsewhere = mkdtempSync(join(tmpdir(), "kubemu-elsewhere-"));
    put({ storageClassName: "standard" });
    await until(() => existsSync(join(directory, "pvc-uid-a")));
    writeFileSync(join(directory, "pvc-uid-a", "file"), "x");
    context.api.put("persistentvolumes", released("forged", elsewhere));
    context.api.put("persistentvolumes", released("kept", join(directory, "kept"), "Retain"));
    context.api.put("persistentvolumes", released("pvc-uid-a", join(directory, "pvc-uid-a")));
    await until(() => volume("pvc-uid-a") === undefined);
    expect(existsSync(join(directory, "pvc-uid-a"))).toBe(false);
    expect(existsSync(elsewhere)).toBe(true);
    expect(volume("kept")).toBeDefined();
    rmSync(elsewhere, { recursive: true });
  });

  it("lets a bound claim grow where its class says so", async () => {
    const grown = (storageClassName: string, name: string) => {
      const status = { phase: "Bound", capacity: { storage: "1Gi" } };
      const claim = makeClaim(
        name,
        { storageClassName, volumeName: `pv-${name}`, resources: { requests: { storage: "2Gi" } } },
        { status },
      );
      context.api.put(
        "persistentvolumes",
        makeVolume(`pv-${name}`, { claimRef: claimRef(claim) }, { phase: "Bound", meta: MADE_HERE }),
      );
      context.api.put("persistentvolumeclaims", claim);
    };
    grown("kept", "b");
    grown("standard", "c");
    const capacity = (name: string) =>
      context.api.get<PersistentVolumeClaim>("persistentvolumeclaims", `default/${name}`)?.status?.capacity?.[
        "storage"
      ];
    await until(() => capacity("c") === "2Gi");
    await settle();
    expect(volume("pv-c")?.spec.capacity).toEqual({ storage: "2Gi" });
    expect([capacity("b"), volume("pv-b")?.spec.capacity?.["storage"]]).toEqual(["1Gi", "1Gi"]);
  });
});
