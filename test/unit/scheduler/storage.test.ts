import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { PersistentVolume, PersistentVolumeClaim, Pod } from "../../../src/api/generated/types.ts";
import type { RunningController } from "../../../src/controllers/runtime/context.ts";
import { startScheduler } from "../../../src/scheduler/scheduler.ts";
import { createTestContext, settle, type TestContext, until } from "../controllers/context.ts";
import { makeNode, makePod } from "../controllers/objects.ts";
import { claimRef, makeClaim, makeClass, makeVolume } from "../controllers/volumes.ts";
import { seeded } from "./cluster.ts";

const SELECTED = "volume.kubernetes.io/selected-node";
const COMPLETED = { "pv.kubernetes.io/bind-completed": "yes" };

describe("the scheduler and claims that wait for their first pod", () => {
  let context: TestContext;
  let scheduler: RunningController;

  beforeEach(() => {
    context = createTestContext();
    context.api.put("nodes", makeNode("n1"));
    context.api.put("storageclasses", makeClass("late", { volumeBindingMode: "WaitForFirstConsumer" }));
    scheduler = startScheduler(context, { random: seeded(1) });
  });
  afterEach(async () => {
    await scheduler.stop();
    await context.stop();
  });

  const nodeOf = (name: string) => context.api.get<Pod>("pods", `default/${name}`)?.spec.nodeName;
  const claim = (name: string) =>
    context.api.get<PersistentVolumeClaim>("persistentvolumeclaims", `default/${name}`);
  const volume = (name: string) => context.api.get<PersistentVolume>("persistentvolumes", name);
  const user = (name: string, claimName: string) =>
    makePod(name, { spec: { volumes: [{ name: "v", persistentVolumeClaim: { claimName } }] } });
  const put = (name: string) =>
    context.api.put("persistentvolumeclaims", makeClaim(name, { storageClassName: "late" }));
  /** What provisioner and binder do, once the scheduler has chosen. */
  const bindClaim = (name: string, volumeName: string) => {
    const current = claim(name) as PersistentVolumeClaim;
    context.api.put("persistentvolumes", makeVolume(volumeName, { claimRef: claimRef(current) }));
    context.api.put("persistentvolumeclaims", {
      ...current,
      metadata: { ...current.metadata, annotations: { ...current.metadata.annotations, ...COMPLETED } },
      spec: { ...current.spec, volumeName },
      status: { phase: "Bound" },
    });
  };

  it("names the node on the claim, and binds the pod when the claim is bound", async () => {
    put("c");
    context.api.put("pods", user("p", "c"));
    await until(() => claim("c")?.metadata.annotations?.[SELECTED] === "n1");
    await settle();
    expect(nodeOf("p")).toBeUndefined();
    bindClaim("c", "v");
    await until(() => nodeOf("p") === "n1");
  });

  it("gives a volume that lies ready to one of two claims, even when both pods come at once", async () => {
    put("c");
    put("d");
    context.api.put("persistentvolumes", makeVolume("ready", { storageClassName: "late" }));
    context.api.put("pods", user("p", "c"));
    context.api.put("pods", user("q", "d"));
    await until(() => claim("d")?.metadata.annotations?.[SELECTED] === "n1");
    await until(() => volume("ready")?.spec.claimRef?.name === "c");
    expect(claim("c")?.metadata.annotations?.[SELECTED]).toBeUndefined();
  });

  it("says so and starts again when the provisioner gives up, and when it takes too long", async () => {
    put("c");
    context.api.put("pods", user("p", "c"));
    await until(() => claim("c")?.metadata.annotations?.[SELECTED] === "n1");
    const { annotations: _, ...metadata } = (claim("c") as PersistentVolumeClaim).metadata;
    context.api.put("persistentvolumeclaims", { ...(claim("c") as PersistentVolumeClaim), metadata });
    const prefix = 'FailedScheduling: running PreBind plugin "VolumeBinding": binding volumes: ';
    await until(() => context.events("p").includes(`${prefix}provisioning failed for PVC "c"`));
    await settle();
    context.clock.advance(context.timing.scheduleBackoffMs);
    await until(() => claim("c")?.metadata.annotations?.[SELECTED] === "n1");
    await settle();
    context.clock.advance(context.timing.volumeBindMs);
    await until(() => context.events("p").includes(`${prefix}timed out waiting for the condition`));
    await settle();
    context.clock.advance(context.timing.scheduleBackoffMaxMs);
    await settle();
    bindClaim("c", "v");
    await until(() => nodeOf("p") === "n1");
  });

  it("places a pod whose claim comes later", async () => {
    context.api.put("pods", user("p", "c"));
    await until(() => context.events("p").some((event) => event.includes('"c" not found')));
    context.clock.advance(context.timing.scheduleBackoffMs);
    put("c");
    await until(() => claim("c") !== undefined);
    bindClaim("c", "v");
    await until(() => nodeOf("p") === "n1");
  });
});
