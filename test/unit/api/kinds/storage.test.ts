import { describe, expect, it } from "vitest";
import type {
  PersistentVolume,
  PersistentVolumeClaim,
  StorageClass,
} from "../../../../src/api/generated/types.ts";
import { persistentVolumeKind } from "../../../../src/api/kinds/persistent-volume.ts";
import { persistentVolumeClaimKind } from "../../../../src/api/kinds/persistent-volume-claim.ts";
import { podKind } from "../../../../src/api/kinds/pod.ts";
import { storageClassKind } from "../../../../src/api/kinds/storage-class.ts";
import type { Draft } from "../../../../src/api/object.ts";
import { cells, pod, stored, told } from "./examples.ts";

const claim = (
  spec: Draft<PersistentVolumeClaim["spec"]> = {},
  status: Draft<PersistentVolumeClaim["status"]> = {},
): PersistentVolumeClaim =>
  stored(persistentVolumeClaimKind, "data", {
    spec: { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "1Gi" } }, ...spec },
    status,
  });

const volume = (spec: Draft<PersistentVolume["spec"]> = {}): PersistentVolume =>
  stored(persistentVolumeKind, "disk", {
    spec: {
      accessModes: ["ReadWriteOnce"],
      capacity: { storage: "1Gi" },
      hostPath: { path: "/data" },
      ...spec,
    },
  });

const storageClass = (draft: Draft<StorageClass> = {}): StorageClass =>
  stored(storageClassKind, "fast", { provisioner: "example.com/disk", ...draft });

describe("PersistentVolumeClaim", () => {
  it("is Pending, of a filesystem, and protected when it is made", () => {
    const made = claim({ resources: { requests: { storage: "1024Mi" } } });
    persistentVolumeClaimKind.prepareCreate?.(made);
    expect(made).toMatchObject({
      metadata: { finalizers: ["kubernetes.io/pvc-protection"] },
      spec: { volumeMode: "Filesystem", resources: { requests: { storage: "1Gi" } } },
      status: { phase: "Pending" },
    });
  });

  it.each<[string, Draft<PersistentVolumeClaim["spec"]>, string[]]>([
    [
      "no access mode",
      { accessModes: [] },
      ["spec.accessModes: Required value: at least 1 access mode is required"],
    ],
    [
      "an unknown access mode",
      { accessModes: ["Sometimes"] },
      [
        'spec.accessModes: Unsupported value: "Sometimes": supported values: "ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod"',
      ],
    ],
    [
      "one pod and many",
      { accessModes: ["ReadWriteOncePod", "ReadWriteOnce"] },
      ["spec.accessModes: Forbidden: may not use ReadWriteOncePod with other access modes"],
    ],
    ["no amount", { resources: {} }, ["spec.resources[storage]: Required value"]],
    [
      "nothing",
      { resources: { requests: { storage: "0" } } },
      ['spec.resources[storage]: Invalid value: "0": must be greater than zero'],
    ],
    [
      "an unknown mode",
      { volumeMode: "Tape" },
      ['spec.volumeMode: Unsupported value: "Tape": supported values: "Block", "Filesystem"'],
    ],
    ["no class on purpose", { storageClassName: "" }, []],
  ])("with %s", (_, spec, errors) => {
    expect(told(persistentVolumeClaimKind, claim(spec))).toEqual(errors);
  });

  const IMMUTABLE =
    "spec: Forbidden: spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims";
  const asking = (storage: string) => ({ resources: { requests: { storage } } });

  it("keeps its spec, and says what would have changed", () => {
    expect(told(persistentVolumeClaimKind, claim({ accessModes: ["ReadWriteMany"] }), claim())).toEqual([
      `${IMMUTABLE}\n- spec.accessModes[0]: "ReadWriteOnce"\n+ spec.accessModes[0]: "ReadWriteMany"`,
    ]);
    expect(told(persistentVolumeClaimKind, claim(asking("2Gi")), claim())[0]).toContain(IMMUTABLE);
  });

  it("may ask for more once it is bound, and for less down to what it has", () => {
    const bound = { phase: "Bound", capacity: { storage: "1Gi" } };
    expect(told(persistentVolumeClaimKind, claim(asking("2Gi"), bound), claim({}, bound))).toEqual([]);
    expect(told(persistentVolumeClaimKind, claim(asking("1Gi"), bound), claim(asking("2Gi"), bound))).toEqual(
      [],
    );
    expect(told(persistentVolumeClaimKind, claim(asking("500Mi"), bound), claim({}, bound))).toEqual([
      "spec.resources.requests.storage: Forbidden: field can not be less than status.capacity",
    ]);
  });

  it("is given its volume, and a class where it had none, once", () => {
    const given = claim({ volumeName: "pv", storageClassName: "standard" });
    expect(told(persistentVolumeClaimKind, given, claim())).toEqual([]);
    expect(told(persistentVolumeClaimKind, claim({ storageClassName: "other" }), given)[0]).toContain(
      IMMUTABLE,
    );
    expect(
      told(persistentVolumeClaimKind, claim({ volumeName: "pv2" }), claim({ volumeName: "pv" }))[0],
    ).toContain(IMMUTABLE);
  });

  it("shows what it has, not what it asked for", () => {
    expect(cells(persistentVolumeClaimKind, claim({ storageClassName: "standard" }))).toMatchObject({
      Status: "Pending",
      Volume: "",
      Capacity: "",
      "Access Modes": "",
      StorageClass: "standard",
      VolumeAttributesClass: "<unset>",
      VolumeMode: "Filesystem",
    });
    const bound = claim(
      { volumeName: "pv" },
      { phase: "Bound", capacity: { storage: "5Gi" }, accessModes: ["ReadWriteMany", "ReadWriteOnce"] },
    );
    expect(cells(persistentVolumeClaimKind, bound)).toMatchObject({
      Status: "Bound",
      Volume: "pv",
      Capacity: "5Gi",
      "Access Modes": "RWO,RWX",
    });
    bound.metadata.deletionTimestamp = "2026-01-02T03:04:05Z";
    expect(cells(persistentVolumeClaimKind, bound)["Status"]).toBe("Terminating");
  });
});

