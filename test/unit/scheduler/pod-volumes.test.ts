import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { PersistentVolumeClaim, Pod } from "../../../src/api/generated/types.ts";
import { ClusterCache } from "../../../src/scheduler/cluster-cache.ts";
import type { NodeInfo } from "../../../src/scheduler/node-info.ts";
import { podInfo } from "../../../src/scheduler/pod-info.ts";
import { planVolumes, type StorageView, volumesOf } from "../../../src/scheduler/pod-volumes.ts";
import { makeNode, makePod } from "../controllers/objects.ts";
import { claimRef, makeClaim, makeClass, makeVolume } from "../controllers/volumes.ts";
import { clusterOf, pick, storageOf } from "./cluster.ts";

const zone = "topology.kubernetes.io/zone";
const late = makeClass("late", { volumeBindingMode: "WaitForFirstConsumer" });
const byHand = makeClass("hand", {
  volumeBindingMode: "WaitForFirstConsumer",
  provisioner: "kubernetes.io/no-provisioner",
});
const classes = [makeClass("standard"), late, byHand];
const nodes = ["a", "b"].map((name) => makeNode(name, { labels: { [zone]: name } }));
const inZone = (...values: string[]) => ({
  required: { nodeSelectorTerms: [{ matchExpressions: [{ key: zone, operator: "In", values }] }] },
});
const selected = (node: string) => ({
  meta: { annotations: { "volume.kubernetes.io/selected-node": node } },
});
const bound = (name: string, volumeName: string, more: Partial<PersistentVolumeClaim["spec"]> = {}) =>
  makeClaim(
    name,
    { volumeName, ...more },
    { meta: { annotations: { "pv.kubernetes.io/bind-completed": "yes" } }, status: { phase: "Bound" } },
  );

const user = (...claims: string[]): Pod =>
  makePod("p", {
    spec: { volumes: claims.map((claimName) => ({ name: claimName, persistentVolumeClaim: { claimName } })) },
  });
const pickWith = (pod: Pod, storage: Parameters<typeof storageOf>[0], pods: readonly Pod[] = []) =>
  pick(pod, clusterOf(nodes, pods, { storage: storageOf({ classes, ...storage }) }));

const everywhere = (why: string) =>
  `0/2 nodes are available: ${why}. preemption: 0/2 nodes are available: 2 Preemption is not helpful for scheduling.`;

describe("a pod's claims", () => {
  it.each<[string, Pod, Parameters<typeof storageOf>[0], string]>([
    ["is not there", user("c"), {}, 'persistentvolumeclaim "c" not found'],
    [
      "is being deleted",
      user("c"),
      { claims: [makeClaim("c", {}, { meta: { deletionTimestamp: "2026-01-02T03:04:05Z" } })] },
      'persistentvolumeclaim "c" is being deleted',
    ],
    [
      "has lost its volume",
      user("c"),
      { claims: [makeClaim("c", { volumeName: "v" }, { status: { phase: "Lost" } })] },
      'persistentvolumeclaim "c" bound to non-existent persistentvolume "v"',
    ],
    [
      "is to be bound at once, and is not",
      user("c"),
      { claims: [makeClaim("c", { storageClassName: "standard" })] },
      "pod has unbound immediate PersistentVolumeClaims",
    ],
    [
      "of an ephemeral volume is not there yet",
      makePod("p", {
        spec: { volumes: [{ name: "tmp", ephemeral: { volumeClaimTemplate: { spec: {} } } }] },
      }),
      {},
      'waiting for ephemeral volume controller to create the persistentvolumeclaim "p-tmp"',
    ],
    [
      "of an ephemeral volume is somebody else's",
      makePod("p", {
        spec: { volumes: [{ name: "tmp", ephemeral: { volumeClaimTemplate: { spec: {} } } }] },
      }),
      { claims: [makeClaim("p-tmp")] },
      "PVC default/p-tmp was not created for pod default/p (pod is not owner)",
    ],
  ])("keep it from every node where one %s", (_, pod, storage, why) => {
    expect(pickWith(pod, storage)).toBe(everywhere(why));
  });

  it("bring it to where the volumes can be used", () => {
    const storage = { claims: [bound("c", "v")], volumes: [makeVolume("v", { nodeAffinity: inZone("b") })] };
    expect(pickWith(user("c"), storage)).toBe("b");
    const split = {
      claims: [bound("c", "v"), bound("d", "w")],
      volumes: [
        makeVolume("v", { nodeAffinity: inZone("b") }),
        makeVolume("w", { nodeAffinity: inZone("a") }),
      ],
    };
    expect(pickWith(user("c", "d"), split)).toBe(
      everywhere("2 node(s) didn't match PersistentVolume's node affinity"),
    );
    expect(pickWith(user("c"), { claims: [bound("c", "gone")] })).toBe(
      everywhere("2 node(s) unavailable due to one or more pvc(s) bound to non-existent pv(s)"),
    );
  });

  it("that wait for it take a volume where there is one, and have one made where a provisioner can", () => {
    const hand = makeClaim("c", { storageClassName: "hand" });
    const volume = makeVolume("v", { storageClassName: "hand", nodeAffinity: inZone("b") });
    expect(pickWith(user("c"), { claims: [hand], volumes: [volume] })).toBe("b");
    expect(pickWith(user("c"), { claims: [hand], volumes: [volume], promised: { v: "uid-c" } })).toBe("b");
    const none = everywhere("2 node(s) didn't find available persistent volumes to bind");
    expect(pickWith(user("c"), { claims: [hand], volumes: [volume], promised: { v: "other" } })).toBe(none);
    expect(pickWith(user("c"), { claims: [hand] })).toBe(none);
    expect(pickWith(user("c"), { claims: [makeClaim("c", { storageClassName: "late" })] })).toBe("a");
  });

  it("go where the class allows, and stay with the node that was chosen for them first", () => {
    const onlyB = makeClass("late", {
      volumeBindingMode: "WaitForFirstConsumer",
      allowedTopologies: [{ matchLabelExpressions: [{ key: zone, values: ["b"] }] }],
    });
    const claim = makeClaim("c", { storageClassName: "late" });
    expect(pickWith(user("c"), { claims: [claim], classes: [onlyB] })).toBe("b");
    const chosen = makeClaim("c", { storageClassName: "late" }, selected("b"));
    expect(pickWith(user("c"), { claims: [chosen] })).toBe("b");
  });

  it("for one pod only keep a second one waiting", () => {
    const alone = bound("c", "v", { accessModes: ["ReadWriteOncePod"] });
    const storage = { claims: [alone], volumes: [makeVolume("v")] };
    const running = { ...user("c"), metadata: { ...user("c").metadata, name: "r", uid: "uid-r" } };
    running.spec = { ...running.spec, nodeName: "a" };
    expect(pickWith(user("c"), storage)).toBe("a");
    expect(pickWith(user("c"), storage, [running])).toMatch(
      /^0\/2 nodes are available: 2 node has pod using PersistentVolumeClaim with the same name and ReadWriteOncePod access mode\./,
    );
  });
});

