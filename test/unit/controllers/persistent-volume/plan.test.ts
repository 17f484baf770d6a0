import { describe, expect, it } from "vitest";
import { planClaim, planVolume } from "../../../../src/controllers/persistent-volume/plan.ts";
import { claimRef, makeClaim, makeClass, makeVolume } from "../volumes.ts";

const COMPLETED = { annotations: { "pv.kubernetes.io/bind-completed": "yes" } };
const standard = makeClass("standard");
const lazy = makeClass("lazy", { volumeBindingMode: "WaitForFirstConsumer" });
const surroundings = (more: Partial<Parameters<typeof planClaim>[1]> = {}) => ({
  volumes: [],
  classes: [standard, lazy],
  waitingPods: [],
  ...more,
});
const told = (plan: ReturnType<typeof planClaim>) =>
  "event" in plan && plan.event
    ? `${plan.event.type} ${plan.event.reason}: ${plan.event.message}`
    : undefined;

describe("planClaim", () => {
  it("binds to the smallest volume that fits", () => {
    const volumes = [
      makeVolume("huge", { capacity: { storage: "100Gi" } }),
      makeVolume("snug", { capacity: { storage: "2Gi" } }),
      makeVolume("small", { capacity: { storage: "500Mi" } }),
      makeVolume("taken", {}, { phase: "Bound" }),
      makeVolume("shared", { accessModes: ["ReadWriteOnce", "ReadWriteMany"], capacity: { storage: "1Gi" } }),
    ];
    expect(planClaim(makeClaim("a"), surroundings({ volumes }))).toMatchObject({
      do: "bind",
      volume: { metadata: { name: "snug" } },
    });
  });

  it.each<[string, Parameters<typeof makeClaim>[1], Parameters<typeof makeVolume>[1]]>([
    ["of another class", { storageClassName: "a" }, { storageClassName: "b" }],
    ["with a class when the claim wants none", { storageClassName: "" }, { storageClassName: "b" }],
    ["that cannot be mounted so", { accessModes: ["ReadWriteMany"] }, {}],
    ["of another mode", { volumeMode: "Block" }, {}],
    ["without the labels", { selector: { matchLabels: { disk: "ssd" } } }, {}],
    ["that is reserved for another", {}, { claimRef: { namespace: "default", name: "other" } }],
  ])("does not take a volume %s", (_, spec, volume) => {
    const plan = planClaim(makeClaim("a", spec), surroundings({ volumes: [makeVolume("v", volume)] }));
    expect(plan.do).toBe("wait");
  });

  it("takes what is reserved for it, whatever the class, before anything else", () => {
    const reserved = makeVolume("v", {
      claimRef: { namespace: "default", name: "a" },
      capacity: { storage: "9Gi" },
      storageClassName: "odd",
    });
    const claim = makeClaim("a", { storageClassName: "lazy" });
    expect(planClaim(claim, surroundings({ volumes: [makeVolume("free"), reserved] }))).toMatchObject({
      do: "bind",
      volume: { metadata: { name: "v" } },
    });
  });

  it("leaves the rest to the provisioner of the class, once there is something to wait for", () => {
    expect(planClaim(makeClaim("a", { storageClassName: "standard" }), surroundings())).toMatchObject({
      do: "provision",
      provisioner: "kubemu.dev/directory",
      event: { reason: "ExternalProvisioning" },
    });
    const waiting = makeClaim("a", { storageClassName: "lazy" });
    expect(told(planClaim(waiting, surroundings()))).toBe(
      "Normal WaitForFirstConsumer: waiting for first consumer to be created before binding",
    );
    expect(told(planClaim(waiting, surroundings({ waitingPods: ["p"] })))).toBe(
      "Normal WaitForPodScheduled: waiting for pod p to be scheduled",
    );
    const annotations = { "volume.kubernetes.io/selected-node": "node-1" };
    const selected = makeClaim("a", { storageClassName: "lazy" }, { meta: { annotations } });
    expect(planClaim(selected, surroundings()).do).toBe("provision");
  });

  it("gives a claim without a class the default one when there comes to be one", () => {
    const annotations = { "storageclass.kubernetes.io/is-default-class": "true" };
    const classes = [makeClass("standard", {}, { annotations })];
    expect(planClaim(makeClaim("a"), surroundings({ classes }))).toEqual({
      do: "set-class",
      name: "standard",
    });
    expect(told(planClaim(makeClaim("a", { storageClassName: "" }), surroundings({ classes })))).toBe(
      "Normal FailedBinding: no persistent volumes available for this claim and no storage class is set",
    );
  });

  it("says why a class makes no volume", () => {
    expect(told(planClaim(makeClaim("a", { storageClassName: "nope" }), surroundings()))).toBe(
      'Warning ProvisioningFailed: storageclass.storage.k8s.io "nope" not found',
    );
    const classes = [makeClass("local", { provisioner: "kubernetes.io/no-provisioner" })];
    expect(told(planClaim(makeClaim("a", { storageClassName: "local" }), surroundings({ classes })))).toBe(
      "Warning ProvisioningFailed: no volume plugin matched name: kubernetes.io/no-provisioner",
    );
  });

  it("binds to the volume that the claim names, or says what is wrong with it", () => {
    const named = makeClaim("a", { volumeName: "v" });
    expect(planClaim(named, surroundings())).toEqual({ do: "wait" });
    expect(planClaim(named, surroundings({ volumes: [makeVolume("v")] })).do).toBe("bind");
    const small = makeVolume("v", { capacity: { storage: "1Mi" } });
    expect(told(planClaim(named, surroundings({ volumes: [small] })))).toBe(
      'Warning VolumeMismatch: Cannot bind to requested volume "v": requested PV is too small',
    );
    const taken = makeVolume("v", { claimRef: { namespace: "default", name: "b", uid: "x" } });
    expect(told(planClaim(named, surroundings({ volumes: [taken] })))).toBe(
      'Warning FailedBinding: volume "v" already bound to a different claim.',
    );
  });

  it("is lost with its volume", () => {
    const bound = makeClaim("a", { volumeName: "v" }, { meta: COMPLETED });
    expect(told(planClaim(bound, surroundings()))).toBe(
      "Warning ClaimLost: Bound claim has lost its PersistentVolume. Data on the volume is lost!",
    );
    const volumes = [makeVolume("v", { claimRef: { namespace: "default", name: "b", uid: "b" } })];
    expect(told(planClaim(bound, surroundings({ volumes })))).toContain("ClaimMisbound");
    expect(
      planClaim(bound, surroundings({ volumes: [makeVolume("v", { claimRef: claimRef(bound) })] })).do,
    ).toBe("bind");
  });
});