describe("PersistentVolume", () => {
  it("is kept after its claim unless it says otherwise, and protected", () => {
    const made = volume();
    persistentVolumeKind.prepareCreate?.(made);
    expect(made).toMatchObject({
      metadata: { finalizers: ["kubernetes.io/pv-protection"] },
      spec: { persistentVolumeReclaimPolicy: "Retain", volumeMode: "Filesystem" },
      status: { phase: "Pending" },
    });
  });

  it.each<[string, Draft<PersistentVolume["spec"]>, string[]]>([
    [
      "no capacity",
      { capacity: {} },
      ["spec.capacity: Required value", 'spec.capacity: Unsupported value: {}: supported values: "storage"'],
    ],
    ["two sources", { nfs: {} }, ["spec.nfs: Forbidden: may not specify more than 1 volume type"]],
    [
      "a local path on no node",
      { hostPath: undefined, local: { path: "/disk" } } as Draft<PersistentVolume["spec"]>,
      ["spec.nodeAffinity: Required value: Local volume requires node affinity"],
    ],
    [
      "an unknown policy",
      { persistentVolumeReclaimPolicy: "Burn" },
      [
        'spec.persistentVolumeReclaimPolicy: Unsupported value: "Burn": supported values: "Delete", "Recycle", "Retain"',
      ],
    ],
    [
      "affinity without terms",
      { nodeAffinity: { required: { nodeSelectorTerms: [] } } },
      [
        "spec.nodeAffinity.required.nodeSelectorTerms: Required value: must have at least one node selector term",
      ],
    ],
  ])("with %s", (_, spec, errors) => {
    expect(told(persistentVolumeKind, volume(spec))).toEqual(errors);
  });

  it("keeps its source and its mode; its policy may change", () => {
    expect(told(persistentVolumeKind, volume({ hostPath: { path: "/other" } }), volume())).toEqual([
      'spec.persistentvolumesource: Forbidden: spec.persistentvolumesource is immutable after creation\n- spec.hostPath.path: "/data"\n+ spec.hostPath.path: "/other"',
    ]);
    expect(told(persistentVolumeKind, volume({ volumeMode: "Block" }), volume())).toEqual([
      'volumeMode: Invalid value: "Block": field is immutable',
    ]);
    expect(told(persistentVolumeKind, volume({ persistentVolumeReclaimPolicy: "Delete" }), volume())).toEqual(
      [],
    );
  });

  it("shows its claim", () => {
    const shown = volume({ claimRef: { namespace: "shop", name: "data" }, storageClassName: "manual" });
    expect(cells(persistentVolumeKind, shown)).toMatchObject({
      Capacity: "1Gi",
      "Access Modes": "RWO",
      "Reclaim Policy": "Retain",
      Status: "Pending",
      Claim: "shop/data",
      StorageClass: "manual",
      Reason: "",
    });
  });

  it("warns of a source that cannot be mounted", () => {
    const nfs = volume({ hostPath: undefined, nfs: { server: "a", path: "/" } } as Draft<
      PersistentVolume["spec"]
    >);
    expect(persistentVolumeKind.warnings?.(nfs, undefined)).toEqual([
      "spec.nfs: kubemu accepts this field and does not act on it",
    ]);
  });
});