describe("the plan for a node", () => {
  const volumeShape = fc.record({
    size: fc.integer({ min: 1, max: 5 }),
    zones: fc.constantFrom<readonly string[]>(["a"], ["b"], ["a", "b"]),
    taken: fc.boolean(),
  });
  const claimShape = fc.record({ size: fc.integer({ min: 1, max: 5 }), made: fc.boolean() });

  it("gives each claim one volume that is large enough, free, and usable there", () => {
    fc.assert(
      fc.property(fc.array(volumeShape), fc.array(claimShape, { minLength: 1, maxLength: 5 }), (vs, cs) => {
        const other = makeClaim("other");
        const volumes = vs.map(({ size, zones, taken }, i) =>
          makeVolume(
            `v${i}`,
            {
              capacity: { storage: `${size}Gi` },
              storageClassName: "hand",
              nodeAffinity: inZone(...zones),
              ...(taken ? { claimRef: claimRef(other) } : {}),
            },
            { phase: taken ? "Bound" : "Available" },
          ),
        );
        const claims = cs.map(({ size, made }, i) =>
          makeClaim(`c${i}`, {
            storageClassName: made ? "late" : "hand",
            resources: { requests: { storage: `${size}Gi` } },
          }),
        );
        const storage = storageOf({ claims, volumes, classes });
        const plan = planOn("a", user(...claims.map(({ metadata }) => metadata.name)), storage);
        const free = vs.filter(({ zones, taken }) => !taken && zones.includes("a")).length;
        if (!plan) {
          // Smallest first with the closest fit finds places for all wherever there are any.
          expect(canServe(cs, vs)).toBe(false);
          return;
        }
        const given = plan.give.map(({ volume }) => volume.metadata.name);
        expect(new Set(given).size).toBe(given.length);
        expect(given.length).toBeLessThanOrEqual(free);
        expect(given.length + plan.make.length).toBe(claims.length);
        for (const { claim, volume } of plan.give) {
          const [wanted, has] = [cs[numberOf(claim)], vs[numberOf(volume)]];
          expect(has?.size).toBeGreaterThanOrEqual(wanted?.size ?? 0);
          expect(has?.taken).toBe(false);
          expect(has?.zones).toContain("a");
        }
      }),
    );
  });

  const numberOf = ({ metadata }: { metadata: { name: string } }) => Number(metadata.name.slice(1));

  function planOn(name: string, pod: Pod, storage: StorageView) {
    const cache = new ClusterCache();
    for (const node of nodes) cache.setNode(node);
    const node = cache.nodes.find((one) => one.name === name) as NodeInfo;
    const volumes = volumesOf(podInfo(pod), storage);
    if (!volumes || "problem" in volumes) throw new Error("the pod has claims that wait");
    const plan = planVolumes(volumes, node, storage);
    return "reasons" in plan ? undefined : plan;
  }

  /** Hall's condition for nested needs: for every size, no more claims of at least that size than volumes. */
  function canServe(
    claims: readonly { size: number; made: boolean }[],
    volumes: readonly { size: number; zones: readonly string[]; taken: boolean }[],
  ): boolean {
    return [1, 2, 3, 4, 5].every((size) => {
      const wanted = claims.filter((claim) => !claim.made && claim.size >= size).length;
      const there = volumes.filter(
        (volume) => !volume.taken && volume.zones.includes("a") && volume.size >= size,
      ).length;
      return wanted <= there;
    });
  }
});
