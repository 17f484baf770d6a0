// Steps on objects: what kubectl apply, patch, scale, set image, rollout and delete do, by the same patches.
import type { ReplicaSet } from "../../api/generated/types.ts";
import { pods } from "../../api/kinds/pod.ts";
import { replicaSets } from "../../api/kinds/replica-set.ts";
import type { KubeObject } from "../../api/object.ts";
import { hasReason } from "../../api/status-error.ts";
import { systemClock } from "../../base/clock.ts";
import type { PatchType } from "../../client/client.ts";
import { imagePatch, restartPatch, revisionsOf, revisionToUndo, undoPatch } from "../../client/rollout.ts";
import { type DrillCluster, insist } from "../cluster.ts";
import { faultAt } from "../observe/recovery.ts";
import type { SingleAction } from "../plan-steps.ts";
import { preciseNow } from "../traffic/protocol.ts";
import { choosePods } from "./choose.ts";
import type { StepContext } from "./context.ts";
import type { Performed } from "./perform.ts";

type Of<Verb extends SingleAction["verb"]> = Extract<SingleAction, { verb: Verb }>;

/** Server-side apply. Resolves with the objects that were not there before. */
export async function applyObjects(
  { client, byKind }: Pick<DrillCluster, "client" | "byKind">,
  objects: readonly KubeObject[],
  namespace: string,
): Promise<KubeObject[]> {
  const made: KubeObject[] = [];
  for (const object of objects) {
    const resource = byKind(object.apiVersion ?? "", object.kind ?? "");
    const at = {
      ...(resource.namespaced ? { namespace: object.metadata.namespace ?? namespace } : {}),
      name: object.metadata.name,
    };
    const before = await insist(() => client.find(resource, at));
    const after = await insist(() =>
      client.patch(resource, at, "apply", object, {
        fieldManager: "kubemu-drill",
        force: true,
        fieldValidation: "Strict",
      }),
    );
    if (!before) made.push(after);
  }
  return made;
}

export async function apply(context: StepContext, { manifests }: Of<"apply">): Promise<Performed> {
  const objects = context.objectsOf(manifests);
  await applyObjects(context.cluster, objects, context.namespace);
  return {
    text: `applied ${objects.map((each) => `${each.kind?.toLowerCase()}/${each.metadata.name}`).join(", ")}`,
  };
}

async function change(
  context: StepContext,
  target: string,
  {
    type,
    patchOf,
    subresource,
  }: {
    type: PatchType;
    patchOf: (object: KubeObject) => unknown;
    subresource?: string;
  },
): Promise<void> {
  const { client, typeOf } = context.cluster;
  const [word = "", name = ""] = target.split("/");
  const resource = typeOf(word);
  const at = { ...(resource.namespaced ? { namespace: context.namespace } : {}), name };
  await insist(async () => {
    const object = await client.get(resource, at);
    const patch = await patchOf(object);
    await client.patch(resource, at, type, patch, {
      fieldManager: "kubemu-drill",
      ...(subresource ? { subresource } : {}),
    });
  });
  const { metadata } = await insist(() => client.get(resource, at));
  context.generations.set(`${context.namespace}/${target}`, metadata.generation ?? 0);
}

export async function patch(context: StepContext, action: Of<"patch">): Promise<Performed> {
  await change(context, action.target, { type: action.type, patchOf: () => action.patch });
  return { text: `patched ${action.target}` };
}

export async function scale(context: StepContext, { target, replicas }: Of<"scale">): Promise<Performed> {
  await change(context, target, {
    type: "merge",
    patchOf: () => ({ spec: { replicas } }),
    subresource: "scale",
  });
  return { text: `scaled ${target} to ${replicas}`, rollout: target };
}

export async function setImage(
  context: StepContext,
  { target, image, container }: Of<"setImage">,
): Promise<Performed> {
  await change(context, target, {
    type: "strategic",
    patchOf: (object) => imagePatch(object, { [container]: image }),
  });
  return { text: `set the image of ${target} to ${image}`, rollout: target };
}

/** The annotation that restarts has whole seconds: a restart within the second of the last waits for the next. */
export async function rolloutRestart(
  context: StepContext,
  { target }: Of<"rolloutRestart">,
): Promise<Performed> {
  let text = JSON.stringify(restartPatch(systemClock.now()));
  const last = restarts.get(context)?.get(target);
  while (text === last && !context.signal.aborted) {
    await systemClock.sleep(1_000 - (systemClock.now() % 1_000), context.signal);
    text = JSON.stringify(restartPatch(systemClock.now()));
  }
  restarts.set(context, new Map(restarts.get(context)).set(target, text));
  await change(context, target, { type: "strategic", patchOf: () => JSON.parse(text) });
  return { text: `restarted the rollout of ${target}`, rollout: target };
}
const restarts = new WeakMap<StepContext, Map<string, string>>();

export async function rolloutUndo(
  context: StepContext,
  { target, toRevision }: Of<"rolloutUndo">,
): Promise<Performed> {
  if (!target.startsWith("deployment/")) throw new Error(`rolloutUndo takes a Deployment, not ${target}`);
  const { items } = await insist(() =>
    context.cluster.client.list<ReplicaSet>(replicaSets, { namespace: context.namespace }),
  );
  await change(context, target, {
    type: "json",
    patchOf: (object) => undoPatch(revisionToUndo(revisionsOf(object, items), toRevision)),
  });
  return { text: `undid the rollout of ${target}`, rollout: target };
}

export async function deletePods(
  context: StepContext,
  { pod: target, count, gracePeriod }: Of<"delete">,
  draw: number,
): Promise<Performed> {
  const { cluster, observer } = context;
  const victims = await choosePods(context, target, { count, draw });
  const fault = observer.track(faultAt(preciseNow(), observer.world(), victims));
  const options = gracePeriod === undefined ? {} : { gracePeriodSeconds: Math.round(gracePeriod / 1_000) };
  await Promise.all(
    victims.map((pod) =>
      insist(async () => {
        try {
          await cluster.client.delete(pods, pod, { ...options, preconditions: { uid: pod.uid } });
        } catch (error) {
          if (!hasReason(error, "NotFound")) throw error;
        }
      }),
    ),
  );
  return { text: `deleted ${victims.map(({ name }) => name).join(", ")}`, fault };
}