describe("planVolume", () => {
  const claim = makeClaim("a", { volumeName: "v" });
  const held = (
    more: Parameters<typeof makeVolume>[1] = {},
    options: Parameters<typeof makeVolume>[2] = {},
  ) => makeVolume("v", { claimRef: claimRef(claim), ...more }, options);

  it("follows its claim", () => {
    expect(planVolume(makeVolume("v"), undefined)).toEqual({ do: "set-phase", phase: "Available" });
    expect(planVolume(makeVolume("v", { claimRef: { name: "a", namespace: "default" } }), claim)).toEqual({
      do: "set-phase",
      phase: "Available",
    });
    expect(planVolume(held(), claim)).toEqual({ do: "set-phase", phase: "Bound" });
    expect(planVolume(held(), makeClaim("a"))).toEqual({ do: "nothing" });
    expect(planVolume(held(), makeClaim("a", { volumeName: "other" }))).toEqual({ do: "unbind" });
  });

  it("is released when its claim is gone, or is another of the same name", () => {
    expect(planVolume(held({}, { phase: "Bound" }), undefined)).toEqual({
      do: "set-phase",
      phase: "Released",
    });
    const reborn = makeClaim("a", { volumeName: "v" }, { meta: { uid: "other" } });
    expect(planVolume(held({}, { phase: "Bound" }), reborn)).toEqual({ do: "set-phase", phase: "Released" });
    expect(planVolume(held({}, { phase: "Released" }), undefined)).toEqual({ do: "nothing" });
  });

  it("fails where nobody can delete or recycle it", () => {
    const released = { phase: "Released" };
    const policy = (persistentVolumeReclaimPolicy: string) =>
      held({ persistentVolumeReclaimPolicy }, released);
    expect(planVolume(policy("Delete"), undefined)).toMatchObject({
      do: "fail",
      reason: "VolumeFailedDelete",
    });
    expect(planVolume(policy("Recycle"), undefined)).toMatchObject({
      do: "fail",
      reason: "VolumeFailedRecycle",
    });
  });
});
