// The ReplicaSet of the Deployment's current template: found, brought up to date, or made. A name that is taken by another template is
// answered with a new hash (collisionCount), never by taking the other's ReplicaSet.
import type { DeploymentStatus, ReplicaSet } from "../../api/generated/types.ts";
import { deployments } from "../../api/kinds/deployment.ts";
import { replicaSets } from "../../api/kinds/replica-set.ts";
import { POD_TEMPLATE_HASH, REVISION } from "../../api/names.ts";
import { controllerOf, controllerReference, type Draft } from "../../api/object.ts";
import { hasReason } from "../../api/status-error.ts";
import { sameTemplate, templateHash } from "../shared/template-hash.ts";
import { createFailed, scaled } from "./events.ts";
import { currentAnnotations, nextRevision, sameAnnotations, sizeAnnotations } from "./revision.ts";
import { roomForCurrent, sizeOf } from "./scaling.ts";
import { conditionOf, hasProgressDeadline, withCondition } from "./status.ts";
import { record, type Work, writeReplicaSet, writeStatus } from "./work.ts";

type Set = Readonly<ReplicaSet>;

/** Brings annotations and minReadySeconds of the existing one in line; takes an old template up again as a new revision. */
export async function refreshCurrent(work: Work, current: Set, old: readonly Set[]): Promise<Set> {
  const { deployment } = work;
  const { metadata, spec } = current;
  const annotations = currentAnnotations(deployment, metadata.annotations, nextRevision(old));
  const minReadySeconds = deployment.spec.minReadySeconds ?? 0;
  const same =
    sameAnnotations(metadata.annotations, annotations) && (spec.minReadySeconds ?? 0) === minReadySeconds;
  const fresh = same
    ? current
    : await writeReplicaSet(work, {
        ...current,
        metadata: { ...metadata, annotations },
        spec: { ...spec, minReadySeconds },
      });
  await writeRevision(work, annotations[REVISION]);
  if (hasProgressDeadline(deployment) && !conditionOf(deployment.status, "Progressing"))
    await progressing(work, "FoundNewReplicaSet", `Found new replica set "${metadata.name}"`);
  return fresh;
}

/** Makes the ReplicaSet, as large as the rollout allows at once. */
export async function createCurrent(work: Work, old: readonly Set[]): Promise<Set> {
  const draft = draftCurrent(work, old);
  const name = draft.metadata?.name ?? "";
  let current: Set | undefined;
  let isNew = true;
  try {
    current = await work.context.client.create(replicaSets, draft);
    work.writes.wrote(replicaSets, current);
  } catch (error) {
    if (!hasReason(error, "AlreadyExists")) return await creationFailed(work, name, error);
    current = await ownAlready(work, name);
    isNew = false;
    if (!current) {
      await countCollision(work);
      throw error;
    }
  }
  if (isNew && sizeOf(current) > 0) record(work, scaled(name, 0, sizeOf(current)));
  await writeRevision(work, current.metadata.annotations?.[REVISION]);
  if (isNew && hasProgressDeadline(work.deployment))
    await progressing(work, "NewReplicaSetCreated", `Created new replica set "${name}"`);
  return current;
}

function draftCurrent({ deployment }: Work, old: readonly Set[]): Draft<ReplicaSet> {
  const { metadata, spec } = deployment;
  const hash = templateHash(spec.template, deployment.status?.collisionCount ?? 0);
  const labels = { ...spec.template.metadata?.labels, [POD_TEMPLATE_HASH]: hash };
  return {
    metadata: {
      name: `${metadata.name}-${hash}`,
      ...(metadata.namespace ? { namespace: metadata.namespace } : {}),
      labels,
      annotations: {
        ...currentAnnotations(deployment, undefined, nextRevision(old)),
        ...sizeAnnotations(deployment),
      },
      ownerReferences: [controllerReference(deployment, "apps/v1", "Deployment")],
    },
    spec: {
      replicas: roomForCurrent(deployment, old, 0),
      ...(spec.minReadySeconds ? { minReadySeconds: spec.minReadySeconds } : {}),
      selector: {
        ...spec.selector,
        matchLabels: { ...spec.selector.matchLabels, [POD_TEMPLATE_HASH]: hash },
      },
      template: { ...spec.template, metadata: { ...spec.template.metadata, labels } },
    },
  };
}

/** What has the name may be our own, made by an earlier try whose answer was lost. */
async function ownAlready({ context, deployment }: Work, name: string): Promise<Set | undefined> {
  const { namespace, uid } = deployment.metadata;
  const found = await context.client.find(replicaSets, { namespace, name });
  const ours = found && controllerOf(found)?.uid === uid;
  return ours && sameTemplate(found.spec.template, deployment.spec.template) ? found : undefined;
}

async function countCollision(work: Work): Promise<void> {
  const collisionCount = (work.deployment.status?.collisionCount ?? 0) + 1;
  await writeStatus(work, { ...work.deployment.status, collisionCount });
}

async function creationFailed(work: Work, name: string, error: unknown): Promise<never> {
  const event = createFailed(name, error instanceof Error ? error.message : String(error));
  if (hasProgressDeadline(work.deployment))
    await writeStatus(work, statusWith(work, { status: "False", ...event }));
  record(work, event);
  throw error;
}

async function writeRevision(work: Work, revision: string | undefined): Promise<void> {
  const { metadata } = work.deployment;
  if (revision === undefined || metadata.annotations?.[REVISION] === revision) return;
  const patch = { metadata: { annotations: { [REVISION]: revision } } };
  // Not with the object itself: there annotations count as a change of what is wanted.
  const options = { subresource: "status" };
  work.deployment = await work.context.client.patch(deployments, metadata, "merge", patch, options);
  work.writes.wrote(deployments, work.deployment);
}

function progressing(work: Work, reason: string, message: string): Promise<void> {
  return writeStatus(work, statusWith(work, { status: "True", reason, message }));
}

function statusWith(
  { deployment, context }: Work,
  { status, reason, message }: { status: string; reason: string; message: string },
): DeploymentStatus {
  const condition = { type: "Progressing", status, reason, message };
  const conditions = withCondition(deployment.status?.conditions ?? [], condition, context.clock.now());
  return { ...deployment.status, conditions };
}
