// What one reconcile of one Deployment carries along, and its two kinds of writes.
import type { Deployment, DeploymentStatus, ReplicaSet } from "../../api/generated/types.ts";
import { deployments } from "../../api/kinds/deployment.ts";
import { replicaSets } from "../../api/kinds/replica-set.ts";
import type { Recorder } from "../../client/recorder.ts";
import type { ControllerContext } from "../runtime/context.ts";
import type { Writes } from "../runtime/start-controller.ts";
import type { EventText } from "../shared/pod-events.ts";
import { scaled } from "./events.ts";
import { sameAnnotations, sizeAnnotations } from "./revision.ts";
import { type Scale, sizeOf } from "./scaling.ts";
import { sameStatus } from "./status.ts";

export interface Work {
  readonly context: ControllerContext;
  readonly recorder: Recorder;
  readonly writes: Writes;
  /** As last written or read: each write replaces it. */
  deployment: Readonly<Deployment>;
}

export function record({ recorder, deployment }: Work, { type, reason, message }: EventText): void {
  recorder.event(deployment, type, reason, message);
}

export async function writeStatus(work: Work, status: DeploymentStatus): Promise<void> {
  if (sameStatus(work.deployment.status, status)) return;
  const { client } = work.context;
  work.deployment = await client.updateStatus(deployments, { ...work.deployment, status });
  work.writes.wrote(deployments, work.deployment);
}

export async function writeReplicaSet(work: Work, replicaSet: ReplicaSet): Promise<ReplicaSet> {
  const written = await work.context.client.update(replicaSets, replicaSet);
  work.writes.wrote(replicaSets, written);
  return written;
}

/** Resizes a ReplicaSet and notes of which whole its size is a share; true where the size was changed. */
export async function applyScale(work: Work, { replicaSet, replicas }: Scale): Promise<boolean> {
  const from = sizeOf(replicaSet);
  const { metadata, spec } = replicaSet;
  const annotations = { ...metadata.annotations, ...sizeAnnotations(work.deployment) };
  if (from === replicas && sameAnnotations(metadata.annotations, annotations)) return false;
  await writeReplicaSet(work, {
    ...replicaSet,
    metadata: { ...metadata, annotations },
    spec: { ...spec, replicas },
  });
  if (from === replicas) return false;
  record(work, scaled(metadata.name, from, replicas));
  return true;
}
