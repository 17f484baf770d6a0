// The history of a StatefulSet or DaemonSet, kept in ControllerRevisions: each holds one template, as a patch that brings it back.
// A template that is taken up again gets its old ControllerRevision with a new number, as Deployments do with ReplicaSets. Worked
// example: revisions 1 = A, 2 = B; the template is A again → the first becomes number 3, and nothing is created.
import type { ControllerRevision, PodTemplateSpec } from "../../api/generated/types.ts";
import { controllerRevisions } from "../../api/kinds/controller-revision.ts";
import { controllerOf, controllerReference, type Draft, type KubeObject } from "../../api/object.ts";
import { isObject } from "../../api/own.ts";
import { apiVersionOf, type Resource } from "../../api/resource.ts";
import { hasReason } from "../../api/status-error.ts";
import type { Client } from "../../client/client.ts";
import type { Writes } from "../runtime/start-controller.ts";
import { canonical, templateHash } from "./template-hash.ts";

type Revision = Readonly<ControllerRevision>;

export interface RevisionPlan {
  /** The revision of the template, where there is one. */
  readonly found: Revision | undefined;
  /** The number that it must have. */
  readonly number: number;
}

/** Oldest first: by number, then by age. */
export function inOrder(revisions: readonly Revision[]): Revision[] {
  const age = ({ metadata }: Revision) => `${metadata.creationTimestamp} ${metadata.name}`;
  return [...revisions].sort((a, b) => a.revision - b.revision || (age(a) < age(b) ? -1 : 1));
}

/** Pure: which revision the template has, or what number a new one gets. */
export function planRevision(template: PodTemplateSpec, revisions: readonly Revision[]): RevisionPlan {
  const wanted = canonical(revisionData(template));
  const found = inOrder(revisions).findLast(({ data }) => canonical(data) === wanted);
  const newest = Math.max(0, ...revisions.filter((one) => one !== found).map(({ revision }) => revision));
  return { found, number: Math.max(found?.revision ?? 0, newest + 1) };
}

/** Pure: those beyond `limit`, oldest first, but for the ones that something still needs. */
export function planTruncation(
  history: readonly Revision[],
  { limit, isLive }: { limit: number; isLive: (revision: Revision) => boolean },
): readonly Revision[] {
  const surplus = Math.max(0, history.length - limit);
  return inOrder(history)
    .filter((revision) => !isLive(revision))
    .slice(0, surplus);
}

/**
 * The patch that brings the template back. Its keys are in order and its metadata has the empty creationTimestamp of Go's types, because
 * kubectl finds out byte by byte whether an undo would change anything.
 */
export function revisionData(template: PodTemplateSpec): Record<string, unknown> {
  const metadata = { creationTimestamp: null, ...template.metadata };
  return sorted({ spec: { template: { $patch: "replace", ...template, metadata } } }) as Record<
    string,
    unknown
  >;
}

/** The template that a revision holds. */
export function templateIn({ data }: Revision): PodTemplateSpec {
  const spec = data?.["spec"] as { template?: PodTemplateSpec & { $patch?: string } } | undefined;
  const { $patch: _, metadata, ...template } = spec?.template ?? {};
  const { creationTimestamp: __, ...rest } = (metadata ?? {}) as Record<string, unknown>;
  return { ...template, metadata: rest as unknown as NonNullable<PodTemplateSpec["metadata"]> };
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (!isObject(value)) return value;
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries.map(([key, item]) => [key, sorted(item)]));
}

export interface RevisionWork {
  readonly client: Client;
  readonly writes: Writes;
  readonly owner: KubeObject;
  readonly ownerResource: Resource;
  readonly template: PodTemplateSpec;
  /** Which label of a revision holds its hash. */
  readonly hashLabel: string;
  readonly collisionCount: number;
}

/** The revision of the template: found, brought up to date, or made. A name that another template has is answered with another hash. */
export async function syncRevision(
  work: RevisionWork,
  revisions: readonly Revision[],
): Promise<{ revision: Revision; collisionCount: number }> {
  const { client, writes, collisionCount } = work;
  const { found, number } = planRevision(work.template, revisions);
  if (!found) return createRevision(work, number);
  if (found.revision === number) return { revision: found, collisionCount };
  const revision = await client.update(controllerRevisions, { ...found, revision: number });
  writes.wrote(controllerRevisions, revision);
  return { revision, collisionCount };
}

async function createRevision(
  work: RevisionWork,
  number: number,
): Promise<{ revision: Revision; collisionCount: number }> {
  const { client, writes, owner } = work;
  const { namespace } = owner.metadata;
  for (let { collisionCount } = work; ; collisionCount++) {
    const draft = draftRevision(work, number, collisionCount);
    try {
      const revision = await client.create(controllerRevisions, draft);
      writes.wrote(controllerRevisions, revision);
      return { revision, collisionCount };
    } catch (error) {
      if (!hasReason(error, "AlreadyExists")) throw error;
    }
    // It may be our own, made by an earlier try whose answer was lost.
    const there = await client.find(controllerRevisions, { namespace, name: draft.metadata?.name ?? "" });
    const isOurs = there && controllerOf(there)?.uid === owner.metadata.uid;
    if (isOurs && canonical(there.data) === canonical(draft.data)) return { revision: there, collisionCount };
  }
}

function draftRevision(
  { owner, ownerResource, template, hashLabel }: RevisionWork,
  revision: number,
  collisionCount: number,
): Draft<ControllerRevision> {
  const { name, namespace, annotations } = owner.metadata;
  const hash = templateHash(template, collisionCount);
  return {
    metadata: {
      name: `${name}-${hash}`,
      ...(namespace ? { namespace } : {}),
      labels: { ...template.metadata?.labels, [hashLabel]: hash },
      ...(annotations ? { annotations: { ...annotations } } : {}),
      ownerReferences: [controllerReference(owner, apiVersionOf(ownerResource), ownerResource.kind)],
    },
    data: revisionData(template),
    revision,
  };
}

export async function deleteRevisions(
  { client, writes }: Pick<RevisionWork, "client" | "writes">,
  revisions: readonly Revision[],
): Promise<void> {
  for (const revision of revisions) {
    try {
      await client.delete(controllerRevisions, revision.metadata);
    } catch (error) {
      if (!hasReason(error, "NotFound")) throw error;
    }
    writes.deleted(controllerRevisions, revision as ControllerRevision);
  }
}