describe("StorageClass", () => {
  it("deletes and binds at once unless it says otherwise", () => {
    expect(storageClass()).toMatchObject({ reclaimPolicy: "Delete", volumeBindingMode: "Immediate" });
  });

  it("marks the default", () => {
    const standard = storageClass();
    expect(cells(storageClassKind, standard)["Name"]).toBe("fast");
    standard.metadata.annotations = { "storageclass.kubernetes.io/is-default-class": "true" };
    expect(cells(storageClassKind, standard)).toMatchObject({
      Name: "fast (default)",
      Provisioner: "example.com/disk",
      ReclaimPolicy: "Delete",
      VolumeBindingMode: "Immediate",
      AllowVolumeExpansion: false,
    });
  });

  it("refuses what it does not know, and changes", () => {
    expect(
      told(
        storageClassKind,
        storageClass({ provisioner: "", reclaimPolicy: "Recycle", volumeBindingMode: "Later" }),
      ),
    ).toEqual([
      "provisioner: Required value",
      'reclaimPolicy: Unsupported value: "Recycle": supported values: "Delete", "Retain"',
      'volumeBindingMode: Unsupported value: "Later": supported values: "Immediate", "WaitForFirstConsumer"',
    ]);
    expect(
      told(
        storageClassKind,
        storageClass({ provisioner: "other.com/disk", reclaimPolicy: "Retain" }),
        storageClass(),
      ),
    ).toEqual([
      "provisioner: Forbidden: updates to provisioner are forbidden.",
      "reclaimPolicy: Forbidden: updates to reclaimPolicy are forbidden.",
    ]);
  });
});

describe("a pod's claims", () => {
  it("need a name, or a template that would make a claim", () => {
    const errors = told(
      podKind,
      pod({
        volumes: [
          { name: "a", persistentVolumeClaim: { claimName: "" } },
          { name: "b", ephemeral: {} },
          { name: "c", ephemeral: { volumeClaimTemplate: { spec: { accessModes: ["ReadWriteOnce"] } } } },
        ],
      }),
    );
    expect(errors).toEqual([
      "spec.volumes[0].persistentVolumeClaim.claimName: Required value",
      "spec.volumes[1].ephemeral.volumeClaimTemplate: Required value",
      "spec.volumes[2].ephemeral.volumeClaimTemplate.spec.resources[storage]: Required value",
    ]);
  });
});
